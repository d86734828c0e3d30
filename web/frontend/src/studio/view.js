// Where one looks at on a drawing.
const MARGIN = 40;
const TOOLS = 110; // the palette stands over the left side, save on a phone
const PHONE = '(max-width: 599.98px)';
const CLOSE_UP = 0.9;
const READABLE = 0.45;
const START = 0.8;

export const isPhone = () => matchMedia(PHONE).matches;

/** The whole drawing with room around it; returns the scale. */
export function fit(drawing) {
  const canvas = drawing.get('canvas');
  canvas.resized();
  const { inner, outer } = canvas.viewbox();
  if (!inner.width || !outer.width) return 1;
  const tools = isPhone() ? MARGIN : TOOLS;
  const scale = Math.min(1, (outer.width - tools - MARGIN) / inner.width, (outer.height - 2 * MARGIN) / inner.height);
  const [width, height] = [outer.width / scale, outer.height / scale];
  canvas.viewbox({ x: inner.x - (tools + (outer.width - tools - MARGIN - inner.width * scale) / 2) / scale, y: inner.y + inner.height / 2 - height / 2, width, height });
  return scale;
}

/** What one sees first: the whole drawing, or the upper left part of one too large to be read as a whole. */
export function begin(drawing) {
  if (fit(drawing) >= READABLE) return;
  const canvas = drawing.get('canvas');
  const { inner, outer } = canvas.viewbox();
  canvas.viewbox({ x: inner.x - (isPhone() ? MARGIN : TOOLS) / START, y: inner.y - MARGIN / START, width: outer.width / START, height: outer.height / START });
}

function middle(element) {
  if (!element.waypoints) return { x: element.x + element.width / 2, y: element.y + element.height / 2 };
  const [x, y] = ['x', 'y'].map((axis) => element.waypoints.map((point) => point[axis]));
  return { x: (Math.min(...x) + Math.max(...x)) / 2, y: (Math.min(...y) + Math.max(...y)) / 2 };
}

/** Brings an element into the middle at a size that can be read. */
export function centre(drawing, element) {
  const canvas = drawing.get('canvas');
  const { outer } = canvas.viewbox();
  const scale = Math.max(CLOSE_UP, Math.min(canvas.zoom(), 1.5));
  const { x, y } = middle(element);
  canvas.viewbox({ x: x - outer.width / scale / 2, y: y - outer.height / scale / 2, width: outer.width / scale, height: outer.height / scale });
}

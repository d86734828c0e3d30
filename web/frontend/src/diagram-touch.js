// Fingers: one moves the drawing (sideways only while the page must keep scrolling), two zoom it when it fills the screen.
export function touch(area, canvas, full) {
  const fingers = new Map();
  const spread = () => {
    const [one, two] = [...fingers.values()];
    return Math.hypot(one.x - two.x, one.y - two.y);
  };

  area.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch' && !event.target.closest('.bjs-powered-by')) fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  area.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const apart = fingers.size === 2 ? spread() : 0;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size === 1) canvas.scroll({ dx: event.clientX - before.x, dy: full() ? event.clientY - before.y : 0 });
    else if (apart && full()) canvas.zoom(Math.min(4, Math.max(0.1, (canvas.zoom() * spread()) / apart)));
  });
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, (event) => fingers.delete(event.pointerId));
}

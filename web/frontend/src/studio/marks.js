// Signs on the elements in which the server found something.
import { make } from '../page.js';
import { say } from './words.js';

const LARGE = 50;

function worst(problems) {
  const found = new Map();
  for (const problem of problems) {
    const told = found.get(problem.element) ?? { level: problem.level, messages: [] };
    if (problem.level === 'error') told.level = 'error';
    told.messages.push(problem.message);
    found.set(problem.element, told);
  }
  return found;
}

export function mark(drawing, problems) {
  const [canvas, registry, overlays] = ['canvas', 'elementRegistry', 'overlays'].map((part) => drawing.get(part));
  overlays.remove({ type: 'wz-problem' });
  registry.forEach((element) => ['has-error', 'has-warning'].forEach((kind) => canvas.removeMarker(element, kind)));
  for (const [id, { level, messages }] of worst(problems)) {
    const element = registry.get(id);
    if (!element || element === canvas.getRootElement()) continue;
    canvas.addMarker(element, `has-${level}`);
    const badge = make('span', { className: `studio-badge is-${level}`, title: messages.join('\n') }, `! ${say(level === 'error' ? 'problemError' : 'problemWarning')}`);
    const place = element.waypoints ? { top: -12, left: 8 } : element.width > LARGE ? { bottom: 8, left: -4 } : { top: -10, right: 8 };
    overlays.add(element, 'wz-problem', { position: place, html: badge, scale: { min: 0.6, max: 1.1 } });
  }
}

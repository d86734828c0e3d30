// The buttons above the drawing.
import { icon, make } from '../page.js';
import { followSimulation } from './language.js';
import { fit, isPhone } from './view.js';
import { say } from './words.js';

function button(sign, words, act) {
  const one = make('button', { type: 'button', className: 'btn btn-icon', title: say(words), 'aria-label': say(words) }, icon(sign));
  one.addEventListener('click', act);
  return one;
}

function history(drawing) {
  const stack = drawing.get('commandStack');
  const undo = button('arrow-back-up', 'undo', () => stack.undo());
  const redo = button('arrow-forward-up', 'redo', () => stack.redo());
  const show = () => { undo.disabled = !stack.canUndo(); redo.disabled = !stack.canRedo(); };
  drawing.on(['commandStack.changed', 'import.done'], show);
  show();
  return make('span', { className: 'btn-group' }, undo, redo);
}

/** On a phone the palette would hide the drawing: it is a row that opens and closes. */
function shapes(drawing) {
  const palette = drawing.get('palette');
  const toggle = make('button', { type: 'button', className: 'btn studio-shapes', 'aria-expanded': 'true' }, icon('plus'), make('span', {}, say('shapes')));
  toggle.addEventListener('click', () => palette.toggle());
  drawing.on('palette.changed', ({ open }) => toggle.setAttribute('aria-expanded', String(open)));
  drawing.on('import.done', () => { if (isPhone()) palette.close(); });
  return toggle;
}

function simulator(drawing, box) {
  const toggle = make('button', { type: 'button', className: 'btn', 'aria-pressed': 'false' }, icon('player-play'), make('span', {}, say('simulate')));
  toggle.addEventListener('click', () => drawing.get('toggleMode').toggleMode());
  drawing.get('eventBus').once('tokenSimulation.toggleMode', () => followSimulation(box));
  drawing.on('tokenSimulation.toggleMode', ({ active }) => {
    toggle.setAttribute('aria-pressed', String(active));
    toggle.replaceChildren(icon(active ? 'player-stop' : 'player-play'), make('span', {}, say(active ? 'simulateEnd' : 'simulate')));
    box.classList.toggle('is-simulating', active);
  });
  return toggle;
}

/** `pages` is the choice of the page, made by the caller. */
export function toolbar(drawing, box, pages, editable) {
  const canvas = drawing.get('canvas');
  const by = (factor) => () => canvas.zoom(Math.max(0.1, Math.min(4, canvas.zoom() * factor)));
  return make('div', { className: 'studio-tools' }, pages,
    ...(editable ? [shapes(drawing), history(drawing), button('search', 'search', () => setTimeout(() => drawing.get('searchPad').toggle()))] : []),
    make('span', { className: 'btn-group' }, button('zoom-in', 'zoomIn', by(1.25)), button('zoom-out', 'zoomOut', by(0.8)), button('focus-centered', 'zoomFit', () => fit(drawing))),
    ...(editable ? [simulator(drawing, box)] : []));
}

// Where the eye and the screen reader go after an answer: toasts, the first wrong field, the next task.
import { all, announce, eachNew, focusOn, icon, make, onArrival } from './page.js';
import { say } from './words.js';

const SECONDS = 6;

function shelf() {
  let place = document.getElementById('toasts');
  if (!place) document.body.append(place = make('div', { id: 'toasts', className: 'toasts' }));
  return place;
}

/** data-toast="" leaves after 6 s, data-toast="12" after 12 s, data-toast="stay" when closed. It waits while looked at. */
function present(toast) {
  const text = toast.textContent.trim();
  if (!toast.closest('#toasts')) shelf().append(toast);
  const close = make('button', { type: 'button', className: 'btn btn-icon', 'aria-label': say('close') }, icon('x'));
  close.addEventListener('click', () => toast.remove());
  toast.append(close);
  announce(text);
  if (toast.dataset.toast === 'stay') return;
  let timer;
  const start = () => { timer = setTimeout(() => toast.remove(), 1000 * (Number(toast.dataset.toast) || SECONDS)); };
  for (const kind of ['pointerenter', 'focusin']) toast.addEventListener(kind, () => clearTimeout(timer));
  for (const kind of ['pointerleave', 'focusout']) toast.addEventListener(kind, () => { clearTimeout(timer); start(); });
  start();
}

function toast(text) {
  const box = make('div', { className: 'notice notice-danger', 'data-toast': 'stay' }, icon('alert-triangle'), make('span', {}, text));
  shelf().append(box);
  present(box);
}

function firstWrong(root) {
  const [wrong] = all(root, '.is-invalid');
  if (wrong) focusOn(wrong.matches('input, select, textarea') ? wrong : wrong.querySelector('input, select, textarea') ?? wrong);
  return Boolean(wrong);
}

eachNew('[data-toast]', present);
eachNew('[data-focus]', (element) => { if (!document.querySelector('.is-invalid')) focusOn(element); });
onArrival((root) => { if (root === document) firstWrong(root); });
document.addEventListener('htmx:after:swap', (event) => {
  if (event.detail.ctx.response?.status === 422) setTimeout(() => firstWrong(document), 20); // after htmx gave the focus back
});
document.addEventListener('htmx:error', (event) => {
  const { ctx, error } = event.detail;
  if (ctx && !ctx.response && error?.name !== 'AbortError') toast(say('offline'));
});

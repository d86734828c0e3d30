// A second press of a submit button does nothing until the first has been answered.
import { announce } from './page.js';
import { say } from './words.js';

const busy = new Map(); // form → { source: what sends it, buttons: those switched off, pressed }

function take(form, source, pressed) {
  busy.set(form, { source, buttons: [], pressed });
  // later: a button that is disabled during the event would not be sent with the form
  setTimeout(() => {
    const lock = busy.get(form);
    if (!lock) return;
    lock.buttons = [...form.elements].filter((one) => one.type === 'submit' && !one.disabled);
    for (const button of lock.buttons) button.disabled = true;
    form.setAttribute('aria-busy', 'true');
    pressed?.classList.add('is-busy');
    announce(say('submitting'));
  });
}

function release(form) {
  const { buttons = [], pressed } = busy.get(form) ?? {};
  busy.delete(form);
  for (const button of buttons) button.disabled = false;
  form.removeAttribute('aria-busy');
  pressed?.classList.remove('is-busy');
  if (pressed?.isConnected && document.activeElement === document.body) pressed.focus();
}

function refuse(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.matches('form[data-once]') || event.defaultPrevented) return;
  if (busy.has(form)) refuse(event);
  else take(form, form, event.submitter);
}, true);

// a button with its own hx-post inside the form never fires `submit`
document.addEventListener('htmx:before:request', (event) => {
  const { sourceElement: source, request } = event.detail.ctx;
  const form = source.closest?.('form[data-once]');
  if (!form || source.type !== 'submit' || request.method === 'GET') return;
  if (busy.has(form)) event.preventDefault();
  else take(form, source, source);
});

document.addEventListener('htmx:finally:request', (event) => {
  const { sourceElement: source, response } = event.detail.ctx;
  const form = source?.closest?.('form[data-once]');
  const accepted = response && response.status < 400;
  if (busy.get(form)?.source === source && !accepted) release(form); // a field of the form may ask things of its own
});

addEventListener('pageshow', () => [...busy.keys()].forEach(release));

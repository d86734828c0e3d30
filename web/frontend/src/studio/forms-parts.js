// The controls that the designers of forms and tables are made of. Whatever changes the draft carries data-edits.
import { make } from '../page.js';
import { say } from './forms-words.js';

let last = 0;
const fresh = () => `fd-${last += 1}`;

export function labelled(title, control, help = '') {
  control.id ||= fresh();
  const parts = [make('label', { htmlFor: control.id }, title), control];
  if (help) {
    parts.push(make('p', { className: 'help', id: `${control.id}-help` }, help));
    control.setAttribute('aria-describedby', `${control.id}-help`);
  }
  return make('div', { className: 'field' }, ...parts);
}

/** An input whose every change is told; with `key` the focus finds it again after the part was drawn anew. */
export function entry({ value = '', type = 'text', key = '', onInput, ...properties }) {
  const input = make(type === 'textarea' ? 'textarea' : 'input', { 'data-edits': '', 'data-key': key, value, ...properties });
  if (type !== 'textarea') input.type = type;
  input.addEventListener('input', () => onInput(input.value));
  return input;
}

export function select({ value, options, key = '', onChange, ...properties }) {
  const control = make('select', { 'data-edits': '', 'data-key': key, ...properties });
  for (const option of options) {
    if (option.options) control.append(make('optgroup', { label: option.label }, ...option.options.map(choice)));
    else control.append(choice(option));
  }
  control.value = String(value ?? '');
  control.addEventListener('change', () => onChange(control.value));
  return control;
}

const choice = ([value, title]) => make('option', { value: String(value) }, title);

export function check(title, checked, onChange, key, help = '') {
  const input = make('input', { type: 'checkbox', checked, 'data-edits': '', 'data-key': key });
  input.addEventListener('change', () => onChange(input.checked));
  const label = make('label', { className: 'check' }, input, title);
  if (!help) return label;
  const note = make('p', { className: 'help', id: fresh() }, help);
  input.setAttribute('aria-describedby', note.id);
  return make('div', { className: 'field' }, label, note);
}

export function button(title, onClick, properties = {}) {
  const pressed = make('button', { type: 'button', className: 'btn', ...properties }, title);
  pressed.addEventListener('click', onClick);
  return pressed;
}

/** Asks before something is lost. `confirm` is the word on the button; without it there is nothing to choose. */
export function ask({ title, list = [], help = '', confirm = '' }) {
  return new Promise((resolve) => {
    const dialog = make('dialog', { className: 'sheet form', 'aria-labelledby': fresh() });
    const close = button(confirm ? say('cancel') : say('ok'), () => dialog.close(''), { autofocus: true });
    const sure = confirm ? [button(confirm, () => dialog.close('sure'), { className: 'btn btn-danger' })] : [];
    dialog.append(
      make('h2', { id: dialog.getAttribute('aria-labelledby') }, title),
      ...(list.length ? [make('ul', {}, ...list.map((line) => make('li', {}, line)))] : []),
      ...(help ? [make('p', {}, help)] : []),
      make('div', { className: 'form-actions' }, ...sure, close),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'sure');
    });
    (document.querySelector('main') ?? document.body).append(dialog);
    dialog.showModal();
  });
}

/** Draws a part anew; whatever had the focus has it again. */
export function redraw(box, children, readOnly) {
  const held = box.contains(document.activeElement) ? document.activeElement.dataset.key : '';
  box.replaceChildren(...children);
  for (const control of box.querySelectorAll('[data-edits]')) control.disabled ||= readOnly;
  if (held) box.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}

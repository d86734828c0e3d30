// The controls of the settings panel. Each commits what was typed after a short rest, on leaving the field, and before a save.
import { icon, make } from '../page.js';
import { say } from './words.js';

const REST = 600;
let serial = 0;

/** What is typed in one panel and not yet in the diagram. */
export class Typing {
  #pending = new Map();
  #touch;

  constructor(touch) {
    this.#touch = touch;
  }

  get busy() {
    return this.#pending.size > 0;
  }

  watch(control, write) {
    const commit = () => {
      const waiting = this.#pending.get(control);
      if (!waiting) return;
      clearTimeout(waiting.timer);
      this.#pending.delete(control);
      write(control.value);
    };
    control.addEventListener('input', ({ isComposing }) => {
      this.#touch();
      clearTimeout(this.#pending.get(control)?.timer);
      this.#pending.set(control, { commit, timer: isComposing ? 0 : setTimeout(commit, REST) });
    });
    control.addEventListener('compositionend', () => control.dispatchEvent(new Event('input')));
    control.addEventListener('change', commit);
  }

  commit() {
    for (const { commit } of [...this.#pending.values()]) commit();
  }
}

/** A label, its control, and a line of help. */
export function field(label, control, help = '') {
  control.id ||= `studio-field-${(serial += 1)}`;
  const told = help && make('small', { className: 'help', id: `${control.id}-help` }, help);
  if (told) control.setAttribute('aria-describedby', told.id);
  return make('div', { className: 'studio-field' }, make('label', { htmlFor: control.id }, label), control, told);
}

/** Several controls under one heading. */
export function set(label, controls, help = '') {
  return make('fieldset', { className: 'studio-field' }, make('legend', {}, label), ...controls, help && make('small', { className: 'help' }, help));
}

export function text(panel, { key, label, value, write, help, type = 'text', rows = 0, code = false, choices = [], ...more }) {
  const control = make(rows ? 'textarea' : 'input', { value: value ?? '', 'data-key': key, className: code ? 'studio-code' : '', spellcheck: !code, ...(rows ? { rows } : { type }), ...more });
  panel.typing.watch(control, write);
  if (!choices.length) return field(label, control, help);
  const list = make('datalist', { id: `studio-list-${(serial += 1)}` }, ...choices.map((one) => new Option(one, one)));
  control.setAttribute('list', list.id);
  const whole = field(label, control, help);
  whole.append(list);
  return whole;
}

function options(choices, value, empty) {
  const known = choices.some(({ code }) => code === value);
  const groups = new Map();
  for (const choice of choices) groups.set(choice.group ?? '', [...(groups.get(choice.group ?? '') ?? []), choice]);
  const made = [...groups].flatMap(([group, members]) => {
    const each = members.map(({ code, name }) => new Option(name, code, false, code === value));
    return group ? [make('optgroup', { label: group }, ...each)] : each;
  });
  const before = empty === undefined ? [] : [new Option(empty, '', false, !value)];
  return [...before, ...made, ...(known || !value ? [] : [new Option(value, value, false, true)])];
}

export function select({ key, choices, value, write, empty, ...more }) {
  const control = make('select', { className: 'form-select', 'data-key': key, ...more }, ...options(choices, value, empty));
  control.addEventListener('change', () => write(control.value));
  return control;
}

export const choice = ({ label, help, ...more }) => field(label, select(more), help);

export function tick({ key, label, value, write, help }) {
  const box = make('input', { type: 'checkbox', checked: value, 'data-key': key });
  box.addEventListener('change', () => write(box.checked));
  return make('label', { className: 'check' }, box, make('span', {}, label, help ? make('small', { className: 'help' }, help) : ''));
}

/** Several of a list, as ticks; the order is that of the list. */
export function ticks({ key, label, choices, values, write, help }) {
  const all = [...choices, ...values.filter((value) => !choices.some(({ code }) => code === value)).map((code) => ({ code, name: code }))];
  const boxes = all.map(({ code, name }) => tick({ key: `${key}-${code}`, label: name, value: values.includes(code), write: (on) => write(all.map((one) => one.code).filter((one) => (one === code ? on : values.includes(one)))) }));
  return set(label, boxes, help);
}

/** Several of a long list: those chosen, each with a button to take it away, and a choice to add one. The order is kept. */
export function several({ key, label, choices, values, write, help, add }) {
  const nameOf = (code) => choices.find((one) => one.code === code)?.name ?? code;
  const chips = values.map((code) => {
    const away = make('button', { type: 'button', className: 'studio-chip', 'data-key': `${key}-${code}`, 'aria-label': say('takeAway', { name: nameOf(code) }) }, nameOf(code), icon('x'));
    away.addEventListener('click', () => write(values.filter((one) => one !== code)));
    return away;
  });
  const more = select({ key, choices: choices.filter(({ code }) => !values.includes(code)), value: '', empty: add, write: (code) => code && write([...values, code]), 'aria-label': add });
  return set(label, [make('div', { className: 'studio-chips' }, ...chips), more], help);
}

export function button(sign, words, act, key = '') {
  const one = make('button', { type: 'button', className: 'btn btn-sm', 'data-key': key }, icon(sign), words);
  one.addEventListener('click', act);
  return one;
}

/** A folding part for those who know more. */
export function fold(key, title, ...content) {
  return make('details', { className: 'studio-fold', 'data-fold': key }, make('summary', {}, title), ...content);
}

export function group(key, title, ...content) {
  const shown = content.flat().filter(Boolean);
  return shown.length ? make('section', { className: 'studio-group', 'data-group': key }, make('h3', {}, title), ...shown) : '';
}

export const hint = (words) => make('p', { className: 'help' }, words);

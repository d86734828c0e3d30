// Builds a condition from rows of field – operator – value; an expression that is more than that is edited as text.
import { all, announce, make } from '../page.js';
import { readCondition, writeCondition } from './forms-conditions.js';
import { severalOf, widgetOf } from './forms-kinds.js';
import { button, check, entry, labelled, redraw, select } from './forms-parts.js';
import { say } from './forms-words.js';

const OPS = {
  flag: ['yes', 'no'],
  number: ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'filled', 'empty'],
  several: ['has', 'filled', 'empty'],
  known: ['filled', 'empty'],
  one: ['eq', 'ne', 'in', 'filled', 'empty'],
};
const WITHOUT_VALUE = ['yes', 'no', 'filled', 'empty'];

function sortOf(schema) {
  if (schema.type === 'boolean') return 'flag';
  if (['person', 'location'].includes(widgetOf(schema))) return 'known';
  if (severalOf(schema)) return 'several';
  return widgetOf(schema) === 'number' ? 'number' : 'one';
}

const firstValue = (data, op) => {
  if (WITHOUT_VALUE.includes(op)) return null;
  const value = data.options[0]?.value ?? (sortOf(data.schema) === 'number' ? 0 : '');
  return op === 'in' ? [value] : value;
};

function rowOn(data) {
  const [op] = OPS[sortOf(data.schema)];
  return { name: data.name, op, value: firstValue(data, op) };
}

const SPARE = (name) => ({ name, title: name, schema: { type: 'string' }, options: [], here: false, form: '' });

/** The simplest condition that there is something to choose from; '' where no field is there to look at. */
export function firstCondition(known) {
  const [first] = [...known.values()].filter((data) => data.here).concat([...known.values()]);
  return first ? writeCondition({ joint: 'and', rows: [rowOn(first)] }) : '';
}

export class Condition {
  /** `known`: the data there is, by name; `tell` is given every change. */
  constructor({ title, text, known, key, readOnly, tell }) {
    Object.assign(this, { title, text, known, key, readOnly, tell });
    this.read = readCondition(text);
    this.raw = !this.read;
    this.box = make('fieldset', { className: 'fd-condition' });
    this.draw();
  }

  change() {
    this.text = writeCondition(this.read);
    this.tell(this.text);
  }

  draw() {
    redraw(this.box, [make('legend', {}, this.title), ...(this.raw ? this.expression() : this.rows())], this.readOnly);
  }

  /** After the rows themselves have changed. */
  redo() {
    this.change();
    this.draw();
  }

  expression() {
    const input = entry({ type: 'textarea', rows: 2, value: this.text, key: `${this.key}-text`, onInput: (text) => {
      this.text = text;
      this.read = readCondition(text);
      this.tell(text);
    } });
    const rows = button(say('conditionRows'), () => {
      if (!this.read) return announce(say('conditionMore'));
      this.raw = false;
      this.draw();
    }, { className: 'btn', 'data-key': `${this.key}-rows`, 'data-edits': '', disabled: !this.read });
    input.addEventListener('input', () => { rows.disabled = !this.read; });
    return [labelled(say('conditionText'), input, this.read || !this.text ? say('conditionTextHelp') : say('conditionMore')), rows];
  }

  rows() {
    const { joint, rows } = this.read;
    const both = select({ value: joint, key: `${this.key}-joint`, options: [['and', say('conditionAll')], ['or', say('conditionAny')]], onChange: (value) => { this.read.joint = value; this.change(); } });
    const add = button(say('conditionAdd'), () => { rows.push(rowOn(this.known.get(rows.at(-1).name) ?? SPARE(rows.at(-1).name))); this.redo(); }, { className: 'btn', 'data-edits': '', 'data-key': `${this.key}-add` });
    const raw = button(say('conditionRaw'), () => { this.raw = true; this.draw(); }, { className: 'btn btn-quiet', 'data-edits': '', 'data-key': `${this.key}-raw` });
    return [
      ...(rows.length > 1 ? [labelled(say('conditionJoint'), both)] : []),
      make('ol', { className: 'fd-rows' }, ...rows.map((row, number) => this.row(row, number))),
      make('div', { className: 'fd-row-actions' }, add, raw),
    ];
  }

  row(row, number) {
    const data = this.known.get(row.name) ?? SPARE(row.name);
    const key = `${this.key}-${number}`;
    const groups = [true, false].map((here) => ({ label: say(here ? 'conditionThis' : 'conditionElse'), options: this.choices(row.name).filter((one) => one.here === here).map((one) => [one.name, one.here || !one.form ? one.title : say('conditionFrom', { title: one.title, form: one.form })]) }));
    const field = select({ value: row.name, key: `${key}-field`, 'aria-label': say('conditionField'), options: groups.filter(({ options }) => options.length), onChange: (name) => {
      Object.assign(row, rowOn(this.known.get(name) ?? SPARE(name)));
      this.redo();
    } });
    const ops = OPS[sortOf(data.schema)];
    const op = select({ value: row.op, key: `${key}-op`, 'aria-label': say('conditionOp'), options: (ops.includes(row.op) ? ops : [row.op, ...ops]).map((one) => [one, say(`op_${one}`)]), onChange: (value) => {
      Object.assign(row, { op: value, value: this.kept(row, value, data) });
      this.redo();
    } });
    const remove = button('×', () => { this.read.rows.splice(number, 1); this.redo(); }, { className: 'btn btn-icon', 'aria-label': say('conditionRemove'), title: say('conditionRemove'), 'data-edits': '', 'data-key': `${key}-remove`, disabled: this.read.rows.length < 2 });
    return make('li', { className: 'fd-row' }, field, op, ...this.value(row, data, key), remove);
  }

  /** The data that may be looked at; a name that no form knows stays where it is used. */
  choices(name) {
    return this.known.has(name) ? [...this.known.values()] : [...this.known.values(), SPARE(name)];
  }

  /** The value, as far as another operator takes it. */
  kept({ op, value }, next, data) {
    if (WITHOUT_VALUE.includes(next) || WITHOUT_VALUE.includes(op)) return firstValue(data, next);
    if (next === 'in') return [value].flat();
    return Array.isArray(value) ? value[0] : value;
  }

  value(row, data, key) {
    if (WITHOUT_VALUE.includes(row.op)) return [];
    const set = (value) => { row.value = value; this.change(); };
    if (data.options.length && row.op === 'in') return [this.several(row, data, key, set)];
    if (data.options.length) return [this.one(row, data, key, set)];
    const number = sortOf(data.schema) === 'number';
    if (row.op === 'in') {
      const split = (text) => set(text.split(/[,，、]/).map((one) => one.trim()).filter(Boolean).map((one) => (number ? Number(one) : one)));
      return [entry({ value: row.value.join('，'), key: `${key}-value`, 'aria-label': say('conditionValue'), placeholder: say('valuesHelp'), onInput: split })];
    }
    return [entry({ value: String(row.value), type: number ? 'number' : 'text', ...(number && { step: 'any' }), key: `${key}-value`, 'aria-label': say('conditionValue'), onInput: (text) => set(number ? Number(text) : text) })];
  }

  one(row, data, key, set) {
    const listed = data.options.some(({ value }) => String(value) === String(row.value)) ? data.options : [{ value: row.value, title: String(row.value) }, ...data.options];
    return select({ value: row.value, key: `${key}-value`, 'aria-label': say('conditionValue'), options: listed.map(({ value, title }) => [value, title || String(value)]), onChange: (text) => set(listed.find(({ value }) => String(value) === text).value) });
  }

  several(row, data, key, set) {
    const box = make('div', { className: 'fd-values', role: 'group', 'aria-label': say('conditionValue') });
    const chosen = () => data.options.filter((_, number) => all(box, 'input')[number].checked).map(({ value }) => value);
    box.append(...data.options.map(({ value, title }, number) => check(title || String(value), row.value.includes(value), () => chosen().length && set(chosen()), `${key}-value-${number}`)));
    return box;
  }
}

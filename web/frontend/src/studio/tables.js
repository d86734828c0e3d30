// The part of the studio that edits decision tables: the list, and one table with its check and its trial.
import { make } from '../page.js';
import { fresh, freshName, slug } from './forms-files.js';
import { ask, button, entry, labelled, redraw, select } from './forms-parts.js';
import { asked } from './forms-preview.js';
import { knownData } from './forms-uses.js';
import { say as sayOfForms } from './forms-words.js';
import { say } from './tables-words.js';

const PATTERN = /^tables\/([^/]+)\.dmn$/;
const SPACE = 'https://www.omg.org/spec/DMN/20191111/MODEL/';
const PAUSE = 400;
const pathOf = (key) => `tables/${key}.dmn`;
const parsed = (text) => new DOMParser().parseFromString(text ?? '', 'application/xml');

function tablesOf(draft) {
  return draft.paths().filter((path) => PATTERN.test(path)).map((path) => {
    const key = path.match(PATTERN)[1];
    return { path, key, title: parsed(draft.get(path)).getElementsByTagName('decision')[0]?.getAttribute('name') || key };
  });
}

function stepsWith(draft, key) {
  const every = [...parsed(draft.get('process.bpmn')).getElementsByTagName('*')];
  return every.filter((element) => [...element.attributes].some(({ localName, value }) => localName === 'decision' && value === key)).map((step) => step.getAttribute('name') || step.id);
}

function blank(draft, key, title, { name, title: label }) {
  const document = parsed(`<definitions xmlns="${SPACE}" id="${key}_definitions" namespace="urn:wuzhang:tables"><decision id="${key}"><decisionTable id="${key}_table" hitPolicy="FIRST"><input id="${key}_in_1"><inputExpression id="${key}_expr_1"><text/></inputExpression></input><output id="${key}_out_1"/></decisionTable></decision></definitions>`);
  const one = (tag) => document.getElementsByTagName(tag)[0];
  for (const tag of ['definitions', 'decision']) one(tag).setAttribute('name', title);
  one('input').setAttribute('label', label);
  one('text').textContent = name;
  one('output').setAttribute('label', say('result'));
  one('output').setAttribute('name', freshName(draft, `${key}_result`.replace(/\W/g, '_')));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(document)}\n`;
}

let library = null;

/** Loads the sheet's own script and styles, once and when the first table is opened. */
function sheets(root) {
  const { tablesScript = '/static/dist/studio-tables.js', tablesStyle = '/static/dist/studio-tables.css' } = root.dataset;
  const arrived = (element) => new Promise((resolve, reject) => {
    element.addEventListener('load', resolve);
    element.addEventListener('error', () => reject(new Error(element.src ?? element.href)));
    document.head.append(element);
  });
  library ??= Promise.all([arrived(make('script', { src: tablesScript })), arrived(make('link', { rel: 'stylesheet', href: tablesStyle }))]);
  return library.catch((problem) => { library = null; throw problem; });
}

/** What was typed for a value: nothing; text where a form asks for text, as codes may be all digits; else a number, yes or no, or text. */
function meant(text, schema) {
  const typed = text.trim();
  if (typed === '') return null;
  return schema?.type !== 'string' && /^(-?(0|[1-9]\d*)(\.\d+)?|true|false)$/.test(typed) ? JSON.parse(typed) : typed;
}

const choicesOf = (schema, options) => (schema?.type === 'boolean' ? [true, false].map((value) => ({ value, title: say(String(value)) })) : options);

class TableView {
  constructor(box, draft, path, leave) {
    Object.assign(this, { draft, path, values: {}, text: draft.get(path) });
    this.url = box.closest('[data-table-url]')?.dataset.tableUrl ?? '';
    this.sheet = make('div', { className: 'td-sheet' }, make('p', {}, say('tableOpening')));
    this.check = make('section', { className: 'card', 'aria-live': 'polite' });
    this.fields = make('div', { className: 'td-values' });
    this.answer = make('p', { role: 'status' });
    const trial = make('form', { className: 'card' }, make('h3', {}, say('trial')), make('p', { className: 'help' }, say('trialHelp')), this.fields, make('button', { className: 'btn' }, say('trial')), this.answer);
    trial.addEventListener('submit', (event) => { event.preventDefault(); this.try(); });
    const { title } = tablesOf(draft).find((one) => one.path === path);
    box.replaceChildren(button(say('tableBack'), leave, { className: 'btn btn-quiet', 'data-key': 'back' }), make('h2', {}, title), make('p', { className: 'help' }, say('cells')), this.sheet, make('div', { className: 'td-below' }, this.check, trial));
    this.show(box.closest('[data-studio]') ?? box);
    this.judge();
  }

  async show(root) {
    try {
      await sheets(root);
      this.sheet.replaceChildren();
      this.open = await globalThis.wuzhangTables.open(this.sheet, this.text, this.draft.readOnly, () => this.typed());
    } catch (problem) {
      this.sheet.replaceChildren(make('p', { className: 'notice notice-warning', role: 'alert' }, say('tableFailed', { reason: problem.message })));
    }
  }

  async typed() {
    this.text = await this.open.text();
    this.draft.set(this.path, this.text);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.judge(), PAUSE);
  }

  async ask(body) {
    try {
      return await (await asked(this.url, { table: this.text, ...body })).json();
    } catch {
      return { error: say('checkFailed') };
    }
  }

  async judge() {
    const told = await this.ask({});
    this.check.replaceChildren(make('h3', {}, say('check')), ...this.findings(told));
    if (told.names) this.offer(told.names);
  }

  findings(told) {
    if (told.error) return [make('p', { className: 'error' }, told.error)];
    const where = (found) => found.where.map(([label, cell]) => label + say('colon') + cell).join(say('semicolon')) || say('checkAlways');
    const lines = [
      ...told.overlaps.map((found) => say('checkOverlap', { one: found.rules[0], other: found.rules[1], where: where(found) })),
      ...told.gaps.map((found) => say('checkGap', { where: where(found) })),
      ...(told.unclear.length ? [say('checkUnclear', { columns: told.unclear.join(say('and')) })] : []),
      ...(told.too_large ? [say('checkLarge')] : []),
    ];
    return lines.length ? [make('ul', {}, ...lines.map((line) => make('li', {}, line)))] : [make('p', {}, say('checkFine'))];
  }

  /** A field for each data that the table reads. */
  offer(names) {
    const known = knownData(this.draft, '', { properties: {} });
    const field = (name) => {
      const { title = name, schema, ...data } = known.get(name) ?? {};
      const options = choicesOf(schema, data.options ?? []);
      const set = (value) => { this.values[name] = value; };
      const listed = [['', ''], ...options.map(({ value, title: words }) => [value, words])];
      const control = options.length ? select({ value: this.values[name] ?? '', options: listed, key: `value-${name}`, onChange: (text) => set(options.find(({ value }) => String(value) === text)?.value ?? null) })
        : entry({ value: this.values[name] ?? '', key: `value-${name}`, onInput: (text) => set(meant(text, schema)) });
      delete control.dataset.edits;
      return labelled(title, control);
    };
    redraw(this.fields, names.map(field), false);
  }

  async try() {
    const names = [...this.fields.querySelectorAll('[data-key]')].map((control) => control.dataset.key.slice('value-'.length));
    const told = await this.ask({ values: Object.fromEntries(names.map((name) => [name, this.values[name] ?? null])) });
    const result = JSON.stringify(told.result, null, 1);
    this.answer.textContent = told.error ?? (told.rules.length ? say('trialHit', { rules: told.rules.join(say('and')), result }) : say('trialNone', { result }));
  }

  close() {
    clearTimeout(this.timer);
    this.open?.close();
  }
}

class Tables {
  constructor(box, draft) {
    Object.assign(this, { box, draft });
    draft.addEventListener('changed', ({ detail }) => this.follow(detail.path));
    draft.addEventListener('replaced', () => (this.view ? this.follow(this.view.path) : this.draw()));
    draft.addEventListener('held', () => (this.view ? this.open(this.view.path) : this.draw()));
    this.leave();
  }

  /** What was typed here is already shown; what others changed is opened again. */
  follow(path) {
    if (!this.view) return this.draw();
    if (path !== this.view.path || this.draft.get(path) === this.view.text) return;
    if (this.draft.get(path) === undefined) this.leave();
    else this.open(path);
  }

  leave(key = '') {
    this.view?.close();
    this.view = null;
    this.list = make('div', { className: 'fd-list' });
    this.box.replaceChildren(this.list);
    this.draw();
    this.list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  open(path) {
    this.view?.close();
    this.view = new TableView(this.box, this.draft, path, () => this.leave(`open-${path}`));
    this.box.querySelector('[data-key="back"]').focus();
  }

  draw() {
    const rows = tablesOf(this.draft);
    redraw(this.list, [
      make('h2', {}, say('tables')), make('p', { className: 'muted' }, say('tablesHelp')), this.creating(),
      rows.length ? make('ul', { className: 'fd-forms' }, ...rows.map((row) => this.row(row))) : make('p', { className: 'muted' }, say('tablesNone')),
    ], this.draft.readOnly);
  }

  creating() {
    const known = [...knownData(this.draft, '', { properties: {} }).values()];
    const title = entry({ value: '', maxLength: 60, key: 'new', onInput: () => { error.hidden = true; } });
    const first = select({ value: known[0]?.name ?? '', key: 'new-first', options: known.map((data) => [data.name, data.title]), onChange: () => {} });
    const error = make('p', { className: 'error', role: 'alert', hidden: true }, say('tableNeeded'));
    const form = make('form', { className: 'td-new', noValidate: true }, labelled(say('tableTitle'), title), labelled(say('tableFirst'), first), make('button', { className: 'btn btn-primary', 'data-edits': '' }, say('tableNew')), error);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = title.value.trim();
      error.hidden = Boolean(name);
      if (!name) return title.focus();
      const key = fresh(slug(name, 'table'), (one) => this.draft.get(pathOf(one)) !== undefined);
      this.draft.set(pathOf(key), blank(this.draft, key, name, known.find((data) => data.name === first.value) ?? { name: 'data', title: 'data' }));
      this.open(pathOf(key));
    });
    return form;
  }

  row({ path, key, title }) {
    const steps = stepsWith(this.draft, key);
    const remove = button(say('tableDelete'), () => this.remove(path, title, steps), { className: 'btn', 'data-edits': '', 'data-key': `delete-${path}`, 'aria-label': say('tableDeleteOf', { title }) });
    const facts = steps.length ? say('tableUsedBy', { steps: steps.join(say('and')) }) : say('tableUnused');
    return make('li', {}, make('div', { className: 'fd-form' }, button(title, () => this.open(path), { className: 'fd-open', 'data-key': `open-${path}` }), make('small', { className: 'muted' }, facts)), remove);
  }

  async remove(path, title, steps) {
    if (steps.length) return ask({ title: say('tableDeleteUsed', { title, steps: steps.map((name) => say('quoted', { name })).join(say('and')) }) });
    if (await ask({ title: say('tableDeleteAsk', { title }), confirm: sayOfForms('remove') })) this.draft.remove(path);
  }

  select(key) {
    if (this.draft.get(pathOf(key)) === undefined) return false;
    this.open(pathOf(key));
    return true;
  }
}

/** Shows the decision tables of the draft in `box` and keeps them current. */
export function mount(box, draft) {
  const tables = new Tables(box, draft);
  return { select: (key) => tables.select(key) };
}

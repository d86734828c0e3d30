// The part of the studio about scenarios: the list of them with what came of each, one as text, and the recording of a new one.
import { announce, icon, make } from '../page.js';
import { ask, button, entry, labelled, redraw } from './forms-parts.js';
import { alarm, filesOf, question } from './scenarios-parts.js';
import { Recorder } from './scenarios-record.js';
import { say } from './scenarios-words.js';

const PATTERN = /^scenarios\/(.+)\.yaml$/;

const titleIn = (text, path) => text.match(/^name: *(?:'([^']+)'|"([^"]+)"|(.+))$/m)?.slice(1).find(Boolean) ?? path.match(PATTERN)[1];

class Scenarios {
  constructor(box, draft) {
    Object.assign(this, { box, draft, results: new Map(), errors: {}, busy: false });
    this.url = box.closest('[data-play-url]')?.dataset.playUrl ?? '';
    this.list = make('div', { className: 'fd-list' });
    draft.addEventListener('changed', () => this.outdated());
    draft.addEventListener('replaced', () => this.outdated());
    draft.addEventListener('held', () => this.draw());
    this.home();
  }

  /** Whatever came of the scenarios is no longer known once a file has changed. */
  outdated() {
    this.results.clear();
    this.draw();
  }

  home(key = '') {
    this.box.replaceChildren(this.list);
    this.draw();
    this.list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  async play() {
    if (this.busy) return;
    this.busy = true;
    this.draw();
    const told = await question(this.url, { files: await filesOf(this.draft) });
    this.busy = false;
    this.errors = told.errors ?? {};
    this.results = new Map((told.scenarios ?? []).map((one) => [one.path, one]));
    this.draw();
    announce(told.errors ? Object.values(told.errors).join(' ') : this.summary());
  }

  summary() {
    const all = [...this.results.values()];
    return say('played', { total: all.length, passed: all.filter(({ passed }) => passed).length });
  }

  draw() {
    const rows = this.draft.paths().filter((path) => PATTERN.test(path)).map((path) => this.row(path));
    redraw(this.list, [
      make('h2', {}, say('scenarios')),
      make('p', { className: 'muted' }, say('scenariosHelp')),
      make('div', { className: 'sc-actions' },
        button(say('record'), () => this.record(), { className: 'btn btn-primary', 'data-edits': '', 'data-key': 'record' }),
        button(this.busy ? say('playing') : say('playAll'), () => this.play(), { disabled: !rows.length, 'aria-disabled': String(this.busy), 'data-key': 'play' })),
      alarm(this.errors),
      make('p', { role: 'status' }, this.results.size ? this.summary() : ''),
      rows.length ? make('ul', { className: 'fd-forms' }, ...rows) : make('p', { className: 'muted' }, say('scenariosNone')),
    ], this.draft.readOnly);
  }

  row(path) {
    const name = titleIn(this.draft.get(path), path);
    const result = this.results.get(path);
    const edit = button(say('asText'), () => this.edit(path, name), { className: 'btn', 'data-edits': '', 'data-key': `edit-${path}`, 'aria-label': say('asTextOf', { name }) });
    const remove = button(say('remove'), () => this.remove(path, name), { className: 'btn', 'data-edits': '', 'data-key': `remove-${path}`, 'aria-label': say('removeOf', { name }) });
    return make('li', { 'data-path': path },
      make('div', { className: 'fd-form' }, make('strong', {}, name), ' ', this.sign(result), ...(result?.failures.length ? [make('ul', { className: 'sc-errors' }, ...result.failures.map((one) => make('li', {}, say(one.step ? 'failureStep' : 'failureStart', one))))] : [])),
      make('div', { className: 'fd-form-actions' }, edit, remove));
  }

  sign(result) {
    if (!result) return make('span', { className: 'light light-none' }, say('notPlayed'));
    return make('span', { className: result.passed ? 'light light-green' : 'light light-red' }, icon(result.passed ? 'circle-check' : 'alert-circle'), say(result.passed ? 'passed' : 'failed'));
  }

  record() {
    new Recorder(this.box, this.draft, (path) => {
      this.home(path ? 'play' : 'record');
      if (path) this.play();
    });
  }

  async remove(path, name) {
    if (!(await ask({ title: say('removeAsk', { name }), help: say('removeHelp'), confirm: say('remove') }))) return;
    this.draft.remove(path);
    this.list.querySelector('[data-key="record"]')?.focus();
  }

  edit(path, name) {
    const text = entry({ type: 'textarea', value: this.draft.get(path), rows: 24, spellcheck: false, className: 'studio-code', key: 'text', onInput: () => {} });
    const errors = make('div', {});
    const save = button(say('textSave'), () => this.keep(path, text, errors), { className: 'btn btn-primary', 'data-edits': '' });
    this.box.replaceChildren(make('div', { className: 'sc-text' }, button(say('back'), () => this.home(`edit-${path}`), { className: 'btn btn-quiet' }), make('h2', {}, name), labelled(say('text'), text, say('textHelp')), errors, make('div', { className: 'sc-actions' }, save)));
    text.focus();
  }

  /** Keeps the text unless it is no scenario; one that fails is kept, to be mended later. */
  async keep(path, { value }, errors) {
    const told = await question(this.url, { files: { ...(await filesOf(this.draft)), [path]: value } });
    if (told.errors) return errors.replaceChildren(alarm(told.errors));
    this.draft.set(path, value);
    this.results = new Map(told.scenarios.map((one) => [one.path, one]));
    this.home(`edit-${path}`);
    announce(this.summary());
  }
}

/** Shows the scenarios of the draft in `box` and keeps them current. */
export function mount(box, draft) {
  new Scenarios(box, draft);
  return { select: () => false };
}

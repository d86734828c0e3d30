// Recording a scenario: what is clicked is played at once, by the server, with all that was clicked before.
import { announce, focusOn, make } from '../page.js';
import { ask, button, entry, labelled, redraw, select } from './forms-parts.js';
import { pathOf, readForm } from './forms-files.js';
import { Preview } from './forms-preview.js';
import { alarm, beijing, filesOf, nameField, question, spelled, Values } from './scenarios-parts.js';
import { say } from './scenarios-words.js';

const section = (title, ...children) => make('section', {}, make('h3', {}, title), ...children);

export class Recorder {
  /** `leave(path)` goes back to the list, with the path of what was recorded if it is kept. */
  constructor(box, draft, leave) {
    Object.assign(this, { draft, leave, here: null, task: null, errors: {}, typed: {} });
    const urls = box.closest('[data-dry-run-url]').dataset;
    Object.assign(this, { dryRun: urls.dryRunUrl, file: urls.scenarioUrl, preview: urls.previewUrl });
    this.way = make('div', { className: 'fd-editor' });
    this.desk = make('section', { className: 'sc-desk' });
    box.replaceChildren(make('div', { className: 'fd-desk' }, this.way, this.desk));
    this.begin();
  }

  async begin() {
    const told = await this.ask({});
    this.starts = told?.starts ?? [];
    this.chosen = this.starts[0];
    this.at = told?.at ?? '';
    this.draw();
    focusOn(this.way.querySelector('h2'));
  }

  /** One question at a time: a second click while the first is under way is none. */
  async ask(body, url = this.dryRun) {
    if (this.busy) return null;
    this.busy = true;
    const told = await question(url, { files: await filesOf(this.draft), ...body });
    this.busy = false;
    this.errors = told.errors ?? (told.refused ? { '': told.refused } : {});
    return told.errors ? null : told;
  }

  async act(act, record = this.here?.record) {
    const told = await this.ask({ act, ...(record ? { record } : {}) });
    const stays = told?.refused && told.record.steps.length === this.here?.record.steps.length;
    if (!told || stays) return this.warn();
    this.here = told;
    this.task = told.open.length === 1 ? told.open[0] : null;
    this.draw();
  }

  /** Says why not; what was typed stays where it is. */
  warn() {
    const told = alarm(this.errors);
    this.way.querySelector('.notice-danger[role="alert"]').replaceWith(told);
    if (!told.hidden) focusOn(told);
  }

  /** Plays again what is left after something was taken away. */
  again(record) {
    return this.act(undefined, record);
  }

  // ---- what is drawn ------------------------------------------------------------------------------------------

  draw() {
    redraw(this.way, [
      button(say('back'), () => this.giveUp(), { className: 'btn btn-quiet', 'data-key': 'back' }),
      make('h2', {}, say('recording')),
      alarm(this.errors),
      ...(this.here ? this.standing() : [this.starting()]),
    ], false);
    if (this.here) this.showTask();
    else this.showStart();
  }

  starting() {
    const at = entry({ type: 'datetime-local', value: this.at, key: 'at', onInput: (value) => { this.at = value; } });
    const options = this.starts.map(({ element, name }) => [element, name]);
    const which = select({ value: this.chosen?.element, options, key: 'start', onChange: (element) => { this.chosen = this.starts.find((one) => one.element === element); this.draw(); } });
    return section(say('startTitle'), ...(this.starts.length > 1 ? [labelled(say('startWhich'), which)] : []), labelled(say('startAt'), at), ...(this.chosen?.form ? this.startingByForm() : this.startingPlainly()));
  }

  /** With data that are typed by name. */
  startingPlainly() {
    const data = this.startData('startData');
    const begin = button(say('start'), () => this.go(data), { className: 'btn btn-primary', disabled: !this.chosen, 'data-key': 'begin' });
    return [data.box, make('div', { className: 'sc-actions' }, begin)];
  }

  /** With the form that is filled in at the start; its button begins. */
  startingByForm() {
    this.beside = this.startData('startBeside');
    return [make('p', { className: 'help' }, say('startByForm')), make('details', { className: 'fd-more' }, make('summary', {}, say('startBeside')), this.beside.box)];
  }

  startData(title) {
    const { element, example } = this.chosen ?? {};
    return new Values(say(title), this.typed[element] ?? example, say('startDataHelp'));
  }

  go({ written }, filled) {
    this.typed = { [this.chosen.element]: written };
    this.filled = filled;
    return this.act({ kind: 'start', element: this.chosen.element, at: this.at, written, ...(filled && { filled }) });
  }

  standing() {
    const { asked, incidents } = this.here;
    const unanswered = asked.find(({ answers }) => !answers.length);
    return [
      this.behind(),
      ...(unanswered ? [this.asking(unanswered)] : []),
      ...(incidents.length ? [this.stuck()] : []),
      ...(this.here.finished ? [] : [this.tasks(), ...this.events()]),
      ...this.answers(asked.filter(({ answers }) => answers.length)),
      this.known(),
      this.finishing(),
    ];
  }

  behind() {
    const { record, way, at, finished, ended } = this.here;
    const began = say('began', { time: record.start.at ? beijing(record.start.at) : '' });
    const stands = finished ? (ended.length ? say('ended', { ends: ended.join(say('listComma')) }) : say('endedPlainly')) : say('now', { time: beijing(at) });
    const undo = button(say('undo'), () => (way.length ? this.again({ ...record, steps: record.steps.slice(0, -1) }) : this.restart()), { className: 'btn', 'data-key': 'undo' });
    return section(say('way'), make('ol', { className: 'sc-way', start: 0 }, ...[began, ...way].map((said) => make('li', {}, said))), make('p', { role: 'status' }, make('strong', {}, stands)), undo);
  }

  /** Back to the start, with what was typed there. */
  restart() {
    this.here = null;
    this.task = null;
    this.draw();
  }

  asking({ name, label, example }) {
    const values = new Values(say('question', { label }), example, say('questionHelp'));
    return section(say('questions'), values.box, button(say('answer'), () => this.act({ kind: 'answer', name, written: values.written }), { className: 'btn btn-primary', 'data-key': 'answer' }));
  }

  answers(asked) {
    const row = ({ name, label, answers }) => make('li', {}, say('answered', { label, values: answers.map((one) => spelled(one) || say('answerNone')).join(' / ') }), ' ',
      button(say('answerAgain', { label }), () => this.forget(name), { className: 'btn btn-sm', 'data-key': `again-${name}` }));
    return asked.length ? [section(say('questions'), make('ul', { className: 'sc-answers' }, ...asked.map(row)))] : [];
  }

  forget(name) {
    const { [name]: _gone, ...facts } = this.here.record.facts;
    return this.again({ ...this.here.record, facts });
  }

  stuck() {
    const values = new Values(say('dataAlong'));
    return section(say('incidents'),
      make('ul', { className: 'sc-errors notice notice-danger' }, ...this.here.incidents.map((one) => make('li', {}, say('incident', one)))),
      make('p', { className: 'help' }, say('incidentHelp')), values.box, button(say('mend'), () => this.act({ kind: 'mend', written: values.written }), { 'data-key': 'mend' }));
  }

  tasks() {
    const row = (task) => {
      const pick = button(say('openPick', task), () => { this.task = task; this.draw(); focusOn(this.desk.querySelector('h2')); }, { className: 'fd-open', 'data-key': task.key, 'aria-pressed': String(this.task?.key === task.key) });
      return make('li', {}, make('div', { className: 'fd-form' }, pick, make('small', { className: 'muted' }, [task.who, task.due && say('due', { time: beijing(task.due) }), task.then].filter(Boolean).join(' · '))));
    };
    const { open } = this.here;
    return section(say('open'), open.length ? make('ul', { className: 'fd-forms' }, ...open.map(row)) : make('p', { className: 'muted' }, say('openNone')));
  }

  events() {
    const timers = this.here.waiting.filter(({ due }) => due).sort((a, b) => a.due.localeCompare(b.due));
    const others = this.here.waiting.filter(({ due }) => !due);
    if (!this.here.waiting.length) return [];
    const until = ({ name, due }, place) => button(say('toTimer', { name, time: beijing(due) }), () => this.act({ kind: 'wait', until: due }), { 'data-key': `timer-${place}` });
    return [section(say('waiting'), make('div', { className: 'sc-events' }, ...timers.map(until), ...others.map((event) => this.event(event))))];
  }

  event({ kind, name, event }) {
    const values = new Values(say('dataAlong'));
    const send = button(say('messageSend'), () => this.act({ kind, name: event, written: values.written }), { 'data-key': `send-${kind}-${event}` });
    return make('details', { className: 'fd-more' }, make('summary', {}, say(kind, { name, event })), values.box, send);
  }

  known() {
    const rows = Object.entries(this.here.data).map(([name, value]) => make('li', {}, `${name} = ${value}`));
    return make('details', { className: 'fd-more' }, make('summary', {}, say('data')), make('ul', { className: 'sc-data' }, ...rows));
  }

  finishing() {
    const { input, box } = nameField(say('scenarioName'), 'name');
    return section(say('finish'), make('p', { className: 'help' }, say('finishHelp')), box, button(say('save'), () => this.keep(input.value), { className: 'btn btn-primary', 'data-key': 'save', 'data-edits': '', disabled: this.draft.readOnly }));
  }

  showStart() {
    const { chosen } = this;
    if (!chosen?.form) return this.desk.replaceChildren();
    const preview = new Preview(this.preview, { filled: this.filled, starting: true, pressed: (filled) => this.go(this.beside, filled) });
    this.desk.replaceChildren(make('h2', {}, chosen.name), preview.message, preview.stage);
    preview.show(readForm(this.draft, pathOf(chosen.form)));
  }

  /** The task at hand, with the form that whoever does it will see. */
  showTask() {
    const { task } = this;
    if (!task) return this.desk.replaceChildren();
    const done = (filled) => this.act({ kind: 'complete', key: task.key, filled });
    const title = make('h2', {}, say('form', task));
    if (!task.form) return this.desk.replaceChildren(title, make('p', { className: 'muted' }, task.who), button(say('complete'), () => done({}), { className: 'btn btn-primary', 'data-key': 'complete' }));
    const preview = new Preview(this.preview, { data: task.data, pressed: done });
    this.desk.replaceChildren(title, make('p', { className: 'muted' }, task.who), preview.message, preview.stage);
    preview.show(readForm(this.draft, pathOf(task.form)));
  }

  // ---- the end ------------------------------------------------------------------------------------------------

  async keep(name) {
    const told = await this.ask({ record: this.here.record, name }, this.file);
    if (!told) return this.warn();
    this.draft.set(told.path, told.text);
    announce(say('saved', { name }));
    this.leave(told.path);
  }

  async giveUp() {
    if (this.here && !(await ask({ title: say('leaveAsk'), help: say('leaveHelp'), confirm: say('leave') }))) return;
    this.leave();
  }
}

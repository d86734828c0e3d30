// One form: its name and opinion, its fields in their order, and beside them what it will look like.
import { announce, make } from '../page.js';
import { fieldSettings } from './forms-field.js';
import { freshName, isRequired, keyOf, moveField, put, putUi, readForm, removeField, setRequired, titleOf, writeForm } from './forms-files.js';
import { KINDS, kindOf } from './forms-kinds.js';
import { ask, button, entry, labelled, redraw, select } from './forms-parts.js';
import { Preview } from './forms-preview.js';
import { Condition, firstCondition } from './forms-rows.js';
import { comesBack, knownData, stepsWith, usesOf } from './forms-uses.js';
import { say } from './forms-words.js';

export class FormView {
  /** `leave` goes back to the list of forms. */
  constructor(box, draft, path, leave) {
    Object.assign(this, { draft, path, leave });
    this.form = readForm(draft, path);
    this.open = Object.keys(this.form.properties)[0];
    this.more = new Set();
    this.editor = make('div', { className: 'fd-editor' });
    this.preview = new Preview(box.closest('[data-preview-url]')?.dataset.previewUrl ?? '');
    box.replaceChildren(make('div', { className: 'fd-desk' }, this.editor, this.preview.box));
    this.redraw();
    this.preview.show(this.form);
  }

  /** Another part of the studio, or another person, has changed the file. */
  refresh() {
    const form = readForm(this.draft, this.path);
    if (!form || JSON.stringify(form) === JSON.stringify(this.form)) return Boolean(form);
    this.form = form;
    this.redraw();
    this.preview.show(form);
    return true;
  }

  /** What was typed goes into the draft; the head of the field that was changed says so. */
  changed(name = '') {
    writeForm(this.draft, this.path, this.form);
    this.preview.show(this.form);
    const head = name && this.editor.querySelector(`[data-head="${CSS.escape(name)}"]`);
    if (head) head.replaceChildren(...this.words(name));
  }

  redraw(focus = '') {
    redraw(this.editor, [this.head(), this.fields(), this.adding()], this.draft.readOnly);
    if (focus) this.editor.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  }

  head() {
    const { form } = this;
    const ui = form['x-ui'] ?? {};
    const now = ui.opinion === false ? 'None' : ui.opinion ? 'When' : 'Optional';
    const opinion = select({ value: now, key: 'opinion', options: ['Optional', 'None', 'When'].map((one) => [one, say(`opinion${one}`)]), onChange: (value) => {
      putUi(form, 'opinion', { None: false, When: firstCondition(this.known()) }[value]);
      this.changed();
      this.redraw();
    } });
    const when = now === 'When' ? [new Condition({ title: say('opinionWhenTitle'), text: ui.opinion, known: this.known(), key: 'opinion-when', readOnly: this.draft.readOnly, tell: (text) => { putUi(form, 'opinion', text); this.changed(); } }).box] : [];
    const steps = stepsWith(this.draft, keyOf(this.path));
    return make('section', { className: 'fd-head' },
      button(say('formBack'), this.leave, { className: 'btn btn-quiet', 'data-key': 'back' }),
      make('h2', {}, titleOf({ key: keyOf(this.path), form })),
      make('p', { className: 'muted' }, steps.length ? say('formUsedBy', { steps: steps.join(say('and')) }) : say('formUnused')),
      labelled(say('formTitle'), entry({ value: form.title ?? '', maxLength: 60, key: 'title', onInput: (text) => { put(form, 'title', text); this.changed(); } })),
      labelled(say('formHelp'), entry({ type: 'textarea', rows: 2, value: form.description ?? '', maxLength: 500, key: 'description', onInput: (text) => { put(form, 'description', text); this.changed(); } })),
      labelled(say('opinion'), opinion), ...when);
  }

  known() {
    return knownData(this.draft, this.path, this.form);
  }

  fields() {
    const names = Object.keys(this.form.properties);
    const list = make('ol', { className: 'fd-fields' }, ...names.map((name, place) => this.field(name, place, names)));
    return make('section', { 'aria-label': say('fields') }, make('h3', {}, say('fields')), ...(names.length ? [list] : [make('p', { className: 'muted' }, say('fieldsNone'))]));
  }

  field(name, place, names) {
    const opened = this.open === name;
    const title = this.form.properties[name].title || say('fieldUntitled');
    const act = (action, onClick, disabled = false) => button(say(action), onClick, { className: 'btn btn-sm', disabled, 'data-edits': '', 'data-key': `${action}-${name}`, 'aria-label': say('fieldOf', { action: say(action), title }) });
    const head = make('button', { type: 'button', className: 'fd-field-head', 'aria-expanded': String(opened), 'data-head': name, 'data-key': `head-${name}` }, ...this.words(name));
    head.addEventListener('click', () => { this.open = opened ? null : name; this.redraw(); });
    const item = make('li', { className: opened ? 'fd-field is-open' : 'fd-field' },
      make('div', { className: 'fd-field-bar' }, this.handle(name, title), head, act('fieldUp', () => this.move(name, place - 1, 'fieldUp'), place === 0), act('fieldDown', () => this.move(name, place + 1, 'fieldDown'), place === names.length - 1)));
    if (opened) item.append(make('div', { className: 'fd-field-body' }, ...fieldSettings(this, name), button(say('fieldRemove'), () => this.remove(name), { className: 'btn btn-danger', 'data-edits': '', 'data-key': `remove-${name}` })));
    this.receive(item, place);
    return item;
  }

  words(name) {
    const schema = this.form.properties[name];
    const ui = schema['x-ui'] ?? {};
    const tags = [say(`kind_${kindOf(schema).key}`)];
    if (isRequired(this.form, name)) tags.push(say('tagRequired'));
    else if (ui.required) tags.push(say('tagRequiredWhen'));
    if (ui.visible) tags.push(say('tagVisibleWhen'));
    return [make('span', { className: 'fd-field-title' }, schema.title || say('fieldUntitled')), make('span', { className: 'fd-tags' }, ...tags.map((tag) => make('span', { className: 'tag' }, tag)))];
  }

  /** Only the handle is dragged, so that texts in the settings can be marked with the mouse. */
  handle(name, title) {
    const handle = make('span', { className: 'fd-handle', draggable: !this.draft.readOnly, title: say('fieldDrag', { title }), 'aria-hidden': 'true' }, '⠿');
    handle.addEventListener('dragstart', (event) => {
      this.dragged = name;
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', title);
      event.dataTransfer.setDragImage(handle.closest('li'), 10, 20);
    });
    handle.addEventListener('dragend', () => { this.dragged = null; });
    return handle;
  }

  receive(item, place) {
    item.addEventListener('dragover', (event) => {
      if (!this.dragged) return;
      event.preventDefault();
      item.classList.add('is-over');
    });
    item.addEventListener('dragleave', () => item.classList.remove('is-over'));
    item.addEventListener('drop', (event) => {
      if (!this.dragged) return;
      event.preventDefault();
      this.move(this.dragged, place);
    });
  }

  move(name, place, by = '') {
    moveField(this.form, name, place);
    this.changed();
    this.redraw();
    const count = Object.keys(this.form.properties).length;
    announce(say('fieldMoved', { title: this.form.properties[name].title || say('fieldUntitled'), place: place + 1, count }));
    if (!by) return;
    const again = this.editor.querySelector(`[data-key="${CSS.escape(`${by}-${name}`)}"]`);
    (again?.disabled ? this.editor.querySelector(`[data-key="${CSS.escape(`head-${name}`)}"]`) : again)?.focus();
  }

  adding() {
    const hasOutcome = Object.values(this.form.properties).some((schema) => kindOf(schema).key === 'outcome');
    const one = ({ key, make: begin }) => button(say(`kind_${key}`), () => this.add(key, begin()), { className: 'btn', 'data-edits': '', 'data-key': `add-${key}`, disabled: key === 'outcome' && hasOutcome, title: key === 'outcome' && hasOutcome ? say('outcomeOnce') : '' });
    return make('section', { className: 'fd-adding' }, make('h3', {}, say('fieldAdd')), make('div', { className: 'fd-kinds' }, ...KINDS.map(one)));
  }

  add(key, schema) {
    const name = freshName(this.draft, key === 'outcome' ? `${keyOf(this.path).replace(/\W/g, '_')}_result` : 'field');
    const title = ['outcome', 'photos', 'attachments', 'signature'].includes(key) ? say(`kind_${key}`) : '';
    this.form.properties[name] = { type: schema.type, title, ...schema };
    if (key !== 'outcome' && comesBack(this.draft, keyOf(this.path))) putUi(this.form.properties[name], 'prefill', name);
    for (const [number, option] of (schema.oneOf ?? schema.items?.oneOf ?? []).entries()) option.title = say('optionAt', { number: number + 1 });
    if (key === 'outcome') setRequired(this.form, name, true);
    this.open = name;
    this.changed();
    this.redraw(`field-${name}-title`);
  }

  async remove(name) {
    const title = this.form.properties[name].title || say('fieldUntitled');
    const uses = usesOf(this.draft, this.path, name);
    const question = uses.length ? { title: say('fieldRemoveUsed', { title }), list: uses, help: say('fieldRemoveHelp'), confirm: say('confirmRemove') } : { title: say('fieldRemoveAsk', { title }), confirm: say('remove') };
    if (!(await ask(question))) return;
    const names = Object.keys(this.form.properties);
    const neighbour = names[names.indexOf(name) + 1] ?? names[names.indexOf(name) - 1];
    removeField(this.form, name);
    this.open = null;
    this.changed();
    this.redraw(neighbour ? `head-${neighbour}` : 'add-text');
  }
}

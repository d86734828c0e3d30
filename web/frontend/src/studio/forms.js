// The part of the studio that edits forms: the list of them, and one form at a time.
import { announce, make } from '../page.js';
import { copyForm, createForm, formsOf, keyOf, pathOf, readForm, titleOf } from './forms-files.js';
import { FormView } from './forms-form.js';
import { ask, button, entry, labelled, redraw } from './forms-parts.js';
import { stepsWith } from './forms-uses.js';
import { say } from './forms-words.js';

class Forms {
  constructor(box, draft) {
    this.draft = draft;
    this.box = box;
    this.list = make('div', { className: 'fd-list' });
    draft.addEventListener('changed', ({ detail }) => this.follow(detail.path));
    draft.addEventListener('replaced', () => this.follow(this.view?.path));
    draft.addEventListener('held', () => (this.view ? this.view.redraw() : this.draw()));
    this.leave();
  }

  /** Keeps up with what others do to the files; what was typed here is already shown. */
  follow(path) {
    if (!this.view) this.draw();
    else if (path === this.view.path && !this.view.refresh()) this.leave();
  }

  leave(key = '') {
    this.view = null;
    this.box.replaceChildren(this.list);
    this.draw();
    this.list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  open(path) {
    this.view = new FormView(this.box, this.draft, path, () => this.leave(`open-${keyOf(path)}`));
    this.box.querySelector('[data-key="back"]').focus();
  }

  draw() {
    const rows = formsOf(this.draft).sort((a, b) => titleOf(a).localeCompare(titleOf(b), 'zh'));
    redraw(this.list, [
      make('h2', {}, say('forms')),
      make('p', { className: 'muted' }, say('formsHelp')),
      this.creating(),
      rows.length ? make('ul', { className: 'fd-forms' }, ...rows.map((row) => this.row(row))) : make('p', { className: 'muted' }, say('formsNone')),
    ], this.draft.readOnly);
  }

  creating() {
    const input = entry({ value: '', maxLength: 60, key: 'new', onInput: () => { error.hidden = true; } });
    const error = make('p', { className: 'error', role: 'alert', hidden: true }, say('formTitleNeeded'));
    const form = make('form', { className: 'fd-new', noValidate: true }, labelled(say('formNewTitle'), input), make('button', { className: 'btn btn-primary', 'data-edits': '' }, say('formNew')), error);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const title = input.value.trim();
      error.hidden = Boolean(title);
      if (!title) return input.focus();
      this.open(createForm(this.draft, title));
    });
    return form;
  }

  row(one) {
    const title = titleOf(one);
    const steps = stepsWith(this.draft, one.key);
    const act = (word, onClick) => button(say(`form${word}`), onClick, { className: 'btn', 'data-edits': '', 'data-key': `${word}-${one.key}`, 'aria-label': say(`form${word}Of`, { title }) });
    const facts = one.form ? [say('formFields', { count: Object.keys(one.form.properties).length }), steps.length ? say('formUsedBy', { steps: steps.join(say('and')) }) : say('formUnused')] : [say('formBroken')];
    const name = one.form ? button(title, () => this.open(one.path), { className: 'fd-open', 'data-key': `open-${one.key}`, title: say('formOpen', { title }) }) : make('strong', {}, title);
    const actions = [...(one.form ? [act('Copy', () => this.open(copyForm(this.draft, one.path, say('formCopied', { title }))))] : []), act('Delete', () => this.remove(one.path, title, steps))];
    return make('li', {}, make('div', { className: 'fd-form' }, name, make('small', { className: 'muted' }, facts.join(' · '))), make('div', { className: 'fd-form-actions' }, ...actions));
  }

  async remove(path, title, steps) {
    if (steps.length) return ask({ title: say('formDeleteUsed', { title, steps: steps.map((name) => say('quoted', { name })).join(say('and')) }) });
    if (!(await ask({ title: say('formDeleteAsk', { title }), help: say('formDeleteHelp'), confirm: say('remove') }))) return;
    this.draft.remove(path);
    this.list.querySelector('[data-key="new"]')?.focus();
    announce(say('forms'));
  }

  /** Opens the form that a problem is about; whether there is one. */
  select(key) {
    if (!readForm(this.draft, pathOf(key))) return false;
    this.open(pathOf(key));
    return true;
  }
}

/** Shows the forms of the draft in `box` and keeps them current. */
export function mount(box, draft) {
  const forms = new Forms(box, draft);
  return { select: (key) => forms.select(key) };
}

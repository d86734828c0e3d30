// The settings of one field of a form.
import { make } from '../page.js';
import { isRequired, put, putUi, setRequired } from './forms-files.js';
import { becomeKind, holderOf, kindOf, optionsOf, setSeveral, severalOf, siblingsOf, titledOptions, widgetOf } from './forms-kinds.js';
import { ask, button, check, entry, labelled, select } from './forms-parts.js';
import { Condition, firstCondition } from './forms-rows.js';
import { knownData, usesOf } from './forms-uses.js';
import { say } from './forms-words.js';

const AMONG = [['', 'amongAll'], ['neighbours', 'amongNeighbours'], ['places', 'amongPlaces']];
const AMONG_PEOPLE = [['place', 'amongNear'], ['district', 'amongDistrict']];
const WHEN = [['', 'whenAny'], ['past', 'whenPast'], ['future', 'whenFuture']];
const CODES = [['categories', 'codesCategories'], ['vote_rules', 'codesRules'], ['roll_books', 'codesBooks']];
const spoken = (list, present) => [...list.map(([value, word]) => [value, say(word)]), ...(list.some(([value]) => value === present) ? [] : [[present, present]])];

/** The settings as elements; `view` is the form's designer: {draft, path, form, changed(), redraw()}. */
export function fieldSettings(view, name) {
  const schema = view.form.properties[name];
  const ui = schema['x-ui'] ?? {};
  const kind = kindOf(schema);
  const key = `field-${name}`;
  return [
    labelled(say('fieldTitle'), entry({ value: schema.title ?? '', maxLength: 100, key: `${key}-title`, onInput: (text) => { schema.title = text; view.changed(name); } })),
    labelled(say('fieldHelp'), entry({ value: schema.description ?? '', maxLength: 300, key: `${key}-help`, onInput: (text) => { put(schema, 'description', text); view.changed(name); } })),
    ...(siblingsOf(kind.key).length > 1 ? [kinds(view, name, schema, kind, key)] : []),
    ...(kind.key === 'other' ? [make('p', { className: 'help' }, say('fieldOther'))] : own(view, schema, kind, key)),
    ...(optionsOf(schema).length ? [options(view, name, schema, key)] : []),
    ...(kind.key === 'checkbox' ? [] : required(view, name, schema, ui, key)),
    ...(kind.key === 'outcome' ? [] : visible(view, name, schema, ui, key)),
    more(view, name, schema, ui, key),
  ];
}

/** How the field is filled in; where conditions compare its value, a choice of several is another thing than one of one. */
function kinds(view, name, schema, kind, key) {
  const become = async (next) => {
    const uses = kind.key.endsWith('choice') ? usesOf(view.draft, view.path, name) : [];
    const sure = !uses.length || (await ask({ title: say('kindUsed', { title: schema.title || say('fieldUntitled') }), list: uses, help: say('fieldRemoveHelp'), confirm: say('kindConfirm') }));
    if (sure) becomeKind(schema, next);
    if (sure) view.changed(name);
    view.redraw(`${key}-kind`);
  };
  return labelled(say('kind'), select({ value: kind.key, key: `${key}-kind`, options: siblingsOf(kind.key).map((one) => [one, say(`kind_${one}`)]), onChange: become }));
}

/** What only this kind of field has. */
function own(view, schema, kind, key) {
  const ui = schema['x-ui'] ?? {};
  const changed = () => view.changed();
  const byUi = (word, list, label) => labelled(say(label), select({ value: ui[word] ?? '', key: `${key}-${word}`, options: spoken(list, ui[word] ?? ''), onChange: (value) => { putUi(schema, word, value); changed(); } }));
  const parts = [];
  if (kind.key === 'number') parts.push(check(say('integer'), schema.type === 'integer', (whole) => { schema.type = whole ? 'integer' : 'number'; changed(); }, `${key}-integer`));
  if (kind.key === 'person') parts.push(posts(view, schema, key));
  if (kind.key === 'unit' || kind.key === 'person') {
    parts.push(byUi('among', kind.key === 'unit' ? AMONG : AMONG_PEOPLE, 'among'));
    parts.push(check(say('several'), severalOf(schema), (several) => { setSeveral(schema, several); changed(); }, `${key}-several`));
  }
  if (kind.key === 'codes') parts.push(byUi('list', CODES, 'codes'));
  if (kind.key === 'datetime') parts.push(byUi('when', WHEN, 'when'));
  if (kind.bounds.length) parts.push(make('div', { className: 'two' }, ...kind.bounds.map((word) => bound(schema, word, key, changed))));
  return parts;
}

/** The posts whose holders may be chosen: those picked, each with a button to take it away; without any, everybody. */
function posts(view, schema, key) {
  const known = view.draft.vocabulary.posts ?? [];
  const codes = String(schema['x-ui'].posts ?? '').split(',').map((code) => code.trim()).filter(Boolean);
  const become = (next) => { putUi(schema, 'posts', next.join(',')); view.changed(); view.redraw(`${key}-posts`); };
  const chips = codes.map((code) => {
    const name = known.find((one) => one.code === code)?.name ?? code;
    return button(`${name} ×`, () => become(codes.filter((one) => one !== code)), { className: 'btn', 'data-edits': '', 'data-key': `${key}-posts-${code}`, 'aria-label': say('postRemove', { name }) });
  });
  const left = known.filter(({ code }) => !codes.includes(code));
  const groups = [...new Set(left.map(({ group }) => group))].map((label) => ({ label, options: left.filter(({ group }) => group === label).map(({ code, name }) => [code, name]) }));
  const add = select({ value: '', key: `${key}-posts`, options: [['', say(codes.length ? 'postAdd' : 'postsAll')], ...groups], onChange: (code) => code && become([...codes, code]) });
  return make('div', { className: 'fd-posts' }, labelled(say('posts'), add), ...chips);
}

function bound(schema, word, key, changed) {
  const counts = word !== 'minimum' && word !== 'maximum';
  return labelled(say(word), entry({
    type: 'number', value: schema[word] ?? '', key: `${key}-${word}`, step: counts ? 1 : 'any', ...(counts && { min: 0 }), onInput: (text) => {
      const number = Number(text);
      put(schema, word, text === '' || (counts && !(Number.isInteger(number) && number >= 0)) ? undefined : number);
      changed();
    },
  }));
}

function options(view, name, schema, key) {
  const list = make('ol', { className: 'fd-options' });
  optionsOf(schema).forEach(({ value, title }, number) => {
    const input = entry({ value: title, maxLength: 100, key: `${key}-option-${number}`, 'aria-label': say('optionAt', { number: number + 1 }), onInput: (text) => { titledOptions(schema)[number].title = text; view.changed(); } });
    const remove = button('×', () => dropOption(view, name, schema, number, value, title), { className: 'btn btn-icon', 'data-edits': '', 'data-key': `${key}-option-${number}-remove`, title: say('optionRemove'), 'aria-label': say('fieldOf', { action: say('optionRemove'), title: title || say('fieldUntitled') }) });
    list.append(make('li', { className: 'fd-option' }, input, remove));
  });
  const add = button(say('optionAdd'), () => {
    const known = titledOptions(schema);
    known.push({ const: nextValue(schema), title: '' });
    view.changed();
    view.redraw(`${key}-option-${known.length - 1}`);
  }, { className: 'btn', 'data-edits': '', 'data-key': `${key}-option-add` });
  return make('fieldset', {}, make('legend', {}, say(widgetOf(schema) === 'outcome' ? 'optionsOutcome' : 'options')), list, add);
}

function nextValue(schema) {
  const taken = optionsOf(schema).map(({ value }) => value);
  const holder = holderOf(schema);
  let number = taken.length + 1;
  const value = () => (holder.type === 'integer' || holder.type === 'number' ? number : `option_${number}`);
  while (taken.includes(value())) number += 1;
  return value();
}

async function dropOption(view, name, schema, number, value, title) {
  if (optionsOf(schema).length < 2) return ask({ title: say('optionLast') });
  const uses = usesOf(view.draft, view.path, name, value);
  if (uses.length && !(await ask({ title: say('optionRemoveUsed', { title }), list: uses, help: say('fieldRemoveHelp'), confirm: say('confirmRemove') }))) return;
  titledOptions(schema).splice(number, 1);
  view.changed();
  view.redraw(`field-${name}-option-${Math.max(0, number - 1)}`);
}

function required(view, name, schema, ui, key) {
  const now = isRequired(view.form, name) ? 'Always' : ui.required ? 'When' : 'Never';
  const choose = select({ value: now, key: `${key}-required`, options: ['Never', 'Always', 'When'].map((one) => [one, say(`required${one}`)]), onChange: (value) => {
    setRequired(view.form, name, value === 'Always');
    putUi(schema, 'required', value === 'When' ? ui.required ?? firstCondition(others(view, name)) : undefined);
    view.changed(name);
    view.redraw();
  } });
  const condition = now === 'When' ? [conditionOf(view, name, schema, 'required', 'fieldRequiredWhen', key)] : [];
  return [labelled(say('fieldRequired'), choose), ...condition];
}

function visible(view, name, schema, ui, key) {
  const choose = select({ value: ui.visible ? 'When' : 'Always', key: `${key}-visible`, options: ['Always', 'When'].map((one) => [one, say(`visible${one}`)]), onChange: (value) => {
    putUi(schema, 'visible', value === 'When' ? firstCondition(others(view, name)) : undefined);
    view.changed(name);
    view.redraw();
  } });
  const condition = ui.visible ? [conditionOf(view, name, schema, 'visible', 'fieldVisibleWhen', key)] : [];
  return [labelled(say('fieldVisible'), choose), ...condition];
}

function others(view, name) {
  const known = knownData(view.draft, view.path, view.form);
  known.delete(name);
  return known;
}

function conditionOf(view, name, schema, word, title, key) {
  const tell = (text) => { putUi(schema, word, text); view.changed(); };
  return new Condition({ title: say(title), text: schema['x-ui'][word], known: others(view, name), key: `${key}-${word}`, readOnly: view.draft.readOnly, tell }).box;
}

function more(view, name, schema, ui, key) {
  const opened = view.more.has(name);
  const flag = (word, title, help) => check(say(title), Boolean(ui[word]), (on) => { putUi(schema, word, on || undefined); view.changed(); }, `${key}-${word}`, help && say(help));
  const parts = make('details', { className: 'fd-more', open: opened }, make('summary', { 'data-key': `${key}-more` }, say('fieldMore')),
    flag('public', 'fieldPublic'),
    flag('personal', 'fieldPersonal', 'fieldPersonalHelp'),
    labelled(say('fieldPrefill'), entry({ value: ui.prefill ?? '', maxLength: 60, key: `${key}-prefill`, onInput: (text) => { putUi(schema, 'prefill', text.trim()); view.changed(); } }), say('fieldPrefillHelp')),
    labelled(say('fieldName'), make('input', { value: name, readOnly: true }), say('fieldNameHelp')));
  parts.addEventListener('toggle', () => (parts.open ? view.more.add(name) : view.more.delete(name)));
  return parts;
}

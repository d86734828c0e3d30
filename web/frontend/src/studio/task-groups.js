// What an activity says: who does it, with which form, until when; which table, service, script or process.
import { make } from '../page.js';
import { formsOf, peopleOf, tablesOf } from './data.js';
import { button, choice, fold, group, hint, several, text, tick, ticks } from './fields.js';
import { addProcess } from './new-process.js';
import { overdueChoices } from './overdue.js';
import { change, codes, put, setting } from './settings.js';
import { say } from './words.js';

const REPORTER = 'reporter';
const CHOSEN = 'chosen';
const STARTER_SELF = 'starter_self';
const PEOPLE = ['bpmn:UserTask', 'bpmn:ManualTask', 'bpmn:Task'];
const is = (panel, ...types) => types.includes(panel.object.$type);
const of = (panel, name, attribute) => setting(panel.element, name, attribute);
const write = (panel, name, attribute) => (value) => put(panel.drawing, panel.element, name, { [attribute]: value });

/** Values that the diagram already holds for a setting, together with those the district knows. */
function used(panel, name, attribute, choices) {
  const found = panel.elements().flatMap((element) => codes(element, name, attribute));
  return [...choices, ...[...new Set(found)].filter((code) => !choices.some((one) => one.code === code)).map((code) => ({ code, name: code }))];
}

function assignment(panel) {
  if (!is(panel, ...PEOPLE)) return '';
  const { posts, units, excludes } = panel.draft.vocabulary;
  const unit = of(panel, 'assign', 'unit');
  const listed = (attribute) => (values) => put(panel.drawing, panel.element, 'assign', { [attribute]: values.join(','), unit: unit || 'place' });
  const people = peopleOf(panel.draft);
  const toUnit = (code) => {
    const post = code === REPORTER ? { post: REPORTER } : code === CHOSEN || unit === REPORTER ? { post: '' } : {};
    put(panel.drawing, panel.element, 'assign', { unit: code, person: code === CHOSEN ? people[0]?.code ?? '' : '', ...post });
  };
  const rule = units.find(({ code }) => code === (unit || 'place'));
  return group('assign', say('groupAssign'),
    choice({ key: 'unit', label: say('unit'), choices: units, value: unit, empty: unit ? undefined : say('notSet'), help: rule?.help, write: toUnit }),
    unit === CHOSEN && choice({ key: 'person', label: say('chosenIn'), choices: people, value: of(panel, 'assign', 'person'), empty: of(panel, 'assign', 'person') ? undefined : say('notSet'), help: say(people.length ? 'chosenHelp' : 'chosenNone'), write: write(panel, 'assign', 'person') }),
    ![REPORTER, CHOSEN].includes(unit) && several({ key: 'post', label: say('posts'), choices: posts, values: codes(panel.element, 'assign', 'post'), write: listed('post'), add: say('addPost'), help: say('postsHelp') }),
    several({ key: 'exclude', label: say('exclude'), choices: used(panel, 'actor', 'as', excludes), values: codes(panel.element, 'assign', 'exclude'), write: listed('exclude'), add: say('addExclude'), help: say('excludeHelp') }));
}

function form(panel) {
  if (!is(panel, ...PEOPLE, 'bpmn:StartEvent')) return '';
  return group('form', say('groupForm'), choice({ key: 'form', label: say('formUsed'), choices: formsOf(panel.draft), value: of(panel, 'form', 'key'), empty: say('noForm'), write: write(panel, 'form', 'key') }));
}

/** Who may start the process: only where people start it, with a form. */
function starters(panel) {
  const plain = is(panel, 'bpmn:StartEvent') && panel.object.$parent?.$type === 'bpmn:Process' && !panel.object.eventDefinitions?.length;
  if (!plain || !of(panel, 'form', 'key')) return '';
  const to = (posts) => put(panel.drawing, panel.element, 'assign', { post: posts.join(',') });
  return group('starters', say('groupStarters'), several({ key: 'starter', label: say('starters'), choices: panel.draft.vocabulary.posts, values: codes(panel.element, 'assign', 'post'), write: to, add: say('addPost'), help: say('startersHelp') }));
}

function deadline(panel) {
  if (!is(panel, ...PEOPLE)) return '';
  const units = panel.draft.vocabulary.limit_units;
  const [amount, unit] = [of(panel, 'deadline', 'amount'), of(panel, 'deadline', 'unit')];
  const computed = amount.startsWith('=') || unit.startsWith('=');
  const to = (values) => put(panel.drawing, panel.element, 'deadline', values);
  const raw = (attribute, help) => text(panel, { key: `deadline-${attribute}`, label: say(`deadline_${attribute}`), value: of(panel, 'deadline', attribute), code: true, help, write: write(panel, 'deadline', attribute) });
  const none = { amount: '', unit: '', factor: '', until: '', overdue: '' };
  const one = [REPORTER, STARTER_SELF, CHOSEN].includes(of(panel, 'assign', 'unit'));
  const choices = overdueChoices(panel.draft, of(panel, 'form', 'key'), one || Boolean(of(panel, 'deadline', 'until')));
  const plain = [
    amount && text(panel, { key: 'amount', label: say('amount'), type: 'number', min: 1, value: amount, write: (value) => to({ amount: value || '1' }) }),
    amount && choice({ key: 'limit-unit', label: say('limitUnit'), choices: units, value: unit, write: (value) => to({ unit: value }) }),
  ];
  return group('deadline', say('groupDeadline'),
    !computed && tick({ key: 'deadline', label: say('hasDeadline'), value: Boolean(amount), write: (on) => to(on ? { amount: '1', unit: units[0].code } : none) }),
    ...(computed ? [hint(say('deadlineComputed'))] : plain),
    amount && choice({ key: 'overdue', label: say('overdue'), choices, value: of(panel, 'deadline', 'overdue'), empty: say('overdueNone'), help: say('overdueHelp'), write: write(panel, 'deadline', 'overdue') }),
    (amount || unit) && fold('deadline', say('expert'), raw('amount', say('deadlineAmountHelp')), raw('unit'), raw('factor', say('deadlineFactorHelp')), raw('until', say('deadlineUntilHelp'))));
}

/** What can be allowed, and of what no longer is offered, that which the diagram names. */
function actions(panel) {
  if (!is(panel, ...PEOPLE)) return '';
  const values = codes(panel.element, 'actions', 'allow');
  const choices = [...panel.draft.vocabulary.actions, ...panel.draft.vocabulary.former_actions.filter(({ code }) => values.includes(code))];
  return group('actions', say('groupActions'), ticks({ key: 'action', label: say('actionsAllowed'), choices, values, write: (allowed) => put(panel.drawing, panel.element, 'actions', { allow: allowed.join(',') }) }));
}

function bookkeeping(panel) {
  const status = is(panel, ...PEOPLE, 'bpmn:EndEvent') && text(panel, { key: 'status', label: say('status'), value: of(panel, 'status', 'value'), choices: panel.draft.vocabulary.statuses, help: say('statusHelp'), write: write(panel, 'status', 'value') });
  if (!is(panel, ...PEOPLE)) return group('more', say('groupMore'), status);
  const { excludes, checks } = panel.draft.vocabulary;
  return group('more', say('groupMore'), status,
    tick({ key: 'clock', label: say('clockPaused'), value: of(panel, 'clock', 'paused') === 'true', write: (on) => put(panel.drawing, panel.element, 'clock', { paused: on ? 'true' : '' }) }),
    choice({ key: 'actor', label: say('actor'), choices: used(panel, 'actor', 'as', excludes), value: of(panel, 'actor', 'as'), empty: say('actorNone'), help: say('actorHelp'), write: write(panel, 'actor', 'as') }),
    choice({ key: 'check', label: say('check'), choices: checks, value: of(panel, 'check', 'name'), empty: say('checkNone'), write: write(panel, 'check', 'name') }));
}

function decision(panel) {
  if (!is(panel, 'bpmn:BusinessRuleTask')) return '';
  const [decides, lookup, result] = ['decision', 'lookup', 'result'].map((name) => panel.object.get(`wz:${name}`) ?? '');
  const to = (properties) => change(panel.drawing, panel.element, panel.object, properties);
  const from = [...tablesOf(panel.draft).map(({ code, name }) => ({ code: `table:${code}`, name, group: say('decisionTable') })), ...panel.draft.vocabulary.lookups.map(({ code, name }) => ({ code: `lookup:${code}`, name, group: say('lookup') }))];
  const value = decides ? `table:${decides}` : lookup && `lookup:${lookup}`;
  const pick = (code) => {
    const [kind, name] = [code.slice(0, code.indexOf(':')), code.slice(code.indexOf(':') + 1)];
    to({ 'wz:decision': kind === 'table' ? name : undefined, 'wz:lookup': kind === 'lookup' ? name : undefined });
  };
  return group('decision', say('groupDecision'),
    choice({ key: 'decision', label: say('decisionFrom'), choices: from, value, empty: say('notSet'), write: pick }),
    decides && fold('decision', say('expert'), text(panel, { key: 'result', label: say('result'), value: result, code: true, help: say('resultHelp'), write: (name) => to({ 'wz:result': name || undefined }) })));
}

function service(panel) {
  if (!is(panel, 'bpmn:ServiceTask')) return '';
  const { services } = panel.draft.vocabulary;
  return group('service', say('groupService'), services.length || of(panel, 'service', 'name')
    ? choice({ key: 'service', label: say('service'), choices: services, value: of(panel, 'service', 'name'), empty: say('notSet'), write: write(panel, 'service', 'name') })
    : hint(say('serviceNone')));
}

function script(panel) {
  if (!is(panel, 'bpmn:ScriptTask')) return '';
  return group('script', say('groupScript'), text(panel, { key: 'script', label: say('script'), rows: 8, code: true, value: panel.object.script, help: say('scriptHelp'), write: (script) => change(panel.drawing, panel.element, panel.object, { script: script || undefined }) }));
}

function call(panel) {
  if (!is(panel, 'bpmn:CallActivity')) return '';
  const own = panel.process();
  const processes = panel.drawing.getDefinitions().rootElements.filter((one) => one.$type === 'bpmn:Process' && one !== own).map(({ id, name }) => ({ code: id, name: name || id }));
  const called = panel.object.calledElement ?? '';
  const calls = (id) => change(panel.drawing, panel.element, panel.object, { calledElement: id || undefined });
  const name = make('input', { type: 'text', 'aria-label': say('newProcess'), placeholder: say('newProcess'), 'data-key': 'new-process' });
  const add = () => { if (name.value.trim()) calls(addProcess(panel, name.value.trim())); };
  return group('call', say('groupCall'),
    choice({ key: 'called', label: say('called'), choices: processes, value: called, empty: say('notSet'), write: calls }),
    make('div', { className: 'studio-add' }, name, button('plus', say('addNew'), add, 'add-process')),
    called && button('arrow-right', say('openCalled'), () => panel.go(called), 'open-called'));
}

export const taskGroups = (panel) => [assignment(panel), form(panel), starters(panel), deadline(panel), decision(panel), service(panel), script(panel), call(panel), actions(panel), bookkeeping(panel)];

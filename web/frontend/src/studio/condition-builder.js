// A condition put together from lists, shown as a sentence, written as the engine's expression.
import { make } from '../page.js';
import { readCondition, writeCondition } from './conditions.js';
import { fieldsOf, firstClause, formsBefore, operatorsOf, unknownField } from './data.js';
import { button, field, fold, hint, select, text } from './fields.js';
import { say } from './words.js';

const NAMES = { '==': 'opIs', '!=': 'opIsNot', '<': 'opLess', '<=': 'opAtMost', '>': 'opMore', '>=': 'opAtLeast', in: 'opIn', 'not in': 'opNotIn', has: 'opHas', lacks: 'opLacks', true: 'opTrue', false: 'opFalse', filled: 'opFilled', unfilled: 'opUnfilled' };
const WITHOUT_VALUE = ['true', 'false', 'filled', 'unfilled'];
const WITH_LIST = ['in', 'not in'];

function known(panel) {
  return fieldsOf(panel.draft, panel.drawing.getDefinitions(), formsBefore(panel.object), say('setByScript'));
}

const fieldOf = (fields, clause) => fields.find(({ name }) => name === clause.field) ?? unknownField(clause);

function valueSaid(about, value) {
  if (Array.isArray(value)) return value.map((one) => valueSaid(about, one)).join(say('listComma'));
  if (value === '') return say('empty');
  return about.options.find((option) => option.value === value)?.title ?? String(value);
}

function clauseSaid(fields, clause) {
  const about = fieldOf(fields, clause);
  const value = WITHOUT_VALUE.includes(clause.operator) ? '' : valueSaid(about, clause.value);
  return [about.title, say(NAMES[clause.operator]), value].filter(Boolean).join(' ');
}

/** The condition as a sentence; an expression that the builder does not know stays as it is written. */
export function conditionSaid(panel, source) {
  const condition = readCondition(source);
  if (!condition) return source;
  const fields = known(panel);
  return condition.clauses.map((clause) => clauseSaid(fields, clause)).join(say(condition.join === 'and' ? 'joinedByAnd' : 'joinedByOr'));
}

/** What was typed, in the kind of value that the field holds. */
function valueOf(about, written) {
  return about.kind === 'number' && /^-?\d+(\.\d+)?$/.test(written.trim()) ? Number(written) : written;
}

function valueControl(panel, about, clause, key, write) {
  const label = say('value');
  if (WITH_LIST.includes(clause.operator)) {
    if (about.options.length) return listOfOptions(about, clause, key, write);
    return text(panel, { key, label, value: clause.value.join(say('listComma')), help: say('valuesHelp'), write: (typed) => write(typed.split(/[，、,]/).map((one) => one.trim()).filter(Boolean).map((one) => valueOf(about, one))) });
  }
  if (about.options.length) {
    const choices = about.options.map((option) => ({ code: String(option.value), name: option.title }));
    return field(label, select({ key, choices, value: String(clause.value), write: (code) => write(about.options.find((option) => String(option.value) === code).value) }));
  }
  return text(panel, { key, label, value: String(clause.value), type: about.kind === 'number' ? 'number' : 'text', step: 'any', write: (typed) => write(valueOf(about, typed)) });
}

function listOfOptions(about, clause, key, write) {
  const all = [...about.options, ...clause.value.filter((value) => !about.options.some((option) => option.value === value)).map((value) => ({ value, title: String(value) }))];
  const boxes = all.map(({ value, title }) => {
    const box = make('input', { type: 'checkbox', checked: clause.value.includes(value), 'data-key': `${key}-${value}` });
    box.addEventListener('change', () => write(all.map((option) => option.value).filter((one) => (one === value ? box.checked : clause.value.includes(one)))));
    return make('label', { className: 'check' }, box, title);
  });
  return make('fieldset', { className: 'studio-field' }, make('legend', {}, say('value')), ...boxes);
}

/** The same comparison with another operator; the value changes its shape when it must. */
function withOperator(about, clause, operator) {
  const first = firstClause(about).value;
  const single = Array.isArray(clause.value) ? clause.value[0] ?? first : clause.value ?? first;
  return { field: clause.field, operator, value: WITH_LIST.includes(operator) ? [single] : single };
}

const choice = (words, more) => field(say(words), select(more));

function row(panel, fields, clause, index, write, remove) {
  const about = fieldOf(fields, clause);
  const key = `clause-${index}`;
  const choices = [...new Set([...fields, about])].map(({ name, title, group }) => ({ code: name, name: title, group }));
  const subject = choice('field', { key: `${key}-field`, choices, value: clause.field, write: (name) => write(firstClause(fields.find((one) => one.name === name) ?? about)) });
  const operators = [...new Set([...operatorsOf(about), clause.operator])].map((code) => ({ code, name: say(NAMES[code]) }));
  const operator = choice('operator', { key: `${key}-operator`, choices: operators, value: clause.operator, write: (code) => write(withOperator(about, clause, code)) });
  const value = WITHOUT_VALUE.includes(clause.operator) ? '' : valueControl(panel, about, clause, `${key}-value`, (changed) => write({ ...clause, value: changed }));
  return make('div', { className: 'studio-clause' }, subject, operator, value, remove && button('trash', say('removeClause'), remove, `${key}-remove`));
}

/** `source` is the expression that is there; `write` takes the new one, "" for none. */
export function conditionBuilder(panel, source, write) {
  const condition = readCondition(source);
  const fields = known(panel);
  const put = (clauses, join = condition?.join ?? 'and') => write(clauses.length ? writeCondition({ join, clauses }) : '');
  const add = () => put([...(condition?.clauses ?? []), firstClause(fields.find((one) => one.outcome) ?? fields[0])]);
  const parts = [];
  if (source) parts.push(make('p', { className: 'studio-sentence', 'data-sentence': '' }, conditionSaid(panel, source)));
  if (condition) {
    const { clauses, join } = condition;
    if (clauses.length > 1) parts.push(field(say('join'), select({ key: 'join', choices: [{ code: 'and', name: say('joinAnd') }, { code: 'or', name: say('joinOr') }], value: join, write: (code) => put(clauses, code) })));
    clauses.forEach((clause, index) => parts.push(row(panel, fields, clause, index, (changed) => put(clauses.map((one) => (one === clause ? changed : one))), () => put(clauses.filter((one) => one !== clause)))));
  } else if (source) parts.push(hint(say('conditionTooRich')));
  if ((condition || !source) && fields.length) parts.push(button('plus', say('addClause'), add, 'add-clause'));
  parts.push(fold('expert-condition', say('expert'), text(panel, { key: 'condition', label: say('expression'), value: source, rows: 3, code: true, write, help: say('expressionHelp') })));
  return parts;
}

// What can become of a step that is not done in time: as the server allows it, by the forms of the draft as they are now.
import { readCondition } from './conditions.js';
import { formsOf } from './data.js';
import { say } from './words.js';

const COMPARED = {
  '==': (known, value) => known === value,
  '!=': (known, value) => known !== value,
  in: (known, values) => values.includes(known),
  'not in': (known, values) => !values.includes(known),
  true: (known) => Boolean(known),
  false: (known) => !known,
  filled: (known) => known !== null,
  unfilled: (known) => known === null,
};

/** Whether a condition holds when nothing but this is filled in; `otherwise` where that cannot be told. */
function holds(source, filled, otherwise) {
  const read = source ? readCondition(source) : null;
  if (!read?.clauses.every(({ field, operator }) => field in filled && operator in COMPARED)) return otherwise;
  const each = ({ field, operator, value }) => COMPARED[operator](filled[field], value);
  return read.join === 'and' ? read.clauses.every(each) : read.clauses.some(each);
}

function isEnough({ properties, required }, chosen) {
  const filled = { ...Object.fromEntries(Object.keys(properties).map((name) => [name, null])), ...chosen };
  return Object.entries(properties).every(([name, { 'x-ui': ui = {} }]) => {
    const must = required.includes(name) || holds(ui.required, filled, false);
    return name in chosen || !must || !holds(ui.visible, filled, true);
  });
}

/** The outcomes of a form that ask for nothing else: {value, title}. */
function outcomesAlone(form) {
  const [name, field] = Object.entries(form?.properties ?? {}).find(([, schema]) => schema['x-ui']?.widget === 'outcome') ?? [];
  const options = (field?.oneOf ?? []).map((option) => ({ value: option.const, title: option.title ?? String(option.const) }));
  return options.filter(({ value }) => isEnough(form, { [name]: value }));
}

/** What the panel offers for a step with this form: codes and names; `one` says that one person does it, who has nobody above. */
export function overdueChoices(draft, key, one) {
  const above = draft.vocabulary.overdue.filter(({ code }) => code === 'escalate' && !one);
  const outcomes = outcomesAlone(formsOf(draft).find(({ code }) => code === key));
  return [...above, ...outcomes.map(({ value, title }) => ({ code: `finish:${value}`, name: say('overdueFinish', { title }) }))];
}

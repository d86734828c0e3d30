// Who reads a field, one of its options or a form: what would break is named before it is taken away.
import { formsOf, titleOf } from './forms-files.js';
import { namesIn, textsIn } from './forms-conditions.js';
import { optionsOf } from './forms-kinds.js';
import { say } from './forms-words.js';

const EXPRESSIONS = ['conditionExpression', 'condition', 'script', 'timeDate', 'timeDuration', 'timeCycle', 'loopCardinality', 'loopCondition', 'completionCondition', 'loopDataInputRef'];
const TABLE_EXPRESSIONS = ['inputExpression', 'outputEntry', 'defaultOutputEntry'];

const parsed = (text) => new DOMParser().parseFromString(text ?? '', 'application/xml');
const named = (document, name) => [...document.getElementsByTagName('*')].filter((element) => element.localName === name);

const filledWith = (draft, key) => named(parsed(draft.get('process.bpmn')), 'form').filter((form) => form.getAttribute('key') === key).map((form) => form.parentElement.parentElement);

/** The steps and events that are filled in with this form. */
export const stepsWith = (draft, key) => filledWith(draft, key).map((step) => step?.getAttribute('name') || step?.id || key);

/** Whether a form that starts the process is filled in again later, as when it is returned: what was filled in then comes with it. */
export function comesBack(draft, key) {
  const steps = filledWith(draft, key);
  return steps.length > 1 && steps.some((step) => step?.localName === 'startEvent');
}

function place(element, diagram) {
  const flow = element.closest('sequenceFlow');
  if (flow) {
    const source = diagram.get(flow.getAttribute('sourceRef'));
    return say(/Gateway$/.test(source?.localName ?? '') ? 'useGateway' : 'useAfter', { name: source?.getAttribute('name') || flow.id });
  }
  let owner = element;
  while (owner.parentElement && !owner.getAttribute('name')) owner = owner.parentElement;
  return say('useStep', { name: owner.getAttribute('name') || owner.id || owner.localName });
}

/** Every expression of the diagram with the element it stands in. */
function* diagramExpressions(document) {
  for (const element of document.getElementsByTagName('*')) {
    if (EXPRESSIONS.includes(element.localName)) yield [element, element.textContent];
    for (const { value } of element.attributes) if (value.startsWith('=')) yield [element, value.slice(1)];
  }
}

function inDiagram(draft, reads, name) {
  const document = parsed(draft.get('process.bpmn'));
  const byId = new Map([...document.getElementsByTagName('*')].filter((element) => element.id).map((element) => [element.id, element]));
  const doers = named(document, 'assign').filter((assign) => assign.getAttribute('person') === name);
  return [...[...diagramExpressions(document)].filter(([, text]) => reads(text)).map(([element]) => element), ...doers].map((element) => place(element, byId));
}

/** Every expression of a form with the title of the field it belongs to. */
function* formExpressions(form) {
  if (typeof form['x-ui']?.opinion === 'string') yield [say('opinionPart'), form['x-ui'].opinion];
  for (const [name, schema] of Object.entries(form.properties)) {
    const ui = schema['x-ui'] ?? {};
    for (const text of [ui.visible, ui.required]) if (text) yield [schema.title || name, text];
    for (const option of [...(schema.oneOf ?? []), ...(schema.items?.oneOf ?? [])]) if (option['x-ui']?.visible) yield [schema.title || name, option['x-ui'].visible];
  }
}

function inForms(draft, path, reads, name, value) {
  return formsOf(draft).filter(({ form }) => form).flatMap((one) => {
    const found = [...formExpressions(one.form)].filter(([, text]) => reads(text)).map(([title]) => title);
    if (value === undefined) found.push(...Object.entries(one.form.properties).filter(([, schema]) => schema['x-ui']?.prefill === name).map(([other, schema]) => schema.title || other));
    return found.map((title) => (one.path === path ? say('useHere', { title }) : say('useForm', { form: titleOf(one), title })));
  });
}

function readsInTable(table, reads, name, value) {
  const columns = named(table, 'inputExpression').map((expression) => expression.textContent.trim());
  if (value === undefined) return TABLE_EXPRESSIONS.some((part) => named(table, part).some((element) => reads(element.textContent)));
  const column = columns.indexOf(name);
  const cells = named(table, 'rule').map((rule) => [...rule.children].filter((cell) => cell.localName === 'inputEntry')[column]?.textContent ?? '');
  return column >= 0 && cells.some((cell) => textsIn(cell).has(value));
}

function inTables(draft, reads, name, value) {
  const tables = draft.paths().filter((path) => /^tables\/.+\.dmn$/.test(path)).map((path) => [path, parsed(draft.get(path))]);
  return tables.filter(([, table]) => readsInTable(table, reads, name, value)).map(([path, table]) => say('useTable', { name: named(table, 'decision')[0]?.getAttribute('name') || path }));
}

/** Where the field is read; with `value`, where it is compared with that option. */
export function usesOf(draft, path, name, value) {
  const reads = (text) => namesIn(text).has(name) && (value === undefined || textsIn(text).has(String(value)));
  return [...new Set([...inDiagram(draft, reads, value === undefined && name), ...inForms(draft, path, reads, name, value), ...inTables(draft, reads, name, value)])];
}

/** All data that the forms of the process collect, by name; the first form that asks gives the title. */
export function knownData(draft, path, form) {
  const known = new Map();
  const here = { path, form };
  for (const one of [here, ...formsOf(draft).filter((other) => other.path !== path && other.form)]) {
    for (const [name, schema] of Object.entries(one.form.properties)) {
      if (!known.has(name)) known.set(name, { name, schema, title: schema.title || name, here: one === here, options: optionsOf(schema), form: titleOf(one) });
    }
  }
  return known;
}

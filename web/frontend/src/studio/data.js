// The data that conditions can ask for: fields of the draft's forms, results of its tables, and what its scripts set.
const OPERATORS = {
  boolean: ['true', 'false'],
  number: ['==', '!=', '<', '<=', '>', '>='],
  list: ['has', 'lacks'],
  text: ['==', '!=', 'in', 'not in'],
  known: [],
};
const GENERAL = ['filled', 'unfilled'];

export const keyOf = (path) => path.replace(/^[^/]*\//, '').replace(/\.[^.]*$/, '');
export const filesOf = (draft, folder) => draft.paths().filter((path) => path.startsWith(`${folder}/`));

function parsed(draft, path) {
  try { return JSON.parse(draft.get(path)); } catch { return {}; } // the form's own part and the check say what is wrong with it
}

/** The forms of the draft: {code, name, properties, required}. */
export function formsOf(draft) {
  return filesOf(draft, 'forms').map((path) => {
    const form = parsed(draft, path);
    return { code: keyOf(path), name: form.title || keyOf(path), properties: form.properties ?? {}, required: form.required ?? [] };
  });
}

/** The fields of any form by which people are chosen, as choices; a name that several forms use is one. */
export function peopleOf(draft) {
  const found = formsOf(draft).flatMap(({ name: group, properties }) => Object.entries(properties).filter(([, schema]) => schema['x-ui']?.widget === 'person').map(([code, { title }]) => ({ code, name: title || code, group })));
  return found.filter(({ code }, place) => found.findIndex((one) => one.code === code) === place);
}

/** The decision tables of the draft: {code, name, outputs}. */
export function tablesOf(draft) {
  return filesOf(draft, 'tables').map((path) => {
    const table = new DOMParser().parseFromString(draft.get(path), 'application/xml');
    const decision = table.getElementsByTagNameNS('*', 'decision')[0];
    return { code: keyOf(path), name: decision?.getAttribute('name') || keyOf(path), outputs: [...table.getElementsByTagNameNS('*', 'output')] };
  });
}

function optionsOf(schema) {
  const from = schema.oneOf ? schema : schema.items ?? schema;
  return (from.oneOf ?? (from.enum ?? []).map((value) => ({ const: value }))).map((option) => ({ value: option.const, title: option.title ?? String(option.const) }));
}

/** Of people and locations one can ask only whether they are filled in. */
function kindOf({ type, 'x-ui': ui }) {
  if (['person', 'location'].includes(ui?.widget)) return 'known';
  return { boolean: 'boolean', number: 'number', integer: 'number', array: 'list' }[type] ?? 'text';
}

function formFields(form) {
  return Object.entries(form.properties).map(([name, schema]) => ({ name, title: schema.title || name, group: form.name, form: form.code, kind: kindOf(schema), options: optionsOf(schema), outcome: schema['x-ui']?.widget === 'outcome' }));
}

function tableFields(table) {
  return table.outputs.map((output) => ({ name: output.getAttribute('name'), title: output.getAttribute('label') || output.getAttribute('name'), group: table.name, kind: kindOf({ type: output.getAttribute('typeRef') }), options: [] }));
}

const LITERAL = { '"': 'text', '[': 'list' };

function scriptFields(definitions, group) {
  const found = new Map();
  const look = (element) => {
    for (const line of (element.script ?? '').split('\n')) {
      const [, name, value] = line.match(/^\s*(\w+)\s*=(?!=)\s*(.*)$/) ?? [];
      if (!name) continue;
      const known = found.get(name) ?? { name, title: name, group, kind: '', options: [] };
      known.kind ||= LITERAL[value[0]] ?? (/^(true|false)$/.test(value) ? 'boolean' : /^-?[\d.]+$/.test(value) ? 'number' : '');
      const written = value.match(/^"([^"\\]+)"$/)?.[1];
      if (written && !known.options.some((option) => option.value === written)) known.options.push({ value: written, title: written });
      found.set(name, known);
    }
    element.flowElements?.forEach(look);
  };
  definitions.rootElements.forEach(look);
  return [...found.values()].map((one) => ({ ...one, kind: one.kind || 'text' }));
}

/** All fields, those of `nearest` forms first. A name that several forms use is one piece of data, with the options of all. */
export function fieldsOf(draft, definitions, nearest, scriptGroup) {
  const order = (form) => (nearest.includes(form.code) ? nearest.indexOf(form.code) : nearest.length);
  const forms = formsOf(draft).sort((one, other) => order(one) - order(other));
  const fields = new Map();
  for (const one of [...forms.flatMap(formFields), ...tablesOf(draft).flatMap(tableFields), ...scriptFields(definitions, scriptGroup)]) {
    const known = fields.get(one.name);
    if (!known) fields.set(one.name, one);
    else if (known.options.length) known.options.push(...one.options.filter(({ value }) => !known.options.some((had) => had.value === value)));
  }
  return [...fields.values()];
}

/** A field that is only named in an expression; its kind is that of what it is compared with. */
export function unknownField({ field, operator, value }) {
  const sample = Array.isArray(value) ? value[0] : value;
  const kind = ['has', 'lacks'].includes(operator) ? 'list' : ['true', 'false'].includes(operator) ? 'boolean' : typeof sample === 'number' ? 'number' : 'text';
  return { name: field, title: field, group: '', kind, options: [] };
}

export const operatorsOf = ({ kind }) => [...OPERATORS[kind], ...GENERAL];

/** What a field is first compared with. */
export function firstClause(field) {
  const value = field.options[0]?.value ?? (field.kind === 'number' ? 0 : '');
  return { field: field.name, operator: operatorsOf(field)[0], value };
}

/** The forms of the steps before an element, the nearest first. */
export function formsBefore(object) {
  const [seen, found, pending] = [new Set(), [], [object]];
  while (pending.length) {
    const here = pending.shift();
    if (seen.has(here)) continue;
    seen.add(here);
    const form = here.extensionElements?.values?.find((value) => value.$type === 'wz:Form')?.key;
    if (form) found.push(form);
    pending.push(...(here.sourceRef ? [here.sourceRef] : (here.incoming ?? []).map((flow) => flow.sourceRef)), ...(here.attachedToRef ? [here.attachedToRef] : []));
  }
  return found;
}

// The kinds of fields that forms have: those that governance/forms draws and checks, each with what a new one begins with.
const text = (widget, maxLength) => () => ({ type: 'string', maxLength, 'x-ui': { widget } });
const files = (widget, maxItems) => () => ({ type: 'array', items: { type: 'string', maxLength: 200 }, maxItems, 'x-ui': { widget } });
const choices = () => [1, 2].map((number) => ({ const: `option_${number}`, title: '' }));

export const KINDS = [
  { key: 'text', make: text('text', 100), bounds: ['minLength', 'maxLength'] },
  { key: 'textarea', make: text('textarea', 500), bounds: ['minLength', 'maxLength'] },
  { key: 'number', make: () => ({ type: 'integer', 'x-ui': { widget: 'number' } }), bounds: ['minimum', 'maximum'] },
  { key: 'date', make: text('date', 10), bounds: [] },
  { key: 'datetime', make: text('datetime', 40), bounds: [] },
  { key: 'choice', make: () => ({ type: 'string', oneOf: choices(), 'x-ui': { widget: 'choice' } }), bounds: [] },
  { key: 'multichoice', make: () => ({ type: 'array', items: { type: 'string', oneOf: choices() }, uniqueItems: true, 'x-ui': { widget: 'multichoice' } }), bounds: ['minItems', 'maxItems'] },
  { key: 'checkbox', make: () => ({ type: 'boolean', 'x-ui': { widget: 'checkbox' } }), bounds: [] },
  { key: 'outcome', make: () => ({ type: 'string', oneOf: choices(), 'x-ui': { widget: 'outcome' } }), bounds: [] },
  { key: 'unit', make: text('unit', 40), bounds: [] },
  { key: 'person', make: () => ({ type: 'string', maxLength: 40, 'x-ui': { widget: 'person', among: 'place', personal: true } }), bounds: [] },
  { key: 'location', make: () => ({ type: 'object', 'x-ui': { widget: 'location', personal: true } }), bounds: [] },
  { key: 'codes', make: () => ({ type: 'string', maxLength: 40, 'x-ui': { widget: 'codes', list: 'categories' } }), bounds: [] },
  { key: 'photos', make: files('photos', 9), bounds: ['minItems', 'maxItems'] },
  { key: 'attachments', make: files('attachments', 5), bounds: ['minItems', 'maxItems'] },
  { key: 'signature', make: text('signature', 200), bounds: [] },
];
const OTHER = { key: 'other', bounds: [] };

const BY_TYPE = { boolean: 'checkbox', integer: 'number', number: 'number', array: 'multichoice' };

export function widgetOf(schema) {
  return schema['x-ui']?.widget ?? (schema.oneOf || schema.enum ? 'choice' : BY_TYPE[schema.type] ?? 'text');
}

/** What the field is to whoever edits it; what the studio does not offer is kept as it is. */
export const kindOf = (schema) => KINDS.find(({ key }) => key === widgetOf(schema)) ?? OTHER;

/** Where the field's options are: of the field itself, or of each of its items. */
export const holderOf = (schema) => (schema.type === 'array' ? schema.items ?? {} : schema);

export function optionsOf(schema) {
  const { oneOf, enum: values } = holderOf(schema);
  return oneOf?.map((option) => ({ value: option.const, title: option.title ?? String(option.const) })) ?? values?.map((value) => ({ value, title: String(value) })) ?? [];
}

/** The options as objects that carry a title and can be changed in place; plain values are given theirs. */
export function titledOptions(schema) {
  const holder = holderOf(schema);
  if (!holder.oneOf) {
    holder.oneOf = (holder.enum ?? []).map((value) => ({ const: value, title: String(value) }));
    delete holder.enum;
  }
  return holder.oneOf;
}

const FAMILIES = [['text', 'textarea', 'date', 'datetime'], ['choice', 'multichoice']];
const KEPT = ['title', 'description', 'x-ui'];

/** The kinds that a field of this kind may become, itself among them. */
export const siblingsOf = (key) => FAMILIES.find((family) => family.includes(key)) ?? [key];

/** Makes a field one of another kind: what it is called, says, offers and depends on stays; what only the old kind has goes. */
export function becomeKind(schema, key) {
  const kind = KINDS.find((one) => one.key === key);
  const { when, ...ui } = schema['x-ui'] ?? {};
  const options = holderOf(schema).oneOf;
  const bounds = kindOf(schema).bounds.filter((word) => kind.bounds.includes(word) && word in schema).map((word) => [word, schema[word]]);
  for (const word of Object.keys(schema)) if (!KEPT.includes(word)) delete schema[word];
  const { 'x-ui': { widget }, ...begun } = kind.make();
  Object.assign(schema, begun, Object.fromEntries(bounds), { 'x-ui': { ...ui, widget } });
  if (options) holderOf(schema).oneOf = options;
}

export const severalOf = (schema) => schema.type === 'array';

/** A unit or a person to be chosen, or several. */
export function setSeveral(schema, several) {
  if (several === severalOf(schema)) return;
  const each = { type: 'string', ...(schema.minLength && { minLength: schema.minLength }), ...(schema.maxLength && { maxLength: schema.maxLength }) };
  if (several) {
    Object.assign(schema, { type: 'array', items: each, maxItems: 10, uniqueItems: true });
    delete schema.minLength;
    delete schema.maxLength;
  } else {
    Object.assign(schema, schema.items);
    schema.type = 'string';
    for (const word of ['items', 'minItems', 'maxItems', 'uniqueItems']) delete schema[word];
  }
}

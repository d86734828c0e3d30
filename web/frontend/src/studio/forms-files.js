// The forms of a draft as files: JSON that is parsed, changed in place and written again, so that what nobody touched stays.
const PATTERN = /^forms\/([^/]+)\.json$/;

const plain = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

export const keyOf = (path) => path.match(PATTERN)[1];
export const pathOf = (key) => `forms/${key}.json`;

/** The form, or null where the file holds none. */
export function readForm(draft, path) {
  try {
    const form = JSON.parse(draft.get(path));
    return plain(form) && plain(form.properties) ? form : null;
  } catch {
    return null;
  }
}

export const formsOf = (draft) => draft.paths().filter((path) => PATTERN.test(path)).map((path) => ({ path, key: keyOf(path), form: readForm(draft, path) }));

export const writeForm = (draft, path, form) => draft.set(path, `${JSON.stringify(form, null, 2)}\n`);

export const titleOf = ({ key, form }) => form?.title || key;

/** `base`, or `base` with the first number that makes it new. */
export function fresh(base, taken) {
  let name = base;
  for (let number = 2; taken(name); number += 1) name = `${base}_${number}`;
  return name;
}

/** What a thing is called inside: its title where that is in Latin letters, `spare` otherwise. */
export function slug(title, spare) {
  const latin = title.trim().toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^[_\d]+|_+$/g, '').slice(0, 40);
  return /[^\x00-\x7f]/.test(title) || !latin ? spare : latin;
}

/** A name for a field that no form and no expression of the process uses yet: all steps share their data. */
export function freshName(draft, base) {
  const whole = draft.paths().map((path) => draft.get(path)).join('\n');
  return fresh(base, (name) => new RegExp(`(?<![\\w])${name}(?![\\w])`).test(whole));
}

export function createForm(draft, title) {
  const key = fresh(slug(title, 'form'), (one) => draft.get(pathOf(one)) !== undefined);
  writeForm(draft, pathOf(key), { $schema: 'https://json-schema.org/draft/2020-12/schema', title, type: 'object', properties: {}, required: [] });
  return pathOf(key);
}

export function copyForm(draft, path, title) {
  const key = fresh(`${keyOf(path)}_copy`, (one) => draft.get(pathOf(one)) !== undefined);
  writeForm(draft, pathOf(key), { ...readForm(draft, path), title });
  return pathOf(key);
}

/** The field `name` put in front of the field at `place`. */
export function moveField(form, name, place) {
  const entries = Object.entries(form.properties);
  const from = entries.findIndex(([one]) => one === name);
  entries.splice(place, 0, ...entries.splice(from, 1));
  form.properties = Object.fromEntries(entries);
}

export function removeField(form, name) {
  delete form.properties[name];
  if (form.required) form.required = form.required.filter((one) => one !== name);
}

export const isRequired = (form, name) => (form.required ?? []).includes(name);

export function setRequired(form, name, required) {
  const others = (form.required ?? []).filter((one) => one !== name);
  if (required !== isRequired(form, name)) form.required = required ? [...others, name] : others;
}

/** Sets a word of an object, or takes it away where there is nothing to say. */
export function put(holder, word, value) {
  if (value === undefined || value === '') delete holder[word];
  else holder[word] = value;
}

/** Sets a word of a field's `x-ui`. */
export function putUi(schema, word, value) {
  const ui = schema['x-ui'] ?? {};
  put(ui, word, value);
  put(schema, 'x-ui', Object.keys(ui).length ? ui : undefined);
}

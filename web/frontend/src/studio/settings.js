// Reads and changes what elements say, so that every change can be undone.
const typeOf = (name) => `wz:${name[0].toUpperCase()}${name.slice(1)}`;
const listed = (text) => (text ?? '').split(',').map((code) => code.trim()).filter(Boolean);
const find = (object, name) => object.extensionElements?.values?.find((value) => value.$type === typeOf(name));

/** One attribute of a setting, "" when it is not there. */
export const setting = (element, name, attribute) => find(element.businessObject, name)?.get(attribute) ?? '';

/** Codes that one attribute lists. */
export const codes = (element, name, attribute) => listed(setting(element, name, attribute));

/** Changes properties of an element or of a part of it. */
export function change(drawing, element, part, properties) {
  drawing.get('modeling').updateModdleProperties(element, part, properties);
}

export function create(drawing, type, properties, parent) {
  const made = drawing.get('bpmnFactory').create(type, properties);
  made.$parent = parent;
  return made;
}

/** Puts attributes into a setting; those that are empty go, and with the last one the setting itself. */
export function put(drawing, element, name, attributes) {
  const object = element.businessObject;
  const before = find(object, name);
  const said = Object.fromEntries(Object.entries({ ...attributesOf(before), ...attributes }).filter(([, value]) => value));
  const after = Object.keys(said).length ? [create(drawing, typeOf(name), said, object.extensionElements)] : [];
  const kept = object.extensionElements?.values ?? [];
  const place = before ? kept.indexOf(before) : kept.length;
  const values = [...kept.slice(0, place), ...after, ...kept.slice(place + (before ? 1 : 0))];
  if (!values.length) return change(drawing, element, object, { extensionElements: undefined });
  if (object.extensionElements) return change(drawing, element, object.extensionElements, { values });
  const holder = create(drawing, 'bpmn:ExtensionElements', { values }, object);
  after[0].$parent = holder;
  change(drawing, element, object, { extensionElements: holder });
}

function attributesOf(found) {
  if (!found) return {};
  const known = Object.fromEntries(found.$descriptor.properties.filter(({ name }) => found.get(name) !== undefined).map(({ name }) => [name.replace(/^wz:/, ''), found.get(name)]));
  return { ...known, ...found.$attrs };
}

/** A text that stands in an element of its own, such as a condition. */
export function expression(drawing, text, parent) {
  return text === '' ? undefined : create(drawing, 'bpmn:FormalExpression', { body: text }, parent);
}

export const bodyOf = (part) => part?.body ?? '';

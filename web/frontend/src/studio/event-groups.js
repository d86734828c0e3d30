// What an event waits for or sends, and what a task sends or waits for.
import { make } from '../page.js';
import { conditionBuilder } from './condition-builder.js';
import { readCycle, readSpan, writeCycle, writeSpan } from './durations.js';
import { button, choice, fold, group, set, text, tick } from './fields.js';
import { bodyOf, change, create, expression } from './settings.js';
import { say } from './words.js';

const NAMED = { message: 'bpmn:Message', signal: 'bpmn:Signal', error: 'bpmn:Error', escalation: 'bpmn:Escalation' };
const TIMES = { duration: 'timeDuration', date: 'timeDate', cycle: 'timeCycle' };
const BEGINNING = { duration: 'P1D', date: '', cycle: 'R/P1D' };
const kindOf = (definition) => definition.$type.replace(/^bpmn:(.*)EventDefinition$/, '$1').toLowerCase();

/** The choice of a message, signal, error or escalation of the file, and a way to add one by its name. */
function named(panel, kind, part) {
  const property = `${kind}Ref`;
  const definitions = panel.drawing.getDefinitions();
  const all = definitions.rootElements.filter((one) => one.$type === NAMED[kind]);
  const choose = (id) => change(panel.drawing, panel.element, part, { [property]: all.find((one) => one.id === id) });
  function add(name) {
    const made = create(panel.drawing, NAMED[kind], { name, ...(kind === 'error' ? { errorCode: name } : kind === 'escalation' ? { escalationCode: name } : {}) }, definitions);
    change(panel.drawing, panel.element, definitions, { rootElements: [...definitions.rootElements, made] });
    change(panel.drawing, panel.element, part, { [property]: made });
  }
  const name = make('input', { type: 'text', 'aria-label': say('newName'), placeholder: say('newName'), 'data-key': `new-${kind}` });
  const enter = () => name.value.trim() && add(name.value.trim());
  name.addEventListener('keydown', (event) => { if (event.key === 'Enter') enter(); });
  const catches = ['bpmn:BoundaryEvent', 'bpmn:StartEvent'].includes(panel.object.$type) && ['error', 'escalation'].includes(kind);
  return group(kind, say(`group_${kind}`),
    choice({ key: kind, label: say(`which_${kind}`), choices: all.map((one) => ({ code: one.id, name: one.name || one.errorCode || one.escalationCode || one.id })), value: part[property]?.id ?? '', empty: catches ? say('anyOne') : say('notSet'), write: choose }),
    make('div', { className: 'studio-add' }, name, button('plus', say('addNew'), enter, `add-${kind}`)));
}

function span(panel, key, value, write) {
  const part = (name) => text(panel, { key: `${key}-${name}`, label: say(name), type: 'number', min: 0, value: String(value[name]), write: (typed) => write({ ...value, [name]: Math.max(0, Math.trunc(Number(typed))) }) });
  return make('div', { className: 'studio-span' }, ...['months', 'days', 'hours', 'minutes'].map(part));
}

function fixedTime(panel, kind, body, write) {
  if (kind === 'date') {
    const local = body.match(/^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::00)?\+08:00$/)?.[1];
    return (local || !body) && text(panel, { key: 'moment', label: say('moment'), type: 'datetime-local', value: local ?? '', write: (typed) => write(typed && `${typed}+08:00`) });
  }
  if (kind === 'duration') {
    const read = readSpan(body);
    return read && set(say('span'), [span(panel, 'span', read, (changed) => write(writeSpan(changed) || body))]);
  }
  const read = readCycle(body);
  return read && make('div', {}, set(say('every'), [span(panel, 'span', read.span, (changed) => write(writeCycle({ ...read, span: changed }) || body))]), text(panel, { key: 'times', label: say('times'), type: 'number', min: 1, value: read.times ?? '', help: say('timesHelp'), write: (typed) => write(writeCycle({ ...read, times: Number(typed) })) }));
}

function timer(panel, definition) {
  const kind = Object.keys(TIMES).find((one) => definition[TIMES[one]]) ?? 'duration';
  const body = bodyOf(definition[TIMES[kind]]);
  const to = (chosen, written) => change(panel.drawing, panel.element, definition, Object.fromEntries(Object.entries(TIMES).map(([one, property]) => [property, one === chosen ? expression(panel.drawing, written, definition) : undefined])));
  const kinds = Object.keys(TIMES).filter((one) => one !== 'cycle' || panel.object.$type !== 'bpmn:IntermediateCatchEvent').map((code) => ({ code, name: say(`time_${code}`) }));
  const ready = body || BEGINNING[kind];
  return group('timer', say('groupTimer'),
    choice({ key: 'time-kind', label: say('timeKind'), choices: kinds, value: definition[TIMES[kind]] ? kind : '', empty: definition[TIMES[kind]] ? undefined : say('notSet'), write: (code) => to(code, BEGINNING[code] || '=') }),
    fixedTime(panel, kind, kind === 'date' && body === '=' ? '' : ready, (written) => to(kind, written)),
    fold('timer', say('expert'), text(panel, { key: 'time', label: say('expression'), value: body, code: true, help: say('timeHelp'), write: (written) => to(kind, written) })));
}

function link(panel, definition) {
  const others = panel.elements().flatMap((element) => element.businessObject.eventDefinitions ?? []).filter((one) => one !== definition && one.$type === 'bpmn:LinkEventDefinition' && one.name).map(({ name }) => name);
  return group('link', say('groupLink'), text(panel, { key: 'link', label: say('linkName'), value: definition.name, choices: [...new Set(others)], help: say('linkHelp'), write: (name) => change(panel.drawing, panel.element, definition, { name }) }));
}

function conditional(panel, definition) {
  return group('conditional', say('groupConditional'), ...conditionBuilder(panel, bodyOf(definition.condition), (written) => change(panel.drawing, panel.element, definition, { condition: expression(panel.drawing, written, definition) })));
}

function interrupting(panel) {
  const property = { 'bpmn:BoundaryEvent': 'cancelActivity', 'bpmn:StartEvent': 'isInterrupting' }[panel.object.$type];
  const may = property === 'cancelActivity' || panel.object.$parent?.triggeredByEvent;
  const must = panel.object.eventDefinitions?.some((one) => ['error', 'cancel'].includes(kindOf(one)));
  if (!property || !may || must) return '';
  return group('interrupting', say('groupInterrupting'), tick({ key: 'interrupting', label: say(property), value: panel.object[property], help: say('interruptingHelp'), write: (on) => panel.drawing.get('modeling').updateProperties(panel.element, { [property]: on }) }));
}

function defined(panel, definition) {
  const kind = kindOf(definition);
  if (kind in NAMED) return named(panel, kind, definition);
  return { timer, link, conditional }[kind]?.(panel, definition) ?? '';
}

export function eventGroups(panel) {
  const tasks = ['bpmn:SendTask', 'bpmn:ReceiveTask'].includes(panel.object.$type) ? [named(panel, 'message', panel.object)] : [];
  return [...tasks, ...(panel.object.eventDefinitions ?? []).map((definition) => defined(panel, definition)), interrupting(panel)];
}

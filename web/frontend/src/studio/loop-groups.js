// Work that is done several times: again and again, or by several people.
import { conditionBuilder } from './condition-builder.js';
import { fieldsOf, formsBefore } from './data.js';
import { standIn } from './drawing.js';
import { choice, fold, group, text, tick } from './fields.js';
import { bodyOf, change, create, expression } from './settings.js';
import { say } from './words.js';

const STANDARD = 'bpmn:StandardLoopCharacteristics';
const SEVERAL = 'bpmn:MultiInstanceLoopCharacteristics';

function kindOf(loop) {
  if (!loop) return '';
  if (loop.$type === STANDARD) return 'standard';
  return loop.isSequential ? 'sequential' : 'parallel';
}

function choose(panel, kind) {
  const { drawing, element, object } = panel;
  const before = object.loopCharacteristics;
  if (before?.$type === SEVERAL && ['parallel', 'sequential'].includes(kind)) return change(drawing, element, before, { isSequential: kind === 'sequential' });
  const made = kind && create(drawing, kind === 'standard' ? STANDARD : SEVERAL, kind === 'sequential' ? { isSequential: true } : {}, object);
  drawing.get('modeling').updateProperties(element, { loopCharacteristics: made || undefined });
}

function listNamed(panel, expression) {
  const model = panel.drawing.get('moddle');
  return expression ? model.ids.assigned(expression) || standIn(model, expression) : undefined;
}

function instances(panel, loop) {
  const { drawing, element } = panel;
  const to = (properties) => change(drawing, element, loop, properties);
  const lists = fieldsOf(panel.draft, drawing.getDefinitions(), formsBefore(panel.object), say('setByScript')).filter(({ kind }) => kind === 'list').map(({ name, title, group: from }) => ({ code: name, name: title, group: from }));
  const item = (type, property) => (name) => to({ [property]: name ? create(drawing, type, { name }, loop) : undefined });
  const nameOf = (part) => part?.name || part?.id || '';
  return [
    choice({ key: 'collection', label: say('collection'), choices: lists, value: loop.loopDataInputRef?.id ?? '', empty: say('notSet'), help: say('collectionHelp'), write: (name) => to({ loopDataInputRef: listNamed(panel, name) }) }),
    fold('instances', say('expert'),
      text(panel, { key: 'collection-expression', label: say('collectionExpression'), value: loop.loopDataInputRef?.id ?? '', code: true, write: (name) => to({ loopDataInputRef: listNamed(panel, name) }) }),
      text(panel, { key: 'item', label: say('item'), value: nameOf(loop.inputDataItem), code: true, help: say('itemHelp'), write: item('bpmn:DataInput', 'inputDataItem') }),
      text(panel, { key: 'cardinality', label: say('cardinality'), value: bodyOf(loop.loopCardinality), code: true, write: (written) => to({ loopCardinality: expression(drawing, written, loop) }) }),
      text(panel, { key: 'output-item', label: say('outputItem'), value: nameOf(loop.outputDataItem), code: true, help: say('outputHelp'), write: item('bpmn:DataOutput', 'outputDataItem') }),
      text(panel, { key: 'output', label: say('output'), value: loop.loopDataOutputRef?.id ?? '', code: true, write: (name) => to({ loopDataOutputRef: listNamed(panel, name) }) })),
    group('completion', say('groupCompletion'), ...conditionBuilder(panel, bodyOf(loop.completionCondition), (written) => to({ completionCondition: expression(drawing, written, loop) }))),
  ];
}

function repeated(panel, loop) {
  const to = (properties) => change(panel.drawing, panel.element, loop, properties);
  return [
    text(panel, { key: 'maximum', label: say('maximum'), type: 'number', min: 1, value: loop.loopMaximum ?? '', write: (typed) => to({ loopMaximum: Number(typed) || undefined }) }),
    tick({ key: 'test-before', label: say('testBefore'), value: Boolean(loop.testBefore), write: (on) => to({ testBefore: on }) }),
    group('loop-condition', say('groupLoopCondition'), ...conditionBuilder(panel, bodyOf(loop.loopCondition), (written) => to({ loopCondition: expression(panel.drawing, written, loop) }))),
  ];
}

export function loopGroups(panel) {
  const { object } = panel;
  if (!object.$instanceOf('bpmn:Activity') || object.triggeredByEvent) return [];
  const loop = object.loopCharacteristics;
  const kind = kindOf(loop);
  const choices = ['standard', 'parallel', 'sequential'].map((code) => ({ code, name: say(`loop_${code}`) }));
  const more = { '': () => [], standard: () => repeated(panel, loop), parallel: () => instances(panel, loop), sequential: () => instances(panel, loop) };
  return [group('loop', say('groupLoop'), choice({ key: 'loop', label: say('loop'), choices, value: kind, empty: say('loopOnce'), write: (code) => choose(panel, code) }), ...more[kind]())];
}

// Where the process goes on: conditions of flows and the default way out.
import { make } from '../page.js';
import { conditionBuilder, conditionSaid } from './condition-builder.js';
import { choice, group, hint } from './fields.js';
import { bodyOf, expression } from './settings.js';
import { say } from './words.js';

const CHOOSING = ['bpmn:ExclusiveGateway', 'bpmn:InclusiveGateway'];
const chooses = (object) => CHOOSING.includes(object.$type) || object.$instanceOf('bpmn:Activity');
const nameOf = (flow) => flow.name || say('flowTo', { name: flow.targetRef?.name || flow.targetRef?.id });

function flow(panel) {
  const { object, drawing, element } = panel;
  if (object.$type !== 'bpmn:SequenceFlow' || !chooses(object.sourceRef)) return '';
  if (object.sourceRef.default === object) return group('condition', say('groupCondition'), hint(say('isDefault')));
  const write = (written) => drawing.get('modeling').updateProperties(element, { conditionExpression: expression(drawing, written, object) });
  return group('condition', say('groupCondition'), ...conditionBuilder(panel, bodyOf(object.conditionExpression), write));
}

function told(panel, out) {
  if (panel.object.default === out) return say('otherwise');
  const written = bodyOf(out.conditionExpression);
  return written ? conditionSaid(panel, written) : say('noCondition');
}

function gateway(panel) {
  const out = panel.object.outgoing ?? [];
  if (!CHOOSING.includes(panel.object.$type) || out.length < 2) return '';
  const lines = out.map((one) => {
    const go = make('button', { type: 'button', className: 'studio-way', 'data-key': `way-${one.id}` }, make('strong', {}, nameOf(one)), make('span', {}, told(panel, one)));
    go.addEventListener('click', () => panel.go(one.id));
    return make('li', {}, go);
  });
  const byDefault = (id) => panel.drawing.get('modeling').updateProperties(panel.element, { default: out.find((one) => one.id === id) });
  return group('ways', say('groupWays'), make('ul', { className: 'studio-ways' }, ...lines),
    choice({ key: 'default', label: say('defaultWay'), choices: out.map((one) => ({ code: one.id, name: nameOf(one) })), value: panel.object.default?.id ?? '', empty: say('notSet'), help: say('defaultHelp'), write: byDefault }));
}

export const flowGroups = (panel) => [flow(panel), gateway(panel)];

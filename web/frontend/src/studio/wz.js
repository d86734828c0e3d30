// Our settings in a diagram, for the library that reads and writes BPMN: namespace urn:wuzhang:bpmn:1.
const texts = (...names) => names.map((name) => ({ name, type: 'String', isAttr: true }));
const setting = (name, ...attributes) => ({ name, superClass: ['Element'], properties: texts(...attributes) });

export default {
  name: 'Wuzhang',
  uri: 'urn:wuzhang:bpmn:1',
  prefix: 'wz',
  xml: { tagAlias: 'lowerCase' },
  types: [
    setting('Assign', 'post', 'unit', 'person', 'exclude'),
    setting('Form', 'key'),
    setting('Deadline', 'until', 'amount', 'unit', 'factor', 'overdue'),
    setting('Status', 'value'),
    setting('Clock', 'paused'),
    setting('Actor', 'as'),
    setting('Actions', 'allow'),
    setting('Check', 'name'),
    setting('Service', 'name'),
    { name: 'Rule', extends: ['bpmn:BusinessRuleTask'], properties: texts('decision', 'lookup', 'result') },
  ],
};

// A process to call, on a page of its own that holds its start.
import { change, create } from './settings.js';
import { say } from './words.js';

const START = { x: 180, y: 160, width: 36, height: 36 };

/** Returns the id of the new process. */
export function addProcess(panel, name) {
  const { drawing } = panel;
  const definitions = drawing.getDefinitions();
  const start = create(drawing, 'bpmn:StartEvent', { name: say('start') });
  const process = create(drawing, 'bpmn:Process', { name, isExecutable: true, flowElements: [start] }, definitions);
  start.$parent = process;
  const shape = create(drawing, 'bpmndi:BPMNShape', { bpmnElement: start, bounds: create(drawing, 'dc:Bounds', START) });
  const plane = create(drawing, 'bpmndi:BPMNPlane', { bpmnElement: process, planeElement: [shape] });
  const diagram = create(drawing, 'bpmndi:BPMNDiagram', { name, plane }, definitions);
  shape.$parent = plane;
  plane.$parent = diagram;
  change(drawing, panel.element, definitions, { rootElements: [...definitions.rootElements, process], diagrams: [...definitions.diagrams, diagram] });
  return process.id;
}

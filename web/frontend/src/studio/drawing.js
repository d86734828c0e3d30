// The drawing library set up for us: with everything to edit, or only to look at.
import { CreateAppendAnythingModule } from 'bpmn-js-create-append-anything';
import simulation from 'bpmn-js-token-simulation';
import Modeler from 'bpmn-js/lib/Modeler';
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import minimap from 'diagram-js-minimap';
import language from './language.js';
import room from './room.js';
import shapes from './shapes.js';
import wz from './wz.js';

const LISTS = ['bpmn:loopDataInputRef', 'bpmn:loopDataOutputRef'];

/** The list that several instances walk over is an expression, kept by the library as a reference: something must stand for it. */
export const standIn = (model, expression) => model.create('bpmn:DataObject', { id: expression });

function keepLists({ definitions, references, elementsById, warnings }) {
  const isList = ({ property, id }) => LISTS.includes(property) && !elementsById[id];
  for (const { element, id, property } of references.filter(isList)) element.set(property, standIn(definitions.$model, id));
  return warnings.filter(({ property, value }) => !isList({ property, id: value }));
}

export function makeDrawing(container, editable) {
  const Drawing = editable ? Modeler : NavigatedViewer;
  const drawing = new Drawing({
    container,
    moddleExtensions: { wz },
    additionalModules: [language, minimap, ...(editable ? [CreateAppendAnythingModule, shapes, room, simulation] : [])],
  });
  drawing.lost = [];
  drawing.on('import.parse.complete', (read) => { if (read.definitions) drawing.lost = keepLists(read); });
  return drawing;
}

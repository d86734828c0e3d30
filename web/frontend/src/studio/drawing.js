// The drawing library set up for us: with everything to edit, or only to look at.
import { CreateAppendAnythingModule } from 'bpmn-js-create-append-anything';
import simulation from 'bpmn-js-token-simulation';
import Modeler from 'bpmn-js/lib/Modeler';
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import minimap from 'diagram-js-minimap';
import language from './language.js';
import shapes from './shapes.js';
import wz from './wz.js';

const LISTS = ['bpmn:loopDataInputRef', 'bpmn:loopDataOutputRef'];
const NAME = /^[^\W\d][\w.-]{0,99}$/u;

/** A list that several instances walk over is a name of the data; the library keeps it only as a reference to a data object. */
function declareLists({ definitions, references, elementsById, warnings }) {
  for (const { element, id, property } of references) {
    if (!LISTS.includes(property) || elementsById[id] || !NAME.test(id)) continue;
    let scope = element.$parent;
    while (scope && !scope.flowElements) scope = scope.$parent;
    const list = declared(definitions, scope, id);
    elementsById[id] = list;
    element.set(property, list);
  }
  return warnings.filter((warning) => !(LISTS.includes(warning.property) && elementsById[warning.value]));
}

function declared(definitions, scope, id) {
  const list = definitions.$model.create('bpmn:DataObject', { id });
  list.$parent = scope;
  scope.flowElements.push(list);
  return list;
}

export function makeDrawing(container, editable) {
  const Drawing = editable ? Modeler : NavigatedViewer;
  const drawing = new Drawing({
    container,
    moddleExtensions: { wz },
    additionalModules: [language, minimap, ...(editable ? [CreateAppendAnythingModule, shapes, simulation] : [])],
  });
  drawing.lost = [];
  drawing.on('import.parse.complete', ({ definitions, references, elementsById, warnings }) => {
    if (definitions) drawing.lost = declareLists({ definitions, references, elementsById, warnings });
  });
  return drawing;
}

// One file may hold several drawings (BPMNDiagram): pools side by side and the insides of collapsed subprocesses.
import { say } from './words.js';

function nameOf(plane, number) {
  const shown = plane.bpmnElement;
  const pools = shown?.participants?.map((pool) => pool.name).filter(Boolean).join('、');
  return plane.$parent?.name || shown?.name || pools || say('diagramPageUnnamed', { number });
}

const processesOf = (shown) => shown?.participants?.map((pool) => pool.processRef).filter(Boolean) ?? [shown].filter(Boolean);

export function pagesOf(viewer, here) {
  return viewer.getDefinitions().diagrams.map((diagram, index) => {
    const elements = new Set((diagram.plane.planeElement ?? []).map((drawn) => drawn.bpmnElement?.id));
    return {
      id: diagram.id,
      plane: diagram.plane.bpmnElement?.id,
      name: nameOf(diagram.plane, index + 1),
      current: [...here].some((id) => elements.has(id)),
      elements,
      processes: new Set(processesOf(diagram.plane.bpmnElement).map((process) => process.id)),
    };
  });
}

/** Turns to a page; true when the canvas was drawn anew and has lost its markers. */
export async function show(viewer, page) {
  const canvas = viewer.get('canvas');
  const root = canvas.findRoot(`${page.plane}_plane`) ?? canvas.findRoot(page.plane);
  if (root) {
    canvas.setRootElement(root);
    return false;
  }
  await viewer.open(page.id);
  return true;
}

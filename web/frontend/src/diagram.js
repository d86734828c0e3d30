// <div data-diagram data-xml-url data-state-url>: the diagram of a case with what is done, current and overdue.
// data-state: the state itself instead, for diagrams that are compared: {"nodes": {"grade_case": {"changed": 1}}} with added, changed, removed.
// State: {"nodes": {"grade_case": {"done": 2, "current": 1, "overdue": 1}}, "taken": ["flow ids"]}
// data-element: the node whose page is shown first; else that of a task in hand.
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import { all, announce, eachNew, focusOn, icon, make } from './page.js';
import { pagesOf, show } from './diagram-pages.js';
import { touch } from './diagram-touch.js';
import { say } from './words.js';

const MARGIN = 40;
const SMALL = 50;
const READABLE = 0.45; // below this scale the names of a fitted diagram cannot be read: start at the current node instead
const CLOSE_UP = 0.8;
const COMPARED = ['added', 'changed', 'removed'];
const COMPARED_SIGNS = { added: '＋', changed: '～', removed: '－' };
const COMPARED_WORDS = { added: 'nodeAdded', changed: 'nodeChanged', removed: 'nodeRemoved' };

const nameOf = (element) => element.businessObject.name || say('nodeUnnamed');
const recordsOf = (id) => all(document, `[data-node-records="${CSS.escape(id)}"]`);

function describe({ done, current, overdue, ...state }) {
  return [done && (Number(done) === 1 ? say('nodeDoneOnce') : say('nodeDone', { count: Number(done) })), current && say('nodeCurrent'), overdue && say('nodeOverdue'), ...COMPARED.filter((kind) => state[kind]).map((kind) => say(COMPARED_WORDS[kind]))].filter(Boolean);
}

/** Where the signs of a node stand: over the edge of a step; beside a diamond or circle, away from its name. */
function beside(registry, id) {
  const node = registry.get(id);
  if (node.width > SMALL) return { top: -14, left: -4 };
  const name = registry.get(`${id}_label`);
  return name && name.y < node.y ? { bottom: 12, left: -18 } : { top: -6, left: -18 };
}

/** Border by class, meaning by sign and word: above the node, never over its name. */
function paint(viewer, { nodes = {}, taken = [] }) {
  const canvas = viewer.get('canvas');
  const registry = viewer.get('elementRegistry');
  for (const [id, state] of Object.entries(nodes)) {
    if (!registry.get(id)) continue;
    for (const kind of ['done', 'current', 'overdue', ...COMPARED]) if (state[kind]) canvas.addMarker(id, `is-${kind}`);
    if (registry.get(id).waypoints) continue;
    const badges = make('div', { className: 'node-badges' });
    if (state.overdue) badges.append(make('span', { className: 'node-badge is-overdue' }, `! ${say('nodeOverdue')}`));
    else if (state.current) badges.append(make('span', { className: 'node-badge is-current' }, `▶ ${say('nodeCurrent')}`));
    const compared = COMPARED.find((kind) => state[kind]);
    if (compared) badges.append(make('span', { className: `node-badge is-${compared}` }, `${COMPARED_SIGNS[compared]} ${say(COMPARED_WORDS[compared])}`));
    if (state.done && !state.current) badges.append(make('span', { className: 'node-badge is-done' }, Number(state.done) > 1 ? `✓ ${Number(state.done)}` : '✓'));
    viewer.get('overlays').add(id, { position: beside(registry, id), html: badges, scale: { min: state.current || state.overdue || compared ? 0.7 : 0.1, max: 1.2 } }); // counts are read close up
  }
  for (const id of taken) if (registry.get(id)) canvas.addMarker(id, 'is-taken');
}

/** Nodes with something to tell can be reached by Tab and say what they are. */
function open(viewer, nodes = {}) {
  const registry = viewer.get('elementRegistry');
  registry.forEach((element, graphics) => {
    const id = element.id;
    if (element.labelTarget || element.waypoints || !(nodes[id] || recordsOf(id).length)) return;
    graphics.setAttribute('tabindex', '0');
    graphics.setAttribute('role', 'button');
    graphics.setAttribute('aria-label', [nameOf(element), ...describe(nodes[id] ?? {})].join(say('comma')));
    graphics.classList.add('has-records');
  });
}

function fit(viewer) {
  const canvas = viewer.get('canvas');
  canvas.resized();
  const { inner, outer } = canvas.viewbox();
  if (!inner.width || !outer.width) return 1;
  const scale = Math.min(1, outer.width / (inner.width + 2 * MARGIN), outer.height / (inner.height + 2 * MARGIN));
  const [width, height] = [outer.width / scale, outer.height / scale];
  canvas.viewbox({ x: inner.x + inner.width / 2 - width / 2, y: inner.y + inner.height / 2 - height / 2, width, height });
  return scale;
}

/** On paper the whole drawing is seen, however close one has looked. */
function printWhole(sheet, viewer) {
  const canvas = viewer.get('canvas');
  let seen;
  addEventListener('beforeprint', () => {
    seen = canvas.viewbox();
    sheet.classList.add('is-printed');
    fit(viewer);
  });
  addEventListener('afterprint', () => {
    sheet.classList.remove('is-printed');
    canvas.resized();
    canvas.viewbox(seen);
  });
}

function closeUp(viewer, id) {
  const canvas = viewer.get('canvas');
  const { x, y, width, height } = viewer.get('elementRegistry').get(id);
  const { outer } = canvas.viewbox();
  const box = { width: outer.width / CLOSE_UP, height: outer.height / CLOSE_UP };
  canvas.viewbox({ x: x + width / 2 - box.width / 2, y: y + height / 2 - box.height / 2, ...box });
}

function select(box, viewer, element) {
  const { id } = element;
  const canvas = viewer.get('canvas');
  viewer.get('elementRegistry').forEach((other) => canvas.removeMarker(other, 'is-chosen'));
  canvas.addMarker(id, 'is-chosen');
  for (const old of all(document, '[data-node-records].is-chosen')) old.classList.remove('is-chosen');
  const records = recordsOf(id);
  box.dispatchEvent(new CustomEvent('diagram:select', { bubbles: true, detail: { element: id } }));
  if (!records.length) return announce(say('nodeNoRecords', { name: nameOf(element) }));
  box.querySelector('[aria-pressed=true]')?.click(); // leave the full screen: the records lie under it
  for (const record of records) record.classList.add('is-chosen');
  for (let fold = records[0].closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
  focusOn(records[0]);
}

/** Whether a node only stands for others, on a page of their own. */
function callsOrHolds(viewer, id) {
  const drawn = viewer.getDefinitions().diagrams.flatMap((diagram) => diagram.plane.planeElement ?? []).find((shape) => shape.bpmnElement?.id === id);
  return ['bpmn:CallActivity', 'bpmn:SubProcess', 'bpmn:Transaction'].includes(drawn?.bpmnElement.$type);
}

function frame(box) {
  const button = (sign, words) => make('button', { type: 'button', className: 'btn btn-icon', title: say(words), 'aria-label': say(words) }, icon(sign));
  const parts = {
    message: make('p', { className: 'diagram-message', role: 'status' }, say('diagramLoading')),
    pages: make('select', { className: 'form-select', 'aria-label': say('diagramPage'), hidden: true }),
    nearer: button('zoom-in', 'zoomIn'),
    farther: button('zoom-out', 'zoomOut'),
    whole: button('focus-centered', 'zoomFit'),
    full: button('maximize', 'zoomFull'),
    canvas: make('div', { className: 'diagram-canvas' }),
  };
  parts.tools = make('div', { className: 'diagram-tools', hidden: true }, parts.pages, make('span', { className: 'diagram-zoom' }, parts.nearer, parts.farther, parts.whole, parts.full));
  box.replaceChildren(parts.tools, parts.message, parts.canvas);
  return parts;
}

async function fetched(url, kind) {
  const answer = await fetch(url, { credentials: 'same-origin' });
  if (!answer.ok) throw new Error(`${answer.status} ${url}`);
  return answer[kind]();
}

async function draw(box) {
  const parts = frame(box);
  try {
    const stands = box.dataset.stateUrl ? fetched(box.dataset.stateUrl, 'json') : JSON.parse(box.dataset.state ?? '{}');
    const [xml, state] = await Promise.all([fetched(box.dataset.xmlUrl, 'text'), stands]);
    const viewer = new NavigatedViewer({ container: parts.canvas, zoomScroll: { enabled: false } }); // the wheel scrolls the page
    await viewer.importXML(xml);
    await inhabit(box, parts, viewer, state);
    parts.message.remove();
    parts.tools.hidden = false;
  } catch (problem) {
    console.warn(problem);
    parts.canvas.remove();
    parts.message.textContent = say('diagramFailed');
    parts.message.classList.add('alert', 'alert-warning');
  }
}

async function inhabit(box, parts, viewer, state) {
  const nodes = state.nodes ?? {};
  const here = Object.keys(nodes).filter((id) => ['current', ...COMPARED].some((kind) => nodes[id][kind]));
  const pages = pagesOf(viewer, new Set(here));
  const canvas = viewer.get('canvas');

  async function turn(page) {
    if (await show(viewer, page)) paint(viewer, state);
    open(viewer, nodes);
    const drawing = parts.canvas.querySelector('svg[data-element-id]') ?? parts.canvas.querySelector('.djs-container > svg');
    drawing.setAttribute('role', 'group');
    drawing.setAttribute('aria-label', say('diagram') + say('colon') + page.name);
    parts.pages.value = page.id;
    const target = [box.dataset.element, ...here].find((id) => id && page.elements.has(id));
    if (fit(viewer) < READABLE && target) closeUp(viewer, target);
  }

  for (const page of pages) parts.pages.append(new Option(page.current ? say('diagramPageHere', page) : page.name, page.id));
  parts.pages.hidden = pages.length < 2;
  paint(viewer, state);
  parts.tools.hidden = false;
  const worked = here.filter((id) => !callsOrHolds(viewer, id));
  const wanted = box.dataset.element ? [box.dataset.element] : worked;
  await turn(pages.find((page) => wanted.some((id) => page.elements.has(id))) ?? pages.find((page) => page.current) ?? pages[0]);

  parts.pages.addEventListener('change', () => turn(pages.find((page) => page.id === parts.pages.value)));
  parts.nearer.addEventListener('click', () => canvas.zoom(Math.min(4, canvas.zoom() * 1.25)));
  parts.farther.addEventListener('click', () => canvas.zoom(Math.max(0.1, canvas.zoom() / 1.25)));
  parts.whole.addEventListener('click', () => fit(viewer));
  parts.full.addEventListener('click', () => {
    const full = box.classList.toggle('is-full');
    parts.full.setAttribute('aria-pressed', full);
    parts.full.title = say(full ? 'zoomFullEnd' : 'zoomFull');
    parts.full.setAttribute('aria-label', parts.full.title);
    viewer.get('zoomScroll').toggle(full);
    fit(viewer);
  });
  function choose(element) {
    const { businessObject } = element;
    if (!businessObject.$instanceOf?.('bpmn:FlowNode')) return;
    const inside = businessObject.calledElement && pages.find((page) => page.processes.has(businessObject.calledElement));
    if (inside && !recordsOf(element.id).length) turn(inside);
    else select(box, viewer, element);
  }
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && box.classList.contains('is-full')) parts.full.click();
    const node = event.target.closest('[data-element-id][role=button]');
    if (!node || !['Enter', ' '].includes(event.key)) return;
    event.preventDefault();
    choose(viewer.get('elementRegistry').get(node.dataset.elementId));
  });
  viewer.on('element.click', ({ element }) => choose(element.labelTarget ?? element));
  document.addEventListener('click', async (event) => {
    const id = event.target.closest?.('[data-show-node]')?.dataset.showNode;
    const page = id && pages.find((one) => one.elements.has(id));
    if (!page || !box.isConnected) return;
    await turn(page);
    closeUp(viewer, id);
    focusOn(viewer.get('elementRegistry').getGraphics(id));
  });
  printWhole(parts.canvas, viewer);
  touch(parts.canvas, canvas, () => box.classList.contains('is-full'));
}

if (!window.wuzhangDiagram) { // a swapped-in page part may bring this file a second time
  window.wuzhangDiagram = true;
  eachNew('[data-diagram]', draw);
}

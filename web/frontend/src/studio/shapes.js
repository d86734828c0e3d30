// Only what the engine runs is offered: in the palette, and in the menus that create, append and change elements.
const EVENTS = {
  start: ['message', 'timer', 'conditional', 'signal', 'error', 'escalation'],
  'intermediate-catch': ['message', 'timer', 'conditional', 'signal', 'link'],
  'intermediate-throw': ['message', 'signal', 'escalation', 'link'],
  boundary: ['message', 'timer', 'conditional', 'signal', 'error', 'escalation', 'cancel'],
  end: ['message', 'signal', 'error', 'escalation', 'cancel', 'terminate'],
};
const REFUSED = /complex-gateway|ad-hoc|compensation|data-object|data-store|conversation|multiplicity|collection/;
const PLAIN_TASK = /^(?:append|create|replace-with)-task$/;

/** The event that a menu entry makes, such as `timer` at the `boundary`. */
function madeBy(key) {
  const found = key.match(/-(\w+)-(start|intermediate-catch|intermediate-throw|boundary|end)$/);
  return found && found[1] !== 'none' && found[1] !== 'with' && { kind: found[1], place: found[2] };
}

export function isOffered(key) {
  const event = madeBy(key);
  return !REFUSED.test(key) && !PLAIN_TASK.test(key) && (!event || EVENTS[event.place].includes(event.kind));
}

const RARE = /-(?:send-task|receive-task|manual-task|inclusive-gateway)$/; // the library shows these only to those who search for them

const offered = (entries) => Object.fromEntries(Object.entries(entries).filter(([key]) => isOffered(key)).map(([key, entry]) => [key, RARE.test(key) ? { ...entry, rank: 0 } : entry]));

const PEOPLE = ['bpmn:UserTask', 'bpmn:ManualTask', 'bpmn:Task'];
const PLACES = { 'wz:Status': [...PEOPLE, 'bpmn:EndEvent'], 'wz:Form': [...PEOPLE, 'bpmn:StartEvent'], 'wz:Service': ['bpmn:ServiceTask'] };

/** An element that changes its kind, or is pasted, keeps only the settings that its kind can have. */
function keepFitting({ property, parent }) {
  if (property?.$type?.startsWith('wz:') && !(PLACES[property.$type] ?? PEOPLE).includes(parent.$parent?.$type)) return false;
}

function Shapes(eventBus, popupMenu, palette, contextPad, create, autoPlace, elementFactory, translate) {
  const LAST = 200;
  eventBus.on('moddleCopy.canCopyProperty', keepFitting);
  const menu = { getPopupMenuEntries: () => offered, getPopupMenuHeaderEntries: () => offered };
  for (const id of ['bpmn-replace', 'bpmn-append', 'bpmn-create']) popupMenu.registerProvider(id, LAST, menu);

  function begin(event) {
    create.start(event, elementFactory.createShape({ type: 'bpmn:UserTask' }));
  }
  const task = { group: 'activity', className: 'bpmn-icon-user-task', title: translate('Create user task'), action: { dragstart: begin, click: begin } };
  palette.registerProvider(LAST, {
    getPaletteEntries: () => (entries) => Object.fromEntries(Object.entries(offered(entries)).map(([key, entry]) => (key === 'create.task' ? [key, task] : [key, entry]))),
  });
  contextPad.registerProvider(LAST, {
    getContextPadEntries: (element) => (entries) => {
      const append = entries['append.append-task'];
      if (append) {
        const shape = () => elementFactory.createShape({ type: 'bpmn:UserTask' });
        const action = { dragstart: (event) => create.start(event, shape(), { source: element }), click: () => autoPlace.append(element, shape()) };
        entries['append.append-task'] = { ...append, className: 'bpmn-icon-user-task', title: translate('Append user task'), action };
      }
      return offered(entries);
    },
  });
}
Shapes.$inject = ['eventBus', 'popupMenu', 'palette', 'contextPad', 'create', 'autoPlace', 'elementFactory', 'translate'];

export default { __init__: ['wzShapes'], wzShapes: ['type', Shapes] };

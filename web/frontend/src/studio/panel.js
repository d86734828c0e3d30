// The settings of the selected element, in the words of those who run the process.
import { make } from '../page.js';
import { DIAGRAM } from './draft.js';
import { eventGroups } from './event-groups.js';
import { Typing, fold, group, hint, text } from './fields.js';
import { flowGroups } from './flow-groups.js';
import { inChinese } from './language.js';
import { loopGroups } from './loop-groups.js';
import { change, create } from './settings.js';
import { taskGroups } from './task-groups.js';
import { say } from './words.js';

const ID = /^[^\W\d][\w.-]{0,99}$/u;

/** "bpmn:UserTask" with a timer or not → what people call it. */
function typeSaid(object) {
  const kind = object.eventDefinitions?.[0]?.$type.replace(/^bpmn:(.*)EventDefinition$/, '$1 ') ?? '';
  const words = object.$type.replace(/^bpmn:/, '').replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
  const said = `${kind}${words.toLowerCase()}`.trim();
  const english = said[0].toUpperCase() + said.slice(1);
  return document.documentElement.lang.startsWith('en') ? english : inChinese(english) ?? english;
}

const poolsOf = ({ participants }) => participants?.map(({ name }) => name).filter(Boolean).join(say('listComma'));

/** What groups of fields are given: the element, where it belongs, and how to go elsewhere. */
export class Panel {
  constructor({ box, drawing, draft, editable, go, touch }) {
    Object.assign(this, { box, drawing, draft, editable, go });
    this.typing = new Typing(touch);
    drawing.on(['selection.changed', 'commandStack.changed', 'import.done'], () => this.later());
    this.open = new AbortController();
    draft.addEventListener('changed', ({ detail }) => { if (detail.path !== DIAGRAM) this.later(); }, { signal: this.open.signal });
    this.element = null;
  }

  get object() {
    return this.element.businessObject;
  }

  /** Everything on the drawing. */
  elements() {
    return this.drawing.get('elementRegistry').filter((element) => !element.labelTarget);
  }

  /** The process that the element belongs to. */
  process() {
    let here = this.object;
    while (here && here.$type !== 'bpmn:Process') here = here.$type === 'bpmn:Participant' ? here.processRef : here.$parent;
    return here;
  }

  close() {
    clearTimeout(this.timer);
    this.open.abort();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show());
  }

  chosen() {
    const selected = this.drawing.get('selection').get();
    if (selected.length > 1) return null;
    return selected[0]?.labelTarget ?? selected[0] ?? this.drawing.get('canvas').getRootElement();
  }

  show() {
    const element = this.chosen();
    if (element === this.element && this.typing.busy) return;
    this.typing.commit();
    const focus = this.focused();
    const folds = new Set([...this.box.querySelectorAll('[data-fold][open]')].map((one) => one.dataset.fold));
    const same = element === this.element;
    const top = same ? this.box.scrollTop : 0;
    this.element = element;
    this.box.replaceChildren(...(element ? this.content() : [hint(say('severalSelected'))]));
    if (same) for (const one of this.box.querySelectorAll('[data-fold]')) one.open = folds.has(one.dataset.fold);
    this.box.scrollTop = top;
    if (same) this.refocus(focus);
  }

  focused() {
    const { activeElement } = document;
    if (!this.box.contains(activeElement)) return null;
    const typed = 'selectionStart' in activeElement && activeElement.selectionStart !== null;
    return { key: activeElement.dataset.key, range: typed && [activeElement.selectionStart, activeElement.selectionEnd] };
  }

  refocus(focus) {
    if (!focus?.key) return;
    const again = this.box.querySelector(`[data-key="${CSS.escape(focus.key)}"]`);
    again?.focus({ preventScroll: true });
    if (focus.range && again?.setSelectionRange) again.setSelectionRange(...focus.range);
  }

  content() {
    const { object } = this;
    const head = make('header', { className: 'studio-panel-head' }, make('small', {}, typeSaid(object)), make('h2', {}, object.name || poolsOf(object) || say('unnamed')));
    const groups = object.$instanceOf('bpmn:FlowElement') ? [...taskGroups(this), ...eventGroups(this), ...flowGroups(this), ...loopGroups(this)] : [];
    return [head, make('fieldset', { className: 'studio-settings', disabled: !this.editable }, this.general(), ...groups)];
  }

  general() {
    const { object, drawing, element } = this;
    const modeling = drawing.get('modeling', false);
    const process = { 'bpmn:Participant': object.processRef, 'bpmn:Process': object }[object.$type];
    const called = object.$type === 'bpmn:TextAnnotation' ? 'text' : 'name';
    const named = object.$type !== 'bpmn:Collaboration' && text(this, { key: 'name', label: say(called === 'text' ? 'annotation' : 'name'), rows: 2, value: object[called], write: (typed) => modeling.updateProperties(element, { [called]: typed.trim() || undefined }) });
    const processName = object.$type === 'bpmn:Participant' && process && text(this, { key: 'process-name', label: say('processName'), value: process.name, write: (typed) => change(drawing, element, process, { name: typed.trim() || undefined }) });
    const note = object.documentation?.[0]?.text;
    const documentation = text(this, { key: 'documentation', label: say('documentation'), rows: 2, value: note, write: (typed) => change(drawing, element, object, { documentation: typed ? [create(drawing, 'bpmn:Documentation', { text: typed }, object)] : [] }) });
    return group('general', say('groupGeneral'), named, processName, documentation, fold('id', say('expert'), this.identity()));
  }

  identity() {
    const { object, drawing, element } = this;
    const { ids } = drawing.get('moddle');
    const write = (id) => {
      if (id === object.id) return;
      if (ID.test(id) && !ids?.assigned(id)) return drawing.get('modeling').updateProperties(element, { id });
      this.later();
    };
    return text(this, { key: 'id', label: say('id'), value: object.id, code: true, help: say('idHelp'), disabled: Boolean(element.isImplicit) || !element.parent, write });
  }
}

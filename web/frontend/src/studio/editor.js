// The part of the studio that edits the diagram: the drawing, its tools and the settings of what is selected.
import { make } from '../page.js';
import { pagesOf, show } from '../diagram-pages.js';
import { DIAGRAM } from './draft.js';
import { makeDrawing } from './drawing.js';
import { mark } from './marks.js';
import { Panel } from './panel.js';
import { toolbar } from './toolbar.js';
import { begin, centre } from './view.js';
import { say } from './words.js';

/** One drawing, from when it is made until it turns editable or only to be looked at. */
class Editor {
  constructor(box, draft, editable) {
    this.draft = draft;
    this.editable = editable;
    this.pages = make('select', { className: 'form-select', 'aria-label': say('page'), hidden: true });
    this.canvas = make('div', { className: 'studio-canvas' });
    this.message = make('p', { className: 'notice notice-warning', role: 'alert', hidden: true });
    const aside = make('aside', { className: 'studio-panel', 'aria-label': say('settings'), tabIndex: -1 });
    this.drawing = makeDrawing(this.canvas, editable);
    box.replaceChildren(toolbar(this.drawing, box, this.pages, editable), this.message, make('div', { className: 'studio-desk' }, this.canvas, aside));
    this.pages.addEventListener('change', () => this.turn(this.list().find(({ id }) => id === this.pages.value)));
    const touch = () => draft.later(DIAGRAM, () => this.text());
    this.panel = new Panel({ box: aside, drawing: this.drawing, draft, editable, go: (id) => this.select(id), touch });
    this.drawing.on('commandStack.changed', ({ trigger }) => { if (trigger !== 'clear') touch(); });
    this.drawing.on(['import.done', 'root.set', 'commandStack.changed'], () => this.listPages());
    this.drawing.on('import.done', () => this.mark());
  }

  /** The diagram as it is now, with what is still being typed into its settings. */
  async text() {
    this.panel.typing.commit();
    return (await this.drawing.saveXML({ format: true })).xml;
  }

  async read() {
    try {
      await this.drawing.importXML(this.draft.get(DIAGRAM));
    } catch (problem) {
      return this.complain('diagramFailed', problem.message);
    }
    begin(this.drawing);
  }

  complain(words, reason) {
    this.message.textContent = say(words, { reason });
    this.message.hidden = false;
  }

  list() {
    return this.drawing.getDefinitions() ? pagesOf(this.drawing, new Set()) : [];
  }

  /** The page that is shown; its plane has a name of its own when it is the inside of a collapsed subprocess. */
  shown(pages) {
    const root = this.drawing.get('canvas').getRootElement().id;
    return pages.find(({ plane }) => [plane, `${plane}_plane`].includes(root));
  }

  listPages() {
    const pages = this.list();
    this.pages.replaceChildren(...pages.map((page) => new Option(page.name, page.id)));
    this.pages.value = this.shown(pages)?.id;
    this.pages.hidden = pages.length < 2;
  }

  async turn(page) {
    this.panel.typing.commit();
    if (page.id === this.shown(this.list())?.id) return;
    await show(this.drawing, page);
    begin(this.drawing);
  }

  async select(id) {
    const page = this.list().find((one) => one.elements.has(id) || one.processes.has(id) || one.plane === id);
    if (!page) return false;
    await this.turn(page);
    const element = this.drawing.get('elementRegistry').get(id) ?? this.drawing.get('canvas').getRootElement();
    this.drawing.get('selection').select(element);
    if (element.parent) centre(this.drawing, element);
    return true;
  }

  close() {
    this.panel.close();
    this.drawing.destroy();
  }

  mark() {
    mark(this.drawing, this.draft.problems);
  }
}

export async function mount(box, draft) {
  box.classList.add('studio-diagram');
  let editor;
  async function begin(editable) {
    const before = editor;
    editor = new Editor(box, draft, editable);
    const here = before?.panel.chosen()?.id;
    await draft.typed(); // also what the drawing that goes away has not handed over yet
    before?.close();
    await editor.read();
    if (here) await editor.select(here);
  }
  async function draw() {
    await begin(!draft.readOnly);
    const [lost] = editor.drawing.lost;
    if (!lost) return;
    if (editor.editable) await begin(false);
    editor.complain('diagramLossy', lost.message);
  }
  draft.addEventListener('held', draw);
  draft.addEventListener('replaced', draw);
  draft.addEventListener('problems', () => editor.mark());
  await draw();
  return { select: (id) => editor.select(id) };
}

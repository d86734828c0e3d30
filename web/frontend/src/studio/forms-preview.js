// The form as the server draws it for those who handle the step, in a frame of its own: a phone's width there is a phone's width to the styles.
import { locatable } from '../locating.js';
import { all, make, meta } from '../page.js';
import { phrased } from '../phrasing.js';
import { button } from './forms-parts.js';
import { say } from './forms-words.js';

const PAUSE = 300;
const WIDTHS = { desktop: 800, phone: 360 };

const token = () => meta('csrf-token') ?? document.querySelector('[name="csrf_token"]')?.value ?? '';

/** The answer to a JSON question, as text; an answer that is not about the question counts as none. */
export async function asked(url, body, signal) {
  const answer = await fetch(url, { method: 'POST', credentials: 'same-origin', signal, headers: { 'Content-Type': 'application/json', 'X-CSRFToken': token() }, body: JSON.stringify(body) });
  if (answer.redirected || (!answer.ok && answer.status !== 422)) throw new Error(String(answer.status));
  return answer;
}

function shell() {
  const root = document.documentElement;
  const styles = [...document.querySelectorAll('link[rel="stylesheet"]')].find((link) => /app(\.\w+)?\.css/.test(link.href));
  const page = make('html', { lang: root.lang }, make('head', {}, ...(styles ? [make('link', { rel: 'stylesheet', href: styles.href })] : [])), make('body', {}, make('main', { className: 'page' })));
  return `<!doctype html>${page.outerHTML}`;
}

export class Preview {
  #filled = {};
  #timer = 0;
  #running = null;
  #form = null;

  /**
   * `data` is what the process knows when the form is opened, `filled` what is in it at first; `starting`: it begins a process.
   * `pressed(filled)` is told when somebody presses the form's button.
   */
  constructor(url, { data = {}, filled = {}, starting = false, pressed = () => this.tell('previewPressed') } = {}) {
    Object.assign(this, { url, data, starting });
    this.#filled = filled;
    this.frame = make('iframe', { className: 'fd-frame', title: say('previewTitle'), sandbox: 'allow-same-origin', srcdoc: shell() });
    this.stage = make('div', { className: 'fd-stage' }, this.frame);
    this.message = make('p', { className: 'notice notice-warning', role: 'status', hidden: true });
    this.buttons = ['desktop', 'phone'].map((width) => button(say(width === 'phone' ? 'previewPhone' : 'previewDesktop'), () => this.be(width), { 'data-width': width, 'data-key': `preview-${width}` }));
    this.box = make('section', { className: 'fd-preview', 'aria-label': say('preview') },
      make('div', { className: 'fd-preview-head' }, make('h2', {}, say('preview')), make('div', { className: 'fd-widths', role: 'group', 'aria-label': say('previewWidth') }, ...this.buttons)),
      make('p', { className: 'help' }, say('previewHelp')), this.message, this.stage);
    this.frame.addEventListener('load', () => {
      phrased(this.#page());
      this.#page().addEventListener('change', ({ target }) => { if (!target.matches('form, [data-seek]')) this.#ask(); });
      this.#page().addEventListener('input', ({ target }) => { if (target.matches('[data-seek]')) this.#later(() => this.#seek(target)); });
      this.#page().addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' || event.isComposing || !event.target.matches('[data-seek]')) return;
        event.preventDefault();
        this.#seek(event.target);
      });
      this.#page().addEventListener('click', (event) => {
        if (!event.target.closest('.form-actions button')) return;
        event.preventDefault();
        pressed(this.#values());
      });
      this.#ask();
    });
    new ResizeObserver(() => this.#fit()).observe(this.stage);
    new MutationObserver(() => this.#fit()).observe(document.documentElement, { attributeFilter: ['data-bs-theme'] });
    this.be(innerWidth < 900 ? 'phone' : 'desktop');
  }

  be(width) {
    this.width = width;
    this.stage.dataset.width = width;
    for (const one of this.buttons) one.setAttribute('aria-pressed', String(one.dataset.width === width));
    this.#fit();
  }

  /** Shows the form as it stands, once the typing pauses. */
  show(form) {
    this.#form = form;
    this.#later(() => this.#ask());
  }

  #later(act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, PAUSE);
  }

  #page() {
    return this.frame.contentDocument?.querySelector('main');
  }

  #values() {
    const values = {};
    const form = this.#page().querySelector('form');
    for (const [name, value] of form ? new this.frame.contentWindow.FormData(form) : []) if (typeof value === 'string') (values[name] ??= []).push(value);
    return values;
  }

  /** Whom the words find, beside those chosen; the words may still be growing. */
  #seek(input) {
    const people = `[data-people="${CSS.escape(input.name.replace(/\.q$/, ''))}"]`;
    const draw = (fragment) => {
      const found = new DOMParser().parseFromString(fragment, 'text/html').querySelector(people);
      if (found) this.#page().querySelector(people)?.replaceWith(found);
      this.#fit();
    };
    this.#ask(draw, () => this.#seek(input));
  }

  /** `again` asks anew when somebody has gone on filling in meanwhile. */
  async #ask(draw = (fragment) => this.#draw(fragment), again = () => this.#ask()) {
    if (!this.#form || !this.#page()) return;
    if (this.#page().querySelector('form')) this.#filled = this.#values(); // also what has been typed and not yet left
    this.#running?.abort();
    const running = this.#running = new AbortController();
    const before = JSON.stringify(this.#values());
    try {
      const answer = await asked(this.url, { form: this.#form, filled: this.#filled, data: this.data, starting: this.starting }, running.signal);
      const fragment = await answer.text();
      if (JSON.stringify(this.#values()) !== before) return again();
      draw(fragment);
      this.message.hidden = true;
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      this.tell('previewFailed');
    }
  }

  tell(words) {
    this.message.textContent = say(words);
    this.message.hidden = false;
  }

  #draw(fragment) {
    const page = this.#page();
    const { name, value } = this.frame.contentDocument.activeElement ?? {};
    const files = new Map(all(page, 'input[type=file]').map((input) => [input.name, input]));
    page.innerHTML = fragment;
    this.#enliven(page, files);
    const again = name && [...page.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
    (again?.find((one) => one.type !== 'radio' || one.value === value))?.focus({ preventScroll: true });
    this.#fit();
  }

  /** Gives the parts what a page gives them. The frame runs no script, so nothing can be drawn in it: a sheet to sign on says so. */
  #enliven(page, files) {
    for (const without of all(page, 'noscript')) without.remove();
    for (const input of all(page, 'input[data-location]')) locatable(input);
    for (const input of all(page, 'input[type=file]')) input.replaceWith(files.get(input.name) ?? input);
    for (const sheet of all(page, '.signature-sheet')) sheet.textContent = say('previewSignature');
  }

  /** As wide as the screen that is meant, made smaller where there is less room, and as high as what it shows. */
  #fit() {
    const inside = this.frame.contentDocument?.documentElement;
    if (!inside || !this.stage.clientWidth) return;
    inside.dataset.bsTheme = document.documentElement.dataset.bsTheme ?? 'light';
    const width = WIDTHS[this.width];
    const scale = Math.min(1, this.stage.clientWidth / width);
    const height = this.#page()?.offsetHeight ?? 0;
    Object.assign(this.frame.style, { width: `${width}px`, height: `${height}px`, transform: scale < 1 ? `scale(${scale})` : '' });
    this.stage.style.height = `${Math.ceil(height * scale)}px`;
  }
}

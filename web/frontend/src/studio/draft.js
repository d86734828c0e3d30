// The draft of a process that all parts of the studio share: its files, what was typed since the last save, and how the two come together.
// Events: changed {path}, replaced (all files are new: read them again), saved, problems, conflict, held, state.
import { memory, meta } from '../page.js';

export const DIAGRAM = 'process.bpmn';
const PAUSE = 1500;
const AGAIN = 10_000;
const HEARTBEAT = 60_000;

/** The answer's status and JSON; 0 without a network, 401 when the session has ended and a page to sign in came instead. */
async function ask(url, method = 'GET', body = undefined) {
  const headers = { Accept: 'application/json', 'X-CSRFToken': meta('csrf-token') ?? '' };
  if (body) headers['Content-Type'] = 'application/json';
  try {
    const answer = await fetch(url, { method, headers, credentials: 'same-origin', body: body && JSON.stringify(body) });
    const told = await answer.json().catch(() => null);
    return { status: answer.redirected && !told ? 401 : answer.status, told };
  } catch {
    return { status: 0, told: null };
  }
}

export class Draft extends EventTarget {
  #urls;
  #slot;
  #served = new Map();
  #typed = new Map(); // path → text, or null for a file that is removed
  #makers = new Map(); // path → makes the text when it is needed
  #mayEdit = false;
  #timer = 0;
  #queue = Promise.resolve();

  revision = 0;
  name = '';
  vocabulary = {};
  problems = [];
  readOnly = true;
  heldBy = null;
  conflict = null;
  state = 'saved';
  refusal = '';
  restoredAt = null;

  constructor(key, urls) {
    super();
    this.#urls = urls;
    this.#slot = `studio:${meta('user') ?? ''}:${key}`;
  }

  /** Fetches the files and takes the draft in hand; false when it cannot be read. */
  async open() {
    const [vocabulary] = await Promise.all([ask(this.#urls.vocabulary), this.#fetch()]);
    if (vocabulary.status !== 200 || !this.#served.size) return false;
    this.vocabulary = vocabulary.told;
    if (this.#mayEdit && !this.heldBy) await this.hold();
    this.#restore();
    this.#watch();
    return true;
  }

  get(path) {
    const typed = this.#typed.get(path);
    return typed === undefined ? this.#served.get(path) : typed ?? undefined;
  }

  paths() {
    return [...new Set([...this.#served.keys(), ...this.#typed.keys()])].filter((path) => this.get(path) !== undefined).sort();
  }

  get unsaved() {
    return this.#typed.size + this.#makers.size > 0;
  }

  get mayTakeOver() {
    return this.#mayEdit && this.readOnly;
  }

  set(path, text) {
    if (this.readOnly || this.get(path) === text) return;
    this.#makers.delete(path);
    this.#put(path, text);
    this.#changed(path);
  }

  remove(path) {
    this.set(path, undefined);
  }

  /** For texts that are costly to make: counts as changed now, and `make()` is asked before the next save. */
  later(path, make) {
    if (this.readOnly) return;
    this.#makers.set(path, make);
    this.#changed(path);
  }

  /** Sends what was typed, after any save that is under way. */
  save() {
    clearTimeout(this.#timer);
    this.#queue = this.#queue.then(() => this.#send());
    return this.#queue;
  }

  /** Takes the draft in hand; a draft that somebody else had may have changed meanwhile. */
  async hold(takeOver = false) {
    const { status, told } = await ask(this.#urls.hold, 'POST', { take_over: takeOver });
    if (status === 423) return this.#lose(told);
    if (status !== 200) return;
    if (takeOver) await this.#fetch();
    const gained = this.readOnly;
    this.heldBy = null;
    this.readOnly = false;
    if (gained) this.#tell('held');
    if (takeOver) this.#tell('replaced');
    if (this.unsaved) this.save();
  }

  /** After a conflict: gives up what was typed, for what the other person saved. */
  takeTheirs() {
    this.#typed.clear();
    this.#makers.clear();
    this.#settle();
    memory.drop(this.#slot);
    this.#be('saved');
    this.#tell('replaced');
  }

  /** After a conflict: puts the files typed here over theirs; what only they changed stays. */
  async takeMine() {
    this.#settle();
    await this.save();
    this.#tell('replaced');
  }

  /** What was typed and is not saved, by path. */
  async typed() {
    await this.#collect();
    return new Map(this.#typed);
  }

  async #fetch() {
    const { status, told } = await ask(this.#urls.files);
    if (status !== 200) return;
    this.#served = new Map(Object.entries(told.files));
    this.revision = told.revision;
    this.name = told.name;
    this.problems = told.problems;
    this.heldBy = told.held_by;
    this.#mayEdit = told.may_edit;
  }

  #put(path, text) {
    if (this.#served.get(path) === text) this.#typed.delete(path);
    else this.#typed.set(path, text ?? null);
  }

  #changed(path) {
    this.#be('unsaved');
    this.#tell('changed', { path });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), PAUSE);
  }

  async #collect() {
    const makers = [...this.#makers];
    this.#makers.clear();
    for (const [path, make] of makers) this.#put(path, await make());
    this.#remember();
  }

  #remember() {
    if (this.#typed.size) memory.set(this.#slot, { at: Date.now(), revision: this.revision, files: Object.fromEntries(this.#typed) });
    else memory.drop(this.#slot);
  }

  /** Typed before the session ended or the page was closed. If somebody saved since then, the server says so. */
  #restore() {
    const kept = memory.get(this.#slot);
    if (!kept || this.readOnly) return;
    for (const [path, text] of Object.entries(kept.files)) this.#put(path, text ?? undefined);
    if (!this.unsaved) return memory.drop(this.#slot);
    this.revision = kept.revision;
    this.restoredAt = kept.at;
    this.save();
  }

  async #send() {
    await this.#collect();
    if (this.readOnly || this.conflict) return;
    if (!this.#typed.size) return this.#be('saved');
    const sent = new Map(this.#typed);
    this.#be('saving');
    const { status, told } = await ask(this.#urls.save, 'POST', { revision: this.revision, files: Object.fromEntries(sent) });
    if (status === 200) this.#accept(sent, told);
    else if (status === 409 && told?.files) this.#meet(told);
    else if (status === 423) this.#lose(told);
    else if (status === 401) this.#be('signedOut');
    else if (status === 0) this.#wait();
    else this.#be('refused', told?.error?.message);
  }

  #accept(sent, { revision, problems }) {
    for (const [path, text] of sent) {
      if (text === null) this.#served.delete(path);
      else this.#served.set(path, text);
      if (this.#typed.get(path) === text) this.#typed.delete(path);
    }
    this.revision = revision;
    this.problems = problems;
    this.#remember();
    this.#be(this.unsaved ? 'unsaved' : 'saved');
    this.#tell('saved');
    this.#tell('problems');
  }

  #meet(conflict) {
    this.conflict = conflict;
    this.#be('conflict');
    this.#tell('conflict');
  }

  #settle() {
    this.#served = new Map(Object.entries(this.conflict.files));
    this.revision = this.conflict.revision;
    this.conflict = null;
  }

  #lose(told) {
    this.readOnly = true;
    this.heldBy = { name: told?.by ?? '' };
    this.#be(this.unsaved ? 'held' : 'saved');
    this.#tell('held');
  }

  #wait() {
    this.#be('offline');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), AGAIN);
  }

  #be(state, refusal = '') {
    this.state = state;
    this.refusal = refusal;
    this.#tell('state');
  }

  #tell(kind, detail = {}) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  #watch() {
    setInterval(() => { if (!this.readOnly) this.hold(); }, HEARTBEAT);
    document.addEventListener('visibilitychange', () => { if (document.hidden && this.unsaved && this.state !== 'signedOut') this.save(); });
    addEventListener('beforeunload', (event) => {
      if (!this.unsaved || this.state === 'signedOut') return; // then the copy in this browser is what comes back
      this.save();
      event.preventDefault();
    });
    addEventListener('pagehide', () => {
      this.#collect();
      if (!this.readOnly) fetch(this.#urls.hold, { method: 'DELETE', keepalive: true, credentials: 'same-origin', headers: { 'X-CSRFToken': meta('csrf-token') ?? '' } });
    });
    addEventListener('pageshow', ({ persisted }) => { if (persisted && !this.readOnly) this.hold(); });
  }
}

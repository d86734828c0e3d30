// Keeps what is typed until the server has it: form[data-draft=KEY], per user (meta[name=user]), in this browser only.
// Cleared by the response header X-Draft-Clear or by meta[name=draft-clear] on the next page; "*" clears all (signing out).
import { all, announce, eachNew, make, memory, meta, onArrival } from './page.js';
import { say, when } from './words.js';

const KEEP = 14 * 24 * 3600 * 1000;
const PAUSE = 600;
const ROUNDS = 8;
const open = new Map(); // KEY → the form on this page that saves under it

const slot = (key) => `draft:${meta('user') ?? ''}:${key}`;
const skipped = ['hidden', 'password', 'file', 'submit', 'button', 'reset', 'image'];
const fields = (form) => [...form.elements].filter((field) => field.name && !skipped.includes(field.type) && !field.closest('[data-no-draft]'));
const tickable = (field) => field.type === 'checkbox' || field.type === 'radio';

function values(field) {
  if (tickable(field)) return field.checked ? [field.value] : [];
  if (field.type === 'select-multiple') return [...field.selectedOptions].map((option) => option.value);
  return [field.value];
}

function read(form) {
  const typed = {};
  for (const field of fields(form)) (typed[field.name] ??= []).push(...values(field));
  const more = {}; // what other modules hold for this form, such as uploaded photos
  form.dispatchEvent(new CustomEvent('draft:save', { detail: more }));
  return { typed, more };
}

/** Puts the values back and returns the fields that this changed. */
function write(form, { typed, more }) {
  const left = structuredClone(typed);
  const changed = fields(form).filter((field) => {
    const own = left[field.name];
    if (!own) return false;
    const before = JSON.stringify(values(field));
    if (tickable(field)) field.checked = own.includes(field.value);
    else if (field.type === 'select-multiple') for (const option of field.options) option.selected = own.includes(option.value);
    else if (own.length) field.value = own.shift();
    return before !== JSON.stringify(values(field));
  });
  form.dispatchEvent(new CustomEvent('draft:restore', { detail: more }));
  return changed;
}

/** What listens to a field, such as an outcome that fetches its own fields, must hear of it. */
function tell(form, changed) {
  for (const field of changed) if (!tickable(field) || field.checked) field.dispatchEvent(new Event('change', { bubbles: true }));
  form.dispatchEvent(new Event('change', { bubbles: true }));
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function clear(keys) {
  for (const key of keys.split(/\s+/).filter(Boolean)) {
    if (key === '*') memory.keys('draft:').forEach(memory.drop);
    memory.drop(slot(key));
    for (const [name, form] of open) {
      if (key !== '*' && name !== key) continue;
      form.dispatchEvent(new CustomEvent('draft:stop'));
      open.delete(name);
    }
  }
}

function note(form, saved, served) {
  const discard = make('button', { type: 'button', className: 'btn btn-sm' }, say('draftDiscard'));
  const box = make('div', { className: 'alert alert-info draft-note' }, make('span', {}, say('draftRestored', { time: when(saved.at) })), discard);
  discard.addEventListener('click', () => {
    memory.drop(slot(form.dataset.draft));
    form.dispatchEvent(new CustomEvent('draft:discard'));
    tell(form, write(form, served));
    box.remove();
    fields(form)[0]?.focus();
  });
  form.prepend(box);
  announce(say('draftRestored', { time: when(saved.at) }));
}

function keep(form) {
  const key = form.dataset.draft;
  const served = read(form);
  const saved = memory.get(slot(key));
  let timer = 0;
  let stopped = false;
  let last = served;
  let rounds = 0; // restoring: each part that a restored choice fetches is filled in turn, with an end if the server disagrees

  function save() {
    clearTimeout(timer);
    const now = read(form);
    if (stopped || !form.isConnected || same(now, last)) return;
    last = now;
    const at = Date.now();
    if (!memory.set(slot(key), { at, ...now })) return;
    for (const status of all(form, '[data-draft-status]')) status.textContent = say('draftSaved', { time: when(at) });
  }
  function restore() {
    const changed = write(form, saved);
    last = read(form);
    if (changed.length) rounds -= 1;
    if (changed.length) tell(form, changed);
  }
  function later(event) {
    if (event.isTrusted) rounds = 0; // the person goes on by hand
    else if (rounds > 0) return;
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  }

  open.set(key, form);
  form.addEventListener('draft:stop', () => { stopped = true; clearTimeout(timer); });
  if (saved && !same({ typed: saved.typed, more: saved.more }, served)) {
    rounds = ROUNDS;
    note(form, saved, served);
    setTimeout(restore); // htmx starts listening after this file has run
    form.addEventListener('htmx:after:swap', () => { if (rounds > 0) restore(); });
  }
  form.addEventListener('input', later);
  form.addEventListener('change', later);
  form.addEventListener('submit', save);
  form.addEventListener('draft:flush', save);
  for (const byHand of ['draft:discard', 'draft:touched']) form.addEventListener(byHand, () => { rounds = 0; });
}

const flush = () => open.forEach((form) => form.dispatchEvent(new CustomEvent('draft:flush')));

for (const key of memory.keys('draft:')) if (!(memory.get(key)?.at > Date.now() - KEEP)) memory.drop(key);
onArrival((root) => all(root, 'meta[name="draft-clear"]').forEach((one) => clear(one.content)));
eachNew('form[data-draft]', keep);
document.addEventListener('htmx:after:request', (event) => {
  const keys = event.detail.ctx.response?.headers.get('X-Draft-Clear');
  if (keys) clear(keys);
});
document.addEventListener('visibilitychange', () => { if (document.hidden) flush(); });
addEventListener('pagehide', flush);

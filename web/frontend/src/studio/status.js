// The line above the parts: whether everything is saved, who holds the draft, what was brought back.
import { icon, make } from '../page.js';
import { when } from '../words.js';
import { say } from './words.js';

const SIGNS = { saved: 'circle-check', saving: 'clock', unsaved: 'clock' };

function told(draft, savedAt) {
  if (draft.state === 'refused') return draft.refusal ? say('stateRefused', { reason: draft.refusal }) : say('stateRefusedUnknown');
  if (draft.state === 'saved' && savedAt) return say('stateSavedAt', { time: when(savedAt) });
  return say(`state${draft.state[0].toUpperCase()}${draft.state.slice(1)}`);
}

function holder(draft) {
  const who = draft.heldBy?.name;
  const words = make('span', {}, [who ? say('heldBy', { name: who }) : say('heldByNobody'), draft.unsaved ? say('heldUnsaved') : ''].join(' '));
  const line = make('div', { className: 'notice notice-warning', role: 'status' }, icon('lock'), words);
  if (draft.mayTakeOver) {
    const take = make('button', { type: 'button', className: 'btn btn-sm' }, say('takeOver'));
    take.addEventListener('click', () => { if (confirm(say('takeOverAsk'))) draft.hold(true); });
    line.append(take);
  }
  return line;
}

function restored(draft) {
  const line = make('div', { className: 'notice', role: 'status' }, icon('info-circle'), make('span', {}, say('restored', { time: when(draft.restoredAt) })));
  draft.addEventListener('saved', () => setTimeout(() => line.remove(), 6000), { once: true });
  return line;
}

export function statusLine(draft, title, tabRow, reviewUrl) {
  const state = make('span', { className: 'studio-state', role: 'status' });
  const save = make('button', { type: 'button', className: 'btn' }, say('save'));
  const review = make('a', { className: 'btn btn-primary', href: reviewUrl }, say('review'));
  const notices = make('div', { className: 'studio-notices' });
  let savedAt = 0;

  function show() {
    const calm = draft.state in SIGNS;
    state.className = `studio-state is-${draft.state}`;
    state.replaceChildren(icon(calm ? SIGNS[draft.state] : 'alert-triangle'), make('span', {}, told(draft, savedAt)));
    if (draft.state === 'signedOut') state.append(make('a', { href: location.href, className: 'btn btn-sm' }, say('signInAgain')));
    save.disabled = draft.readOnly || !draft.unsaved;
  }
  function showHolder() {
    save.hidden = draft.readOnly;
    state.hidden = draft.readOnly && !draft.unsaved;
    notices.querySelector('.notice-warning')?.remove();
    if (draft.readOnly) notices.append(holder(draft));
    show();
  }

  save.addEventListener('click', () => draft.save());
  draft.addEventListener('saved', () => { savedAt = Date.now(); });
  draft.addEventListener('state', show);
  draft.addEventListener('changed', show);
  draft.addEventListener('held', showHolder);
  if (draft.restoredAt) notices.append(restored(draft));
  showHolder();
  return make('div', { className: 'studio-head' }, make('div', { className: 'studio-bar' }, title, tabRow, state, save, review), notices);
}

// j/k move, Enter opens, e goes to the outcome, / to the search, ? shows the keys. Silent while somebody types.
import { all, eachNew, memory, onArrival } from './page.js';

let current = null; // the value of data-row, so that the mark survives a refresh of the list

const rows = () => [...document.querySelectorAll('[data-inbox] [data-row]')];
const opener = (row) => row.querySelector('[data-open]') ?? row.querySelector('a[href]');

function mark(row) {
  for (const other of rows()) {
    other.classList.toggle('is-current', other === row);
    if (other === row) other.setAttribute('aria-current', 'true');
    else other.removeAttribute('aria-current');
  }
  current = row?.dataset.row ?? null;
}

function step(by) {
  const list = rows();
  if (!list.length) return false;
  const at = list.findIndex((row) => row.dataset.row === current);
  const row = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1)];
  mark(row);
  opener(row)?.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
  return true;
}

function open() {
  const row = rows().find((one) => one.dataset.row === current);
  if (row) opener(row)?.click();
  return Boolean(row);
}

function into(selector) {
  const place = document.querySelector(selector);
  if (!place) return false;
  const fields = 'input:not([type=hidden], [disabled]), select:not([disabled]), textarea:not([disabled]), button:not([disabled]), a[href]';
  const field = place.matches(fields) ? place : all(place, fields).find((one) => one.checkVisibility()) ?? place;
  if (field === place && field.tabIndex < 0) field.tabIndex = -1;
  field.scrollIntoView({ block: 'center' });
  field.focus({ preventScroll: true });
  return true;
}

function help() {
  const dialog = document.getElementById('shortcuts');
  dialog?.showModal();
  return Boolean(dialog);
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  e: () => into('[data-outcome]'),
  '/': () => into('[data-search]'),
  '?': help,
  '？': help, // what a Chinese keyboard sends
};

const composing = (event) => event.isComposing || event.keyCode === 229;
const typing = (target) => target.closest?.('input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=""], [contenteditable=true]');
const pressable = (target) => target.closest?.('a[href], button, summary, input, [role=button], [tabindex]:not([tabindex="-1"])');

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || composing(event)) return;
  if (typing(event.target) || document.querySelector('dialog[open]') || memory.get('keys') === false) return;
  const act = event.key === 'Enter' && !pressable(event.target) ? open : keys[event.key];
  if (act?.()) event.preventDefault();
});

document.addEventListener('focusin', (event) => {
  const row = event.target.closest?.('[data-inbox] [data-row]');
  if (row) mark(row);
});

onArrival(() => {
  const row = current && rows().find((one) => one.dataset.row === current);
  if (row && !row.classList.contains('is-current')) mark(row);
});

// single keys must be possible to switch off (WCAG 2.1.4): <input type="checkbox" data-keys-toggle>
eachNew('[data-keys-toggle]', (box) => {
  box.checked = memory.get('keys') !== false;
  box.addEventListener('change', () => memory.set('keys', box.checked));
});

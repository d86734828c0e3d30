// Back shows a filtered list where it was left. Full pages are the browser's business; htmx loads them anew, and inner panes
// (data-keep-scroll="name") nobody restores.
import { all, eachNew } from './page.js';

// A row of tabs that is wider than the phone shows the one that is open.
eachNew('.tabs > [aria-current], .topnav > [aria-current]', (tab) => {
  const row = tab.parentElement;
  row.scrollLeft += tab.getBoundingClientRect().right - row.getBoundingClientRect().right;
});

const slot = (path = location.pathname + location.search) => `scroll:${path}`;
const panes = () => all(document, '[data-keep-scroll]');

function save() {
  const places = Object.fromEntries(panes().map((pane) => [pane.dataset.keepScroll, pane.scrollTop]));
  try { sessionStorage.setItem(slot(), JSON.stringify({ page: scrollY, places })); } catch { /* no storage, no memory */ }
}

function restore(withPage) {
  let kept;
  try { kept = JSON.parse(sessionStorage.getItem(slot())); } catch { /* as above */ }
  if (!kept) return;
  for (const pane of panes()) pane.scrollTop = kept.places[pane.dataset.keepScroll] ?? 0;
  if (withPage) scrollTo({ top: kept.page, behavior: 'instant' });
}

let going = false;
addEventListener('pagehide', save);
document.addEventListener('htmx:before:history:update', save);
document.addEventListener('htmx:before:history:restore', () => { going = true; });
document.addEventListener('htmx:after:settle', () => {
  if (!going) return;
  going = false;
  requestAnimationFrame(() => restore(true));
});
if (performance.getEntriesByType('navigation')[0]?.type === 'back_forward') restore(false);

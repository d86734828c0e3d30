// <div data-studio data-files-url data-save-url data-hold-url data-vocabulary-url>: the page on which a draft is edited.
// Its parts share one Draft; each is a module with `mount(box, draft)` that may return {select(element)}.
import { all, announce, make } from '../page.js';
import { resolve } from './conflict.js';
import { Draft } from './draft.js';
import * as diagram from './editor.js';
import * as forms from './forms.js';
import { problemList } from './problems.js';
import * as scenarios from './scenarios.js';
import { statusLine } from './status.js';
import * as tables from './tables.js';
import { say } from './words.js';

/** `rules`: what is found in a part by these rules is shown there; all else, on the diagram. */
const PARTS = [
  { key: 'diagram', title: 'partDiagram', module: diagram, rules: [] },
  { key: 'forms', title: 'partForms', module: forms, rules: ['form_refused'] },
  { key: 'tables', title: 'partTables', module: tables, rules: ['table_refused'] },
  { key: 'scenarios', title: 'partScenarios', module: scenarios, rules: [] },
];

/** Tabs of the parts; a part is mounted when it is first opened. */
function tabs(draft) {
  const row = make('div', { className: 'studio-tabs', role: 'tablist', 'aria-label': say('parts') });
  const panes = make('div', { className: 'studio-panes' });
  const opened = new Map();

  async function open(key) {
    for (const tab of row.children) {
      tab.setAttribute('aria-selected', String(tab.dataset.part === key));
      tab.tabIndex = tab.dataset.part === key ? 0 : -1;
    }
    for (const pane of panes.children) pane.hidden = pane.dataset.part !== key;
    const pane = [...panes.children].find((one) => one.dataset.part === key);
    if (!opened.has(key)) opened.set(key, PARTS.find((part) => part.key === key).module.mount(pane, draft));
    return opened.get(key);
  }

  for (const { key, title } of PARTS) {
    const tab = make('button', { type: 'button', className: 'studio-tab', role: 'tab', id: `tab-${key}`, 'data-part': key, 'aria-controls': `part-${key}` }, say(title));
    tab.addEventListener('click', () => open(key));
    row.append(tab);
    panes.append(make('section', { className: 'studio-pane', role: 'tabpanel', id: `part-${key}`, 'data-part': key, 'aria-labelledby': `tab-${key}`, hidden: true }));
  }
  row.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const each = [...row.children];
    const next = each[(each.indexOf(document.activeElement) + step + each.length) % each.length];
    next.focus();
    next.click();
  });
  return { row, panes, open };
}

async function start(root) {
  const { filesUrl, saveUrl, holdUrl, vocabularyUrl, reviewUrl } = root.dataset;
  const title = root.querySelector('h1');
  root.replaceChildren(title, make('p', { className: 'help', role: 'status' }, say('opening')));
  const draft = new Draft(filesUrl, { files: filesUrl, save: saveUrl, hold: holdUrl, vocabulary: vocabularyUrl });
  if (!(await draft.open())) return root.replaceChildren(title, make('p', { className: 'notice notice-warning', role: 'alert' }, say('openFailed')));

  const parts = tabs(draft);
  async function go(element, rule) {
    const { key } = PARTS.find(({ rules }) => rules.includes(rule)) ?? PARTS[0];
    const part = await parts.open(key);
    if (!(await part.select(element))) announce(say('problemGone'));
  }
  root.replaceChildren(statusLine(draft, title, parts.row, reviewUrl), parts.panes, problemList(draft, go));
  draft.addEventListener('conflict', () => resolve(draft));
  addEventListener('keydown', (event) => {
    if (event.key !== 's' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    draft.save();
  });
  await parts.open('diagram');
  const asked = () => new URLSearchParams(location.hash.slice(1)).get('element');
  if (asked()) await go(asked());
  addEventListener('hashchange', () => { if (asked()) go(asked()); });
  root.dataset.ready = '';
}

all(document, '[data-studio]').forEach(start);

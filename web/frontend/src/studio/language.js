// The words of the drawing library in the language of the page.
import dictionary from 'bpmn-js-i18n/translations/zn.js';
import { phrases, simulation, terms } from './terms.js';

const chinese = () => !document.documentElement.lang.startsWith('en');

/** "Timer boundary event (non-interrupting)" → its parts, each in Chinese. */
function event(text) {
  const found = text.match(/^(\w+) (start event|intermediate catch event|intermediate throw event|boundary event|end event)( \(non-interrupting\))?$/);
  return found && terms[found[1]] && terms[found[2]] && terms[found[1]] + terms[found[2]] + (found[3] ? terms['(non-interrupting)'] : '');
}

export const inChinese = (text) => phrases[text] ?? event(text) ?? dictionary[text];

function translate(template, values = {}) {
  const text = (chinese() && inChinese(template)) || template;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export default { translate: ['value', translate] };

/** A text of the simulation, "" for one that needs no other word; some begin or end with what is found in the process. */
function said(text) {
  const [, subject, happened] = text.match(/^(.+) (started|finished|canceled)$/) ?? [];
  if (happened) return (simulation[subject] ?? subject) + simulation[happened];
  return simulation[text] ?? simulation[text.replace(/ \S+$/, '')] ?? '';
}

function replaceWords(node) {
  if (node.nodeType === Node.TEXT_NODE) {
    node.data = said(node.data.trim()) || node.data;
    return;
  }
  for (const name of ['title', 'aria-label']) {
    const told = said(node.getAttribute?.(name) ?? '');
    if (told) node.setAttribute(name, told);
  }
  node.childNodes.forEach(replaceWords);
}

const ofSimulation = (node) => /\bbts-/.test(node.getAttribute?.('class') ?? '');

/** The simulation has its words in its code: they are replaced, those that are there now and as more appear. */
export function followSimulation(box) {
  if (!chinese()) return;
  box.querySelectorAll('[class*="bts-"]').forEach(replaceWords);
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) [...addedNodes].filter((node) => ofSimulation(node) || target.closest('[class*="bts-"]')).forEach(replaceWords);
  }).observe(box, { childList: true, subtree: true });
}

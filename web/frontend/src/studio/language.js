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

/** The simulation has its words in its code: they are replaced as they appear. */
export function followSimulation(box) {
  if (!chinese()) return;
  function look(node) {
    if (node.nodeType === Node.TEXT_NODE) {
      const said = simulation[node.data.trim()];
      if (said) node.data = said;
      return;
    }
    if (node.title && simulation[node.title]) node.title = simulation[node.title];
    node.childNodes?.forEach(look);
  }
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) if (target.closest?.('[class*="bts-"]') || [...addedNodes].some((node) => /bts-/.test(node.className ?? ''))) addedNodes.forEach(look);
  }).observe(box, { childList: true, subtree: true });
}

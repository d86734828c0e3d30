// input[data-seek]: words by which people are looked for; htmx fetches who they find into the [data-people] beside it, with those chosen so far.
import { all, announce, eachNew, make } from './page.js';

const PENDING = 'htmx-request';
const seek = (input) => input.dispatchEvent(new Event('seek'));
let last = null; // the person who had the focus last: one that is drawn anew has it again

/** A draft keeps those chosen whom its words do not find. */
function remember(input) {
  const key = `people:${input.name}`;
  const here = () => input.closest('[data-field]').querySelector('[data-people]');
  input.form?.addEventListener('draft:save', ({ detail }) => {
    if (input.isConnected) detail[key] = all(here(), 'input:checked').map((one) => [one.value, one.closest('label').textContent.trim()]);
  });
  input.form?.addEventListener('draft:restore', ({ detail }) => {
    if (!input.isConnected || !detail?.[key]) return;
    const [people, chosen] = [here(), new Map(detail[key])];
    for (const one of all(people, 'input')) {
      one.checked = chosen.has(one.value);
      chosen.delete(one.value);
    }
    people.append(...[...chosen].map(([value, title]) => make('label', { className: 'check' }, make('input', { type: people.dataset.kind, name: people.dataset.people, value, checked: true }), title)));
  });
}

eachNew('input[data-seek]', (input) => {
  remember(input);
  input.addEventListener('keydown', (event) => { // Enter looks at once, instead of sending the form
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    seek(input);
  });
  input.addEventListener('change', (event) => { if (!event.isTrusted) seek(input); }); // a draft has put the words back
});

eachNew('[data-people]', (people) => {
  const input = people.parentElement.querySelector('[data-seek]');
  people.addEventListener('focusin', ({ target }) => { last = target; });
  people.addEventListener('change', () => { if (input.classList.contains(PENDING)) seek(input); }); // what is under way knows nothing of this choice
  if (last && !last.isConnected && document.activeElement === document.body) people.querySelector(`[name="${CSS.escape(last.name)}"][value="${CSS.escape(last.value)}"]`)?.focus();
  if (document.activeElement === input) announce(people.querySelector('[data-found]')?.textContent ?? '');
});

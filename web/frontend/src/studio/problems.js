// What the server found at the last save, below the parts: a click leads to the element.
import { icon, make } from '../page.js';
import { say } from './words.js';

const isError = ({ level }) => level === 'error';

function line(problem, go) {
  const wrong = isError(problem);
  const sign = make('span', { className: wrong ? 'light light-red' : 'light light-yellow' }, icon(wrong ? 'alert-circle' : 'alert-triangle'), say(wrong ? 'problemError' : 'problemWarning'));
  const row = make('button', { type: 'button', className: 'studio-problem', 'data-rule': problem.rule, 'data-element': problem.element }, sign, make('span', {}, problem.message));
  row.addEventListener('click', () => go(problem.element, problem.rule));
  return make('li', {}, row);
}

export function problemList(draft, go) {
  const title = make('summary', {});
  const list = make('ul', { className: 'studio-problem-list' });
  const box = make('details', { className: 'studio-problems', open: true }, title, list);

  function show() {
    const errors = draft.problems.filter(isError);
    const warnings = draft.problems.filter((problem) => !isError(problem));
    const count = draft.problems.length ? say('problems', { errors: errors.length, warnings: warnings.length }) : say('problemsNone');
    title.replaceChildren(make('span', {}, say('problemsTitle')), make('strong', { role: 'status', className: errors.length ? 'has-errors' : '' }, count));
    list.replaceChildren(...[...errors, ...warnings].map((problem) => line(problem, go)));
    list.hidden = !draft.problems.length;
  }
  draft.addEventListener('problems', show);
  show();
  return box;
}

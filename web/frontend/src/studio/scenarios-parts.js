// What lists and recordings of scenarios share: questions to the server with the draft as it is typed, moments, values by name.
import { make } from '../page.js';
import { button, entry, labelled } from './forms-parts.js';
import { asked } from './forms-preview.js';
import { say } from './scenarios-words.js';

/** All files of the draft, what was typed included. */
export async function filesOf(draft) {
  await draft.typed();
  return Object.fromEntries(draft.paths().map((path) => [path, draft.get(path)]));
}

/** The answer, or `{errors}`: the sentences why there is none, by field. */
export async function question(url, body) {
  try {
    return await (await asked(url, body)).json();
  } catch {
    return { errors: { '': say('failedToAsk') } };
  }
}

/** A moment as it is in Beijing. */
export function beijing(moment) {
  const form = { timeZone: 'Asia/Shanghai', year: 'numeric', month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return new Intl.DateTimeFormat(document.documentElement.lang || 'zh-CN', form).format(new Date(moment));
}

export const spelled = (values) => Object.entries(values).map(([name, value]) => `${name} = ${value}`).join('; ');

export function alarm(errors) {
  const sentences = [...new Set(Object.values(errors))];
  return make('div', { className: 'notice notice-danger', role: 'alert', hidden: !sentences.length }, make('ul', { className: 'sc-errors' }, ...sentences.map((said) => make('li', {}, said))));
}

/** Values by name, to be typed; `written` holds what was. */
export class Values {
  constructor(title, example = {}, help = '') {
    this.rows = make('div', {});
    this.box = make('fieldset', { className: 'sc-values' }, make('legend', {}, title), ...(help ? [make('p', { className: 'help' }, help)] : []), this.rows, button(say('valueAdd'), () => this.add('', '', true)));
    for (const [name, value] of Object.entries(example)) this.add(name, value);
  }

  get written() {
    return Object.fromEntries([...this.rows.children].map((row) => [...row.querySelectorAll('input')].map((input) => input.value)));
  }

  add(name, value, focus = false) {
    const named = entry({ value: name, 'aria-label': say('valueName'), maxLength: 60, onInput: (typed) => valued.setAttribute('aria-label', say('valueOf', { name: typed || say('valueNew') })) });
    const valued = entry({ value, 'aria-label': say('valueOf', { name: name || say('valueNew') }), placeholder: say('value'), onInput: () => {} });
    this.rows.append(make('div', { className: 'sc-value' }, named, valued));
    if (focus) named.focus();
  }
}

export const nameField = (title, key) => {
  const input = entry({ value: '', maxLength: 60, key, onInput: () => {} });
  return { input, box: labelled(title, input) };
};

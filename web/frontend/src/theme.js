// Loaded in <head> before the first paint: light or dark, normal or large type.
import { memory } from './page.js';
import { say } from './words.js';

const root = document.documentElement;
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const choices = ['system', 'light', 'dark'];
const names = { system: 'themeSystem', light: 'themeLight', dark: 'themeDark' };

const chosen = () => (choices.includes(memory.get('theme')) ? memory.get('theme') : 'system');
// the server may ask for large type; a choice made here wins
const servedLarge = root.hasAttribute('data-large');

function apply() {
  const choice = chosen();
  root.dataset.bsTheme = choice === 'system' ? (systemDark.matches ? 'dark' : 'light') : choice;
  root.toggleAttribute('data-large', memory.get('large') ?? servedLarge);
  label();
}

function label() {
  const choice = chosen();
  for (const button of document.querySelectorAll('[data-theme-toggle]')) {
    button.dataset.themeToggle = choice;
    button.setAttribute('aria-label', say(names[choice]));
    button.title = say(names[choice]);
  }
  for (const button of document.querySelectorAll('[data-large-toggle]')) button.setAttribute('aria-pressed', root.hasAttribute('data-large'));
}

document.addEventListener('click', (event) => {
  if (event.target.closest?.('[data-theme-toggle]')) memory.set('theme', choices[(choices.indexOf(chosen()) + 1) % choices.length]);
  else if (event.target.closest?.('[data-large-toggle]')) memory.set('large', !root.hasAttribute('data-large'));
  else return;
  apply();
});
systemDark.addEventListener('change', apply);
addEventListener('storage', apply);
addEventListener('pageshow', apply);
document.addEventListener('DOMContentLoaded', label);
document.addEventListener('htmx:after:process', label);
apply();

// <button data-copy="#field">: the text of that field goes to the clipboard; where that is not allowed it is marked for copying by hand.
import { announce } from './page.js';
import { say } from './words.js';

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-copy]');
  const field = button && document.querySelector(button.dataset.copy);
  if (!field) return;
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return; // the text is marked
  }
  button.textContent = say('copied');
  announce(say('copied'));
});

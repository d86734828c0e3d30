// input[data-seek]: words by which people are looked for; htmx fetches who they find. Enter looks at once, instead of sending the form.
import { announce, eachNew } from './page.js';

eachNew('input[data-seek]', (input) => {
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    input.dispatchEvent(new Event('seek'));
  });
});

eachNew('[data-found]', (found) => {
  if (document.activeElement?.matches('[data-seek]')) announce(found.textContent);
});

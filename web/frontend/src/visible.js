// data-visible='{"field":"accept_result","in":["refuse"]}': shown only then, and not sent otherwise. The server decides again.
import { all, onArrival } from './page.js';

const blocks = (form) => all(form, '[data-visible]');
const inHidden = (field) => field.closest('[data-visible][hidden]') !== null;

function chosen(form, name) {
  return [...form.elements]
    .filter((field) => field.name === name && !inHidden(field))
    .filter((field) => !['checkbox', 'radio'].includes(field.type) || field.checked)
    .flatMap((field) => (field.type === 'select-multiple' ? [...field.selectedOptions].map((option) => option.value) : [field.value]));
}

function settle(form) {
  const list = blocks(form);
  if (!list.length) return;
  for (let round = 0, changed = true; changed && round <= list.length; round += 1) { // a shown field may show the next
    changed = false;
    for (const block of list) {
      const rule = JSON.parse(block.dataset.visible);
      const hidden = !chosen(form, rule.field).some((value) => rule.in.map(String).includes(value));
      changed ||= block.hidden !== hidden;
      block.hidden = hidden;
    }
  }
  for (const field of list.flatMap((block) => all(block, 'input, select, textarea, button'))) {
    if (inHidden(field) && !field.disabled) {
      field.disabled = true;
      field.dataset.disabledUnseen = '';
    } else if (!inHidden(field) && 'disabledUnseen' in field.dataset) {
      field.disabled = false;
      delete field.dataset.disabledUnseen;
    }
  }
}

onArrival((root) => {
  const forms = new Set(all(root, '[data-visible]').map((block) => block.closest('form')));
  forms.forEach((form) => form && settle(form));
});
const follow = (event) => {
  const form = event.target.form ?? event.target.closest?.('form');
  if (form) settle(form);
};
document.addEventListener('input', follow);
document.addEventListener('change', follow);
document.addEventListener('reset', (event) => setTimeout(() => settle(event.target)));

// <select data-phrases="#opinion">: the chosen phrase goes to the cursor of that text area.
let key = ''; // arrows change a closed list at every press: then only Enter means "this one"

function insert(select) {
  const area = document.querySelector(select.dataset.phrases);
  if (!area || !select.value) return;
  area.focus();
  area.setRangeText(select.value, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new Event('input', { bubbles: true }));
  select.value = '';
}

document.addEventListener('pointerdown', () => { key = ''; }, true);
document.addEventListener('keydown', (event) => {
  const select = event.target.closest?.('select[data-phrases]');
  if (!select) return;
  key = event.key;
  if (key !== 'Enter' || !select.value) return;
  event.preventDefault();
  insert(select);
});
document.addEventListener('change', (event) => {
  const select = event.target.closest?.('select[data-phrases]');
  if (select && (key === '' || key === 'Enter')) insert(select);
});

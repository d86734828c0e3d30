// <select data-phrases="#opinion">: the chosen phrase goes to the cursor of that text area.

function insert(select) {
  const area = select.ownerDocument.querySelector(select.dataset.phrases);
  if (!area || !select.value) return;
  area.focus();
  area.setRangeText(select.value, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new Event('input', { bubbles: true }));
  select.value = '';
}

/** Heeds the lists of phrases below a root. */
export function phrased(root) {
  let key = ''; // arrows change a closed list at every press: then only Enter means "this one"
  root.addEventListener('pointerdown', () => { key = ''; }, true);
  root.addEventListener('keydown', (event) => {
    const select = event.target.closest?.('select[data-phrases]');
    if (!select) return;
    key = event.key;
    if (key !== 'Enter' || !select.value) return;
    event.preventDefault();
    insert(select);
  });
  root.addEventListener('change', (event) => {
    const select = event.target.closest?.('select[data-phrases]');
    if (select && (key === '' || key === 'Enter')) insert(select);
  });
}

// <details class="menu"> closes on Escape and on a click elsewhere; [data-dialog="#id"] opens a <dialog>, [data-dialog-close] closes it;
// [data-print] prints, [data-submit-on-change] sends its form.
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
  const opener = event.target.closest?.('[data-dialog]');
  if (opener) document.querySelector(opener.dataset.dialog)?.showModal();
  event.target.closest?.('[data-dialog-close]')?.closest('dialog').close();
  if (event.target.closest?.('[data-print]')) print();
});
document.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && event.target.closest?.('details.menu[open]');
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});
document.addEventListener('change', (event) => {
  if (event.target.matches?.('[data-submit-on-change]')) event.target.form.requestSubmit();
});

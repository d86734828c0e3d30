// Somebody else saved first: what they changed, and whose version goes on. Nothing typed is lost either way.
import { make } from '../page.js';
import { when } from '../words.js';
import { say } from './words.js';

/** Hands the files to the browser's downloads. */
function download(files) {
  for (const [path, text] of files) {
    if (text === null) continue;
    const url = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
    make('a', { href: url, download: path.replaceAll('/', '-') }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}

function choice(words, help, kind) {
  return make('button', { type: 'button', className: `btn ${kind} studio-choice` }, make('span', {}, say(words)), make('small', {}, say(help)));
}

export function resolve(draft) {
  const { by, at, changes } = draft.conflict;
  const told = changes.length ? changes : [say('conflictDrawing')];
  const theirs = choice('conflictTheirs', 'conflictTheirsHelp', 'btn-primary');
  const mine = choice('conflictMine', 'conflictMineHelp', '');
  const dialog = make('dialog', { className: 'sheet studio-conflict', 'aria-labelledby': 'conflict-title' },
    make('h2', { id: 'conflict-title' }, say('conflictTitle')),
    make('p', {}, say('conflictBy', { name: by, time: when(at) })),
    make('p', {}, say('conflictChanges')),
    make('ul', {}, ...told.map((sentence) => make('li', {}, sentence))),
    make('p', {}, say('conflictAsk')),
    make('div', { className: 'studio-choices' }, theirs, mine));
  dialog.addEventListener('cancel', (event) => event.preventDefault()); // until it is decided, nothing can be saved
  dialog.addEventListener('close', () => dialog.remove());
  theirs.addEventListener('click', async () => {
    download(await draft.typed());
    draft.takeTheirs();
    dialog.close();
  });
  mine.addEventListener('click', () => {
    dialog.close();
    draft.takeMine();
  });
  document.body.append(dialog);
  dialog.showModal();
}

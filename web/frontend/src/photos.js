// input[type=file][data-photos]: every photo, or with data-photos="files" every file, is sent on its own to data-url (field "file"), which answers {"id": …} or {"error": "a sentence"};
// the form then carries the ids as data-name. Without JavaScript the same input sends its files with the form.
import { all, announce, eachNew, icon, make, meta } from './page.js';
import { say } from './words.js';

const EDGE = 160;

/** A small data: picture; the policy of the pages allows no blob: ones. Formats the browser cannot read stay without. */
async function thumbnail(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, EDGE / Math.min(picture.width, picture.height));
    const canvas = make('canvas', { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return canvas.toDataURL('image/jpeg', 0.7);
  } catch {
    return null;
  }
}

export function send(url, token, file, onProgress) {
  const request = new XMLHttpRequest(); // fetch tells nothing about the progress of an upload
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener('progress', (event) => { if (event.lengthComputable) onProgress(Math.round((100 * event.loaded) / event.total)); });
    request.addEventListener('load', () => {
      const answer = request.response ?? {};
      if (request.status >= 200 && request.status < 300 && answer.id) resolve(answer.id);
      else reject(new Error(answer.error ?? answer.detail ?? ''));
    });
    for (const end of ['error', 'timeout']) request.addEventListener(end, () => reject(new Error('')));
  });
  request.open('POST', url);
  request.responseType = 'json';
  request.timeout = 120_000;
  request.setRequestHeader('Accept', 'application/json');
  if (token) request.setRequestHeader('X-CSRFToken', token);
  const body = new FormData();
  body.append('file', file, file.name);
  request.send(body);
  return { done, abort: () => request.abort() };
}

function prepare(input) {
  const form = input.form;
  const { url, name = 'photo_ids', max = Infinity, photos: sort } = input.dataset;
  const files = sort === 'files';
  const required = input.required;
  const list = make('ul', { className: 'photos' });
  const message = make('p', { className: 'photos-message', role: 'status' });
  input.after(list, message);

  const items = () => [...list.children];
  const changed = () => {
    input.required = required && !items().length;
    form?.dispatchEvent(new Event('change', { bubbles: true }));
  };

  function card(title, picture) {
    const image = picture ? make('img', { src: picture, alt: title }) : icon(files ? 'paperclip' : 'photo');
    const state = make('span', { className: 'photo-state' });
    const bar = make('progress', { max: 100, value: 0, 'aria-label': title });
    const remove = make('button', { type: 'button', className: 'btn btn-icon photo-remove', 'aria-label': say('photoOf', { action: say('photoRemove'), name: title }) }, icon('trash'));
    const retry = make('button', { type: 'button', className: 'btn photo-retry', hidden: true, 'aria-label': say('photoOf', { action: say('photoRetry'), name: title }) }, say('photoRetry'));
    const item = make('li', { className: files ? 'photo is-file' : 'photo', title }, image, ...(files ? [make('span', { className: 'photo-name' }, title)] : []), bar, state, retry, remove);
    const show = (text, what) => { state.textContent = text; item.dataset.state = what; bar.hidden = what !== 'sending'; retry.hidden = what !== 'failed'; };
    remove.addEventListener('click', () => {
      item.dispatchEvent(new CustomEvent('photo:removed'));
      item.remove();
      message.textContent = '';
      changed();
      input.focus();
    });
    list.append(item);
    return { item, bar, retry, show };
  }

  function accept({ item, show }, id, title, picture) {
    item.append(make('input', { type: 'hidden', name, value: id, 'data-title': title, 'data-picture': picture ?? '' }));
    show(say('photoDone'), 'done');
    changed();
  }

  async function add(file) {
    const picture = await thumbnail(file);
    const shown = card(file.name, picture);
    let running;
    shown.item.addEventListener('photo:removed', () => running?.abort());
    const start = async () => {
      shown.show(say('photoWaiting'), 'sending');
      running = send(url, form?.elements.csrf_token?.value ?? meta('csrf-token'), file, (percent) => { shown.bar.value = percent; shown.show(say('photoSending', { percent }), 'sending'); });
      try {
        accept(shown, await running.done, file.name, picture);
      } catch (problem) {
        shown.show(problem.message || say('photoFailed'), 'failed');
        announce(file.name + say('colon') + shown.item.querySelector('.photo-state').textContent);
      }
    };
    shown.retry.addEventListener('click', start);
    addEventListener('online', () => { if (shown.item.isConnected && shown.item.dataset.state === 'failed') start(); });
    await start();
  }

  input.addEventListener('change', async () => {
    const chosen = [...input.files];
    input.value = ''; // or the form would send them a second time
    const room = Math.max(0, Number(max) - items().length);
    message.textContent = chosen.length > room ? say(files ? 'filesTooMany' : 'photoTooMany', { max }) : '';
    for (const file of chosen.slice(0, room)) await add(file); // one after the other: a phone's uplink is narrow
  });

  form?.addEventListener('draft:save', (event) => {
    if (!input.isConnected) return; // the chosen outcome has brought other fields
    event.detail[name] = all(list, 'input').map((one) => [one.value, one.dataset.title, one.dataset.picture]);
  });
  form?.addEventListener('draft:restore', (event) => {
    list.replaceChildren();
    for (const [id, title, picture] of event.detail?.[name] ?? []) accept(card(title, picture), id, title, picture);
  });

  // photos the server already knows, for instance after a 422: <span data-photo="ID" data-title="…" data-picture="URL"> inside the label
  for (const known of all(input.parentElement, '[data-photo]')) {
    accept(card(known.dataset.title, known.dataset.picture), known.dataset.photo, known.dataset.title, known.dataset.picture);
    known.remove();
  }
}

eachNew('input[type=file][data-photos]', prepare);

document.addEventListener('submit', (event) => {
  const unfinished = all(event.target, '.photo:not([data-state=done])');
  if (!unfinished.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const message = unfinished[0].closest('.photos').nextElementSibling;
  message.textContent = say(unfinished.some((one) => one.matches('.is-file')) ? 'filesUnfinished' : 'photosUnfinished', { count: unfinished.length });
  unfinished[0].scrollIntoView({ block: 'center' });
}, true);

// [data-signature]: a sheet to sign on with a finger, a pen or the mouse; a picture of a signature may be chosen instead. What is on the sheet
// is sent to data-url once the hand rests, or, where there is none, goes with the form as the file of its input.
import { all, announce, eachNew, make, meta } from './page.js';
import { send } from './photos.js';
import { say } from './words.js';

const WIDTH = 900;
const HEIGHT = 300;
const PEN = 2.6; // of the screen's pixels
const REST = 1200;
const pads = new WeakMap(); // box → what it does when its form is submitted

/** At once, unlike toBlob: the file must be there when the form is sent. */
function fileOf(canvas) {
  const bytes = Uint8Array.from(atob(canvas.toDataURL('image/png').split(',')[1]), (one) => one.charCodeAt(0));
  return new File([bytes], 'signature.png', { type: 'image/png' });
}

function prepare(box) {
  const form = box.closest('form');
  const { signature: name, url } = box.dataset;
  const input = box.querySelector('input[type=file]');
  const sheet = box.querySelector('.signature-sheet');
  const canvas = make('canvas', { width: WIDTH, height: HEIGHT, role: 'img', 'aria-label': sheet.textContent.trim() });
  const pen = canvas.getContext('2d');
  const again = make('button', { type: 'button', className: 'btn', hidden: true }, say('signatureAgain'));
  const state = make('span', { className: 'muted', role: 'status' });
  sheet.append(canvas);
  sheet.after(make('div', { className: 'signature-acts' }, again, state));
  let value = '';
  let timer = 0;
  let running = null;

  /** `what` is blank, inked, sending, failed or done. */
  function be(what, words = '') {
    box.dataset.state = what;
    again.hidden = what === 'blank';
    state.textContent = words;
  }

  function hold(id) {
    value = id;
    for (const old of all(box, 'input[type=hidden]')) old.remove();
    if (id) box.append(make('input', { type: 'hidden', name, value: id }));
  }

  function wipe() {
    clearTimeout(timer);
    running?.abort();
    running = null;
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, WIDTH, HEIGHT);
    input.value = '';
    hold('');
    be('blank');
  }

  /** Puts a picture onto the sheet as large as fits. */
  function put(picture) {
    const scale = Math.min(WIDTH / picture.width, HEIGHT / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    pen.drawImage(picture, (WIDTH - width) / 2, (HEIGHT - height) / 2, width, height);
  }

  async function show(source) {
    const picture = new Image();
    picture.src = source;
    await picture.decode().then(() => put(picture), () => {});
  }

  const tell = () => form?.dispatchEvent(new Event('change', { bubbles: true }));

  function inked() {
    clearTimeout(timer);
    hold('');
    if (url) {
      be('inked');
      timer = setTimeout(keep, REST);
      return;
    }
    const files = new DataTransfer();
    files.items.add(fileOf(canvas));
    input.files = files.files;
    be('done');
    tell();
  }

  async function keep() {
    clearTimeout(timer);
    running?.abort();
    be('sending', say('signatureSaving'));
    const mine = running = send(url, form?.elements.csrf_token?.value ?? meta('csrf-token'), fileOf(canvas), () => {});
    try {
      const id = await mine.done;
      if (running !== mine) return false;
      hold(id);
      be('done', say('signatureDone'));
      tell();
      return true;
    } catch (problem) {
      if (running !== mine) return false;
      be('failed', problem.message || say('photoFailed'));
      announce(state.textContent);
      return false;
    }
  }

  const place = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * WIDTH, ((event.clientY - top) / height) * HEIGHT];
  };
  let last = null;
  function draw(event) {
    if (!last) return;
    const ways = event.getCoalescedEvents?.() ?? [];
    for (const one of ways.length ? ways : [event]) {
      const next = place(one);
      pen.beginPath();
      pen.moveTo(...last);
      pen.lineTo(...next);
      pen.stroke();
      last = next;
    }
  }
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    clearTimeout(timer);
    form?.dispatchEvent(new CustomEvent('draft:touched')); // a stroke is no input event
    Object.assign(pen, { lineWidth: (PEN * WIDTH) / canvas.clientWidth, lineCap: 'round', lineJoin: 'round', strokeStyle: '#000' });
    last = place(event);
    if (box.dataset.state === 'blank') be('inked');
    draw(event);
  });
  canvas.addEventListener('pointermove', draw);
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => { if (last) { last = null; inked(); } });
  again.addEventListener('click', () => { wipe(); tell(); });
  addEventListener('online', () => { if (box.isConnected && box.dataset.state === 'failed') keep(); });

  input.addEventListener('change', async (event) => {
    event.stopPropagation(); // the form hears of it once the signature is kept
    const file = input.files[0];
    if (!file) return;
    const picture = await createImageBitmap(file).catch(() => null);
    wipe();
    if (!picture) {
      state.textContent = say('signatureUnreadable');
      return;
    }
    put(picture);
    inked();
  });

  form?.addEventListener('draft:save', (event) => {
    if (box.isConnected && box.dataset.state !== 'blank') event.detail[name] = [value, canvas.toDataURL('image/png')];
  });
  form?.addEventListener('draft:restore', async (event) => {
    if (!box.isConnected) return;
    const [id, picture] = event.detail?.[name] ?? [];
    wipe();
    if (!picture) return;
    if (id) hold(id);
    be(id ? 'done' : 'inked', id ? say('signatureDone') : '');
    await show(picture);
    if (!id) inked();
  });

  const known = box.querySelector('input[type=hidden]');
  const { value: before, dataset: { picture } = {} } = known ?? {};
  wipe();
  if (before) {
    hold(before);
    be('done', say('signatureDone'));
    show(picture);
  }
  pads.set(box, keep);
}

eachNew('[data-signature]', prepare);

// Whoever signs and presses the button at once need not wait for the hand to rest.
document.addEventListener('submit', async (event) => {
  const { target: form, submitter } = event;
  const open = all(form, '[data-signature]').filter((box) => ['inked', 'sending', 'failed'].includes(box.dataset.state));
  if (!open.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const box of open) {
    if (!(await pads.get(box)())) {
      box.scrollIntoView({ block: 'center' });
      return;
    }
  }
  form.requestSubmit(submitter);
}, true);

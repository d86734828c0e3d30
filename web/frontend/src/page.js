// What every module needs of the page: parts that arrive (at load and with each htmx swap), a voice for screen readers, icons, storage.
const here = document.currentScript?.src ?? document.baseURI;

export const all = (root, selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];

/** Runs `look(root)` for the page and for everything swapped in later. It may run twice for the same part. */
export function onArrival(look) {
  look(document);
  document.addEventListener('htmx:after:process', (event) => look(event.target));
}

/** Runs `prepare(element)` once for each element that matches. */
export function eachNew(selector, prepare) {
  const known = new WeakSet();
  onArrival((root) => {
    for (const element of all(root, selector)) {
      if (known.has(element)) continue;
      known.add(element);
      prepare(element);
    }
  });
}

export function announce(text) {
  let voice = document.getElementById('announcer');
  if (!voice) {
    voice = make('div', { id: 'announcer', className: 'visually-hidden', role: 'status' });
    voice.setAttribute('aria-live', 'polite');
    document.body.append(voice);
  }
  voice.textContent = '';
  setTimeout(() => { voice.textContent = text; }, 100); // a region that is filled while it appears is not read out
}

/** Moves the focus to something that is normally not focusable, such as a heading or a record. */
export function focusOn(element) {
  if (element.tabIndex < 0 && !element.hasAttribute('tabindex')) element.tabIndex = -1;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  element.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
  element.focus({ preventScroll: true });
}

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', new URL(`icons.svg#${name}`, here).pathname + `#${name}`);
  svg.append(use);
  return svg;
}

export const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;

/** localStorage, which may be full, switched off or hold something old. */
export const memory = {
  get(key) {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; }
  },
  drop(key) {
    try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
  },
  keys(prefix) {
    try { return Object.keys(localStorage).filter((key) => key.startsWith(prefix)); } catch { return []; }
  },
};

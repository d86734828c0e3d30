// <a data-poll-url="/inbox/new?since=…" href="/inbox" hidden>: asks every 4 s how many tasks are new ({"count": N}) and says so in place.
import { announce, eachNew } from './page.js';
import { say } from './words.js';

const EVERY = 4000;
const SLOWEST = 60_000;

function watch(link) {
  let pause = EVERY;
  let timer;
  let shown = 0;
  let signedOut = false;

  function tell(text) {
    link.textContent = text;
    link.hidden = false;
    announce(text);
  }
  async function look() {
    const answer = await fetch(link.dataset.pollUrl, { headers: { Accept: 'application/json' }, redirect: 'manual', cache: 'no-cache' });
    signedOut = answer.status === 401 || answer.type === 'opaqueredirect';
    if (signedOut) return tell(say('signedOut'));
    if (!answer.ok) throw new Error(answer.status);
    const { count } = await answer.json();
    if (count > shown) tell(say('newTasks', { count }));
    else if (count === 0) link.hidden = true;
    else link.textContent = say('newTasks', { count });
    shown = count;
  }
  async function ask() {
    clearTimeout(timer);
    if (signedOut || !link.isConnected) return;
    if (!document.hidden) await look().then(() => { pause = EVERY; }, () => { pause = Math.min(pause * 2, SLOWEST); });
    timer = setTimeout(ask, pause);
  }

  document.addEventListener('visibilitychange', () => { if (!document.hidden) ask(); });
  timer = setTimeout(ask, EVERY);
}

eachNew('[data-poll-url]', watch);

import htmx from 'htmx.org';
import { meta } from './page.js';
import './photos.js'; // before once.js: a form that still uploads is not yet submitted
import './signature.js';
import './once.js';
import './people.js'; // before drafts.js, which asks at once who has been chosen
import './drafts.js';
import './visible.js';
import './phrases.js';
import './copy.js';
import './keyboard.js';
import './menus.js';
import './notices.js';
import './poll.js';
import './scroll.js';
import './location.js';

// For CSS transitions htmx copies old style attributes to new elements, which the policy forbids (a text area drawn larger has one).
htmx.config.defaultSettleDelay = 0;

// No text of a page ever becomes code, whatever the page's policy says.
function refuse() {
  throw new Error('attributes that hold JavaScript are not supported');
}
htmx.registerExtension('no-code', { init: (api) => api.initSecurity(null, refuse, refuse) });

document.addEventListener('htmx:config:request', (event) => {
  const { request } = event.detail.ctx;
  if (request.method !== 'GET' && meta('csrf-token')) request.headers['X-CSRFToken'] = meta('csrf-token');
});

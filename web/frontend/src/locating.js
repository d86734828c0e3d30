// An input that holds "longitude,latitude,metres" in WGS-84, as the browser tells it, beside the address that is typed.
import { announce, icon, make } from './page.js';
import { say } from './words.js';

const PATIENCE = { enableHighAccuracy: true, timeout: 20_000, maximumAge: 60_000 };
const FAILURES = { 1: 'locationDenied', 2: 'locationUnknown', 3: 'locationUnknown' };
const exact = (degrees) => Number(degrees.toFixed(6));

function degrees([longitude, latitude, metres]) {
  const east = say(longitude < 0 ? 'degreesWest' : 'degreesEast', { degrees: Math.abs(longitude) });
  const north = say(latitude < 0 ? 'degreesSouth' : 'degreesNorth', { degrees: Math.abs(latitude) });
  return say(metres ? 'locationWithin' : 'locationAt', { east, north, metres });
}

export function locatable(input) {
  const locate = make('button', { type: 'button', className: 'btn' }, icon('map-pin'), say('locationUse'));
  const told = make('span', { className: 'location-told' });
  const remove = make('button', { type: 'button', className: 'btn' }, icon('x'), say('locationRemove'));
  const message = make('p', { className: 'error', hidden: true, role: 'alert' });
  const help = make('p', { className: 'help' }, say('locationHelp'));
  input.after(make('div', { className: 'location' }, locate, told, remove), help, message);

  function draw() {
    const numbers = input.value.split(',').map(Number);
    told.textContent = input.value && numbers.every(Number.isFinite) ? degrees(numbers) : '';
    remove.hidden = help.hidden = !input.value;
  }
  function become(value) {
    input.value = value;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }
  function failed(key) {
    message.textContent = say(key);
    message.hidden = false;
    locate.disabled = false;
  }
  locate.addEventListener('click', () => {
    message.hidden = true;
    if (!isSecureContext || !navigator.geolocation) return failed('locationInsecure');
    locate.disabled = true;
    announce(say('locationWaiting'));
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      locate.disabled = false;
      become([exact(coords.longitude), exact(coords.latitude), Math.ceil(coords.accuracy)].join());
      announce(told.textContent);
    }, ({ code }) => failed(FAILURES[code]), PATIENCE);
  });
  remove.addEventListener('click', () => {
    become('');
    locate.focus();
  });
  input.addEventListener('change', draw);
  draw();
}

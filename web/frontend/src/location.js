// input[data-location]: where the device is. Without JavaScript the address beside it is all.
import { locatable } from './locating.js';
import { eachNew } from './page.js';

eachNew('input[data-location]', locatable);

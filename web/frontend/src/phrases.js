// The lists of phrases of the page.
import { phrased } from './phrasing.js';

phrased(document);

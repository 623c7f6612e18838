/** fast-check with the number of cases that the run asks for; every property imports it from here. */
import fc from 'fast-check';
import { cases } from '../quick.js';

fc.configureGlobal({ numRuns: cases(100) });

export default fc;

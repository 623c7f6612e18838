/** Threads of the native pool that shares the series of a batch and the streams of a step; at first one for each CPU that may be used. */
import { argumentError, rangeError } from '../errors/index.js';
import { addon } from './addon.js';

const MOST = 1024;

let warned = false;

/** How many threads this environment uses: fewer than were asked for where the system refused to begin them. */
export function threadCount(): number {
  return addon().threads();
}

/**
 * Sets how many threads this environment (the main thread, or this worker) uses, its own among them, and returns how many there
 * are: where the system refuses a thread (a limit of processes), work goes on with those it began, and a warning says so once.
 * The numbers that come out do not depend on it. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export function setThreads(threads: number): number {
  const expected = `a whole number from 1 to ${MOST}`;
  if (typeof threads !== 'number') throw argumentError(expected, 'threads', threads);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST) throw rangeError(expected, 'threads', threads);
  const begun = addon().setThreads(threads);
  if (begun < threads && !warned) {
    warned = true;
    process.emitWarning(`The system began ${begun} of ${threads} threads; work goes on with these`, {
      code: 'DTESN_THREADS',
      detail: 'Raise the limit of processes (ulimit -u, pids.max), or ask for fewer threads.',
    });
  }
  return begun;
}

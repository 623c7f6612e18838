/** Threads of the native pool that shares the series of a batch and the streams of a step; at first one for each CPU that may be used. */
import { argumentError, rangeError } from '../errors/index.js';
import { usableCpus } from '../host/index.js';
import { addon } from './addon.js';

const MOST = 1024;

let chosen: number | null = null;

/** How many threads this environment uses. */
export function threadCount(): number {
  return chosen ?? usableCpus();
}

/**
 * Sets how many threads this environment (the main thread, or this worker) uses, its own among them. The numbers that
 * come out do not depend on it. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export function setThreads(threads: number): void {
  const expected = `a whole number from 1 to ${MOST}`;
  if (typeof threads !== 'number') throw argumentError(expected, 'threads', threads);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST) throw rangeError(expected, 'threads', threads);
  addon.setThreads(threads);
  chosen = threads;
}

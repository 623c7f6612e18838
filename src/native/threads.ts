/**
 * Threads of the native pool, which divide the series of a batch and the streams of a step; by default one for each
 * usable CPU.
 */
import { checkWhole } from '../errors/index.js';
import { addon } from './addon.js';

const MOST = 1024;

let warned = false;

/** Threads that this environment uses: fewer than requested when the system refused to start them. */
export function threadCount(): number {
  return addon().threads();
}

/**
 * Sets how many threads this environment (the main thread, or this worker) uses, its own among them, and returns their
 * number. When the system refuses a thread (a process limit), the pool uses those it started and emits one warning.
 * Results do not depend on the number. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export function setThreads(threads: number): number {
  checkWhole(threads, 'threads', 1, MOST);
  const begun = addon().setThreads(threads);
  if (begun < threads && !warned) {
    warned = true;
    process.emitWarning(`The system began ${begun} of ${threads} threads and the pool uses these`, {
      code: 'DTESN_THREADS',
      detail: 'Raise the limit of processes (ulimit -u, pids.max), or ask for fewer threads.',
    });
  }
  return begun;
}

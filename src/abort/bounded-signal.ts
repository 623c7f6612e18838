/** Time limits on what is asked, without a timer or a listener left behind. */
import { type Clock, systemClock } from './clock.js';

/** Why work that is left under way ends. One object for all: one made for each takes a stack, and doubles the cost. */
export const ended = new DOMException('This operation was aborted', 'AbortError');

/**
 * Runs `use` with a signal that aborts when the caller's does, with `late()` after `ms` milliseconds, and at the end: what
 * `use` left under way ends with it.
 */
export async function withTimeLimit<T>(
  ms: number,
  late: () => Error,
  caller: AbortSignal | undefined,
  use: (signal: AbortSignal) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  caller?.throwIfAborted();
  const stop = new AbortController();
  // An event loop that stood still fires its timers first: what arrived meanwhile is read before the limit counts.
  let grace: NodeJS.Immediate | undefined;
  const tooLate = () => {
    grace = setImmediate(() => stop.abort(late()));
  };
  const cancel = clock.after(ms, tooLate, { hold: true });
  const forward = () => stop.abort(caller?.reason);
  caller?.addEventListener('abort', forward, { once: true });
  try {
    return await use(stop.signal);
  } finally {
    cancel();
    clearImmediate(grace);
    caller?.removeEventListener('abort', forward);
    stop.abort(ended);
  }
}

/** Runs `use` with a signal that aborts when the caller's does, and at the end: what `use` left under way ends with it. */
export async function withOwnSignal<T>(caller: AbortSignal, use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  caller.throwIfAborted();
  const stop = new AbortController();
  const forward = () => stop.abort(caller.reason);
  caller.addEventListener('abort', forward, { once: true });
  try {
    return await use(stop.signal);
  } finally {
    caller.removeEventListener('abort', forward);
    stop.abort(ended);
  }
}

/** The promise, or the signal's reason if that comes first: for work that may not heed the signal itself. */
export function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Waits; rejects with the signal's reason when that comes first. The timer holds no process alive, but with `hold`. */
export function pause(
  ms: number,
  signal: AbortSignal,
  clock: Clock = systemClock,
  options: { hold?: boolean } = {},
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      cancel();
      reject(signal.reason);
    };
    const settle = () => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    const cancel = clock.after(ms, settle, options);
    signal.addEventListener('abort', abort, { once: true });
  });
}

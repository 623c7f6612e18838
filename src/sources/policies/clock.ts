/**
 * The time that waiting code goes by: milliseconds of a clock that never steps, and a call after some of them. Whoever
 * replays or tests gives another clock than the system's.
 *
 *     after(ms, call)                     a wait that holds no process alive
 *     after(ms, call, { hold: true })     one that does: somebody waits for its end
 *
 * `after` returns what cancels it.
 */
export interface Clock {
  now(): number;
  after(ms: number, call: () => void, options?: { hold?: boolean }): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, call, { hold = false } = {}) {
    const timer = setTimeout(call, ms);
    if (!hold) timer.unref();
    return () => clearTimeout(timer);
  },
};

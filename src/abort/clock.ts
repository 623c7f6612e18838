/**
 * A clock for code that waits: milliseconds that never step back, and calls after a delay. Replays and tests pass a clock of
 * their own.
 *
 *     after(ms, call)                     a wait that holds no process alive
 *     after(ms, call, { hold: true })     a wait that does: a caller waits for its end
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

/** Milliseconds since 1970, for what is published with a date; it may step, so no wait and no age is measured by it. */
export function wallMs(): number {
  return Date.now();
}

/** Monotonic milliseconds that every thread of the process reads alike; performance.now() counts from the start of its thread. */
export function processMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

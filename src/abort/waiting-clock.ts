/**
 * A clock that runs only while the event loop waits: for limits on what this process answers itself.
 *
 *     now      milliseconds in which the loop was idle (libuv's idle time) since it began
 *     after    calls once the loop was idle for so long
 *
 * An answer of this process is made by its own event loop. As long as the loop is busy, blocked or kept from a CPU, the answer is under
 * way; when the loop is idle, nothing is. So such a limit ends what hangs, and never what is slow because the process is.
 */
import { performance } from 'node:perf_hooks';
import { type Clock, systemClock } from './clock.js';

export const waitingClock: Clock = {
  now: () => performance.eventLoopUtilization().idle,
  after(ms, call, options) {
    const end = waitingClock.now() + ms;
    const check = () => {
      const rest = end - waitingClock.now();
      if (rest <= 0) call();
      else cancel = systemClock.after(rest, check, options);
    };
    let cancel = systemClock.after(ms, check, options);
    return () => cancel();
  },
};

/** What limits on the answers of an engine are measured by: a replaced clock stays, the system's gives way where the engine is in this process. */
export function limitClock(engine: { readonly inProcess?: boolean }, clock: Clock): Clock {
  return engine.inProcess === true && clock === systemClock ? waitingClock : clock;
}

/**
 * A steady poll: turn k begins at start + k · interval of the monotonic clock, the first at once.
 *
 * Turns do not drift, for each waits for its own point in time, and do not overlap: a turn that takes longer than the
 * interval skips the points it missed. The timer holds no process alive. Ends when the signal aborts; an error of a turn ends
 * it too and is the caller's.
 */
import { type Clock, pause, systemClock } from '../../abort/index.js';

export async function steadyPoll(
  turn: () => Promise<void>,
  intervalMs: number,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<void> {
  const start = clock.now();
  for (let k = 0; !signal.aborted; ) {
    try {
      await turn();
      k = Math.max(k + 1, Math.ceil((clock.now() - start) / intervalMs));
      await pause(start + k * intervalMs - clock.now(), signal, clock);
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
  }
}

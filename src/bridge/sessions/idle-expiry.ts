/** Ends sessions that had no steps for idleMs of the monotonic clock, looked at every tenth of it, at most every minute. */
import type { Clock } from '../../abort/index.js';
import type { Session } from './session.js';

const MOST_MS = 60_000;

/** Returns what stops it. */
export function expireIdle(
  sessions: () => Iterable<Session>,
  end: (session: Session) => void,
  clock: Clock,
  idleMs: () => number,
): () => void {
  let cancel = () => {};
  const sweep = () => {
    const before = clock.now() - idleMs();
    for (const session of sessions()) {
      const isIdle = session.work === null && session.queue.length === 0;
      if (isIdle && session.lastUsed <= before) end(session);
    }
    wait();
  };
  const wait = () => {
    cancel = clock.after(Math.min(MOST_MS, idleMs() / 10), sweep);
  };
  wait();
  return () => cancel();
}

/**
 * The sessions by id, and for an hour the ids of those that ended.
 *
 *     unknown id: session_unknown      ended within the hour: session_gone      cannot be served: network_changed or storage
 */
import type { Clock } from '../../abort/index.js';
import { ENDED_MS, forgetOldest } from '../journal/index.js';
import { BridgeError } from '../messages/index.js';
import type { BlockedSession } from './blocked-session.js';
import type { Session } from './session.js';

interface Gone {
  /** Of the clock. */
  until: number;
  reason: 'deleted' | 'expired';
  /** Sequence number of its end in the journal. */
  sequence: number;
}

export class SessionTable {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session | BlockedSession>();
  readonly #gone = new Map<string, Gone>();
  #sorted: string[] | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#sessions.size;
  }

  values(): IterableIterator<Session | BlockedSession> {
    return this.#sessions.values();
  }

  find(id: string): Session | BlockedSession | undefined {
    return this.#sessions.get(id);
  }

  /** Errors: BridgeError `session_unknown`, `session_gone`. */
  any(id: string): Session | BlockedSession {
    const found = this.#sessions.get(id);
    if (found !== undefined && found.ending === null) return found;
    if (found !== undefined) throw goneError(id, 'deleted');
    const gone = this.gone(id);
    if (gone !== undefined) throw goneError(id, gone.reason);
    throw new BridgeError('session_unknown', `No session has the id ${id.slice(0, 128)}`);
  }

  /** A session that is served. Errors: as `any`, and those of a session that is not. */
  served(id: string): Session {
    const found = this.any(id);
    if (found.blocked !== null) throw found.error();
    return found;
  }

  gone(id: string): Gone | undefined {
    const gone = this.#gone.get(id);
    if (gone === undefined || gone.until > this.#clock.now()) return gone;
    this.#gone.delete(id);
    return undefined;
  }

  add(session: Session | BlockedSession): void {
    this.#sessions.set(session.record.id, session);
    this.#gone.delete(session.record.id);
    this.#sorted = null;
  }

  /** Takes a session out whose creation did not succeed: its id is unknown again. */
  forget(session: Session): void {
    this.#sessions.delete(session.record.id);
    this.#sorted = null;
  }

  end(id: string, reason: Gone['reason'], sequence: number, forMs: number = ENDED_MS): void {
    this.#sessions.delete(id);
    this.#sorted = null;
    this.#gone.delete(id);
    this.#gone.set(id, { until: this.#clock.now() + forMs, reason, sequence });
    forgetOldest(this.#gone);
  }

  /** At most `limit` sessions with ids above `after`, in the order of UTF-16 code units. */
  page(limit: number, after: string): { items: (Session | BlockedSession)[]; isLast: boolean } {
    this.#sorted ??= [...this.#sessions.keys()].sort();
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]! > after) high = middle;
      else low = middle + 1;
    }
    const ids = this.#sorted.slice(low, low + limit);
    return { items: ids.map((id) => this.#sessions.get(id)!), isLast: low + limit >= this.#sorted.length };
  }
}

export function goneError(id: string, reason: Gone['reason']): BridgeError {
  return new BridgeError(
    'session_gone',
    `The session ${id} was ${reason === 'deleted' ? 'deleted' : 'idle too long and ended'}`,
  );
}

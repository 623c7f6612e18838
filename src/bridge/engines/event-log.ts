/**
 * What happened, in order, for clients that listen and for those that come back.
 *
 *     const log = new EventLog({ metrics });
 *     log.append('state', { engine: 'a', name: 'hung' });
 *     const { missed, events } = log.replay(request.headers['last-event-id']);
 *     const stop = log.subscribe((event) => response.write(event.text));
 *
 * Ids are `<boot>-<sequence>`; `boot` is random for each log, so an id of an earlier process is recognised. The last `capacity`
 * events are kept. `replay` returns those after an id; where some after it are gone, `missed` says why:
 *
 *     restart     the id is of another boot, or is none of this log: all kept events follow
 *     overflow    more events came since than are kept: all kept events follow
 *
 * Each event is serialised once, as text of server-sent events, and that text is shared by all subscribers. Listeners run in the
 * call of `append`; one that throws harms neither the others nor the caller.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { wallMs } from '../../abort/index.js';
import { checkOptions, ListenerErrors } from '../../errors/index.js';
import type { Counter, MetricsRegistry } from '../metrics/index.js';

export const eventTypes = [
  'state',
  'restart',
  'drained',
  'restored',
  'anomaly',
  'added',
  'removed',
  'plan',
  'config',
  'sessions',
  'end',
] as const;
export type BridgeEventType = (typeof eventTypes)[number];

/** JSON-able; `append` adds `at`, an RFC 3339 time. */
export type BridgeEventData = Readonly<Record<string, unknown>>;

export interface BridgeEvent {
  /** `<boot>-<sequence>`. */
  readonly id: string;
  readonly type: BridgeEventType;
  readonly data: BridgeEventData;
  /** `id:`, `event:` and `data:` lines with the empty line at the end. */
  readonly text: string;
}

const missedReasons = ['restart', 'overflow'] as const;
export type MissedReason = (typeof missedReasons)[number];

export interface Replay {
  /** Null where nothing is missing; `text` is the event to send before the others. */
  missed: { reason: MissedReason; text: string } | null;
  events: readonly BridgeEvent[];
}

export type EventListener = (event: BridgeEvent) => void;

export const optionsSchema = z.object({
  capacity: z.int().min(1).max(1_000_000).default(1000).describe('a whole number from 1 to 1000000'),
  metrics: z.custom<MetricsRegistry>().optional().describe('a MetricsRegistry'),
});

export interface EventLogOptions {
  /** Events kept for replay, 1 to 1,000,000. Default 1000. */
  capacity?: number | undefined;
  /** Where `dtesn_events_missed_total{reason}` is counted. */
  metrics?: MetricsRegistry | undefined;
}

export class EventLog {
  readonly boot = randomBytes(6).toString('hex');
  readonly #capacity: number;
  readonly #missed: Counter | undefined;
  readonly #listeners = new Set<EventListener>();
  readonly #errors = new ListenerErrors();
  #events: BridgeEvent[] = [];
  #sequence = 0;

  constructor(options: EventLogOptions = {}) {
    const { capacity, metrics } = checkOptions(optionsSchema, options, 'EventLog');
    this.#capacity = capacity;
    this.#missed = metrics?.counter('dtesn_events_missed_total', 'Replays that could not begin where a client left.', [
      'reason',
    ]);
    for (const reason of missedReasons) this.#missed?.begin({ reason });
  }

  /** The id of the newest event; `<boot>-0` before the first. */
  get lastId(): string {
    return `${this.boot}-${this.#sequence}`;
  }

  get subscribers(): number {
    return this.#listeners.size;
  }

  append(type: BridgeEventType, data: BridgeEventData = {}): BridgeEvent {
    this.#sequence++;
    const id = this.lastId;
    const dated = { at: new Date(wallMs()).toISOString(), ...data };
    const event = { id, type, data: dated, text: `id: ${id}\n${eventText(type, dated)}` };
    this.#events.push(event);
    // Twice the capacity at most, so that dropping the oldest costs little an event.
    if (this.#events.length >= 2 * this.#capacity) this.#events = this.#events.slice(-this.#capacity);
    for (const listener of [...this.#listeners]) void this.#errors.call(listener, type, [event]);
    return event;
  }

  /** The events after `lastEventId`; without one, none, for a client that begins now. */
  replay(lastEventId?: string | undefined): Replay {
    if (lastEventId === undefined || lastEventId === '') return { missed: null, events: [] };
    const kept = this.#events.slice(-this.#capacity);
    const [, boot, digits = ''] = /^([0-9a-f]{1,64})-(\d{1,15})$/.exec(lastEventId) ?? [];
    const sequence = Number(digits);
    if (boot !== this.boot || sequence > this.#sequence) return this.#missing('restart', kept);
    const after = this.#sequence - sequence;
    if (after > kept.length) return this.#missing('overflow', kept);
    return { missed: null, events: after === 0 ? [] : kept.slice(-after) };
  }

  /** Calls the listener with each event from now on; the result ends that. */
  subscribe(listener: EventListener): () => void {
    const own: EventListener = (event) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  #missing(reason: MissedReason, events: readonly BridgeEvent[]): Replay {
    this.#missed?.inc({ reason });
    return { missed: { reason, text: eventText('missed', { reason }) }, events };
  }
}

/** JSON has no line break, so `data:` is one line. */
function eventText(type: string, data: BridgeEventData): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

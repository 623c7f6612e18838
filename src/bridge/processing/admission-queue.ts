/**
 * The queue of requests that wait for the model: bounded in count, bytes and age, in three priorities (priority.ts).
 *
 *     refused at once      413 body_too_large  more than half of the queue by itself: it would never fit
 *                          429 queue_full    the requests or their bytes do not fit
 *                          429 client_share  the client would hold more than half of the places or of the bytes
 *     dropped later        504 budget        not begun within the request's own budget
 *                          429 queue_age     not begun within `ttlMs`
 *                          503 draining      the queue was closed
 *
 * An abort frees the place at once, and the request ends with the signal's reason. Requests of one call are admitted all or
 * none. Within a priority the order is that of arrival. Retry-After follows from the measured rate (service-rate.ts).
 * Metrics: dtesn_queue_bytes, dtesn_queue_requests, dtesn_queue_wait_seconds{priority}, dtesn_shed_total{reason}.
 */
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import { BridgeError, type BridgeErrorCode } from '../messages/index.js';
import type { Counter, Histogram, MetricsRegistry } from '../metrics/index.js';
import { type Linked, LinkedList } from './linked-list.js';
import { type Priority, type PriorityChoice, priorities, priorityOf, Stride } from './priority.js';
import { ServiceRate } from './service-rate.js';

export interface QueueOptions {
  /** Requests that may wait, 2 to 1,000,000; 1,024 by default. */
  maxRequests?: number | undefined;
  /** Bytes of bodies that may wait, 2 to 2^40; 256 MiB by default. */
  maxBytes?: number | undefined;
  /** Milliseconds that a request may wait, 1 to 3,600,000; 60,000 by default. */
  ttlMs?: number | undefined;
  /** The monotonic clock; that of the system by default. */
  clock?: Clock | undefined;
}

/** Bounds of the queue, as in QueueOptions. */
export interface QueueBounds {
  maxRequests: number;
  maxBytes: number;
  ttlMs: number;
}

export const queueOptionsSchema = z.object({
  maxRequests: z.int().min(2).max(1_000_000).default(1024).describe('a whole number of requests, 2 to 1000000'),
  maxBytes: z
    .int()
    .min(2)
    .max(2 ** 40)
    .default(256 * 2 ** 20)
    .describe('a whole number of bytes, 2 to 2^40'),
  ttlMs: z.number().min(1).max(3_600_000).default(60_000).describe('milliseconds, 1 to 3600000'),
  clock: clockOption,
});

/** What the queue knows of a request. */
export interface Admission {
  /** 'normal' by default. */
  priority?: PriorityChoice | undefined;
  /** Who sent it: requests of equal names share half of the queue. One unnamed client by default. */
  client?: string | undefined;
  /** Bytes of its body; 0 by default. */
  bytes?: number | undefined;
  /** Milliseconds within which it must be begun; as long as the queue keeps it by default. */
  budgetMs?: number | undefined;
  /** Frees the place; the request then ends with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export const admissionSchema = z.object({
  priority: z
    .custom<PriorityChoice>(() => true)
    .optional()
    .describe("'high', 'normal', 'low' or 0, 1, 2"),
  client: z.string().default('').describe('a string'),
  bytes: z.number().min(0).default(0).describe('a number of bytes, 0 or more'),
  budgetMs: z.number().min(0).optional().describe('milliseconds, 0 or more'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
});

interface Entry<T> extends Linked<Entry<T>> {
  /** Until the entry leaves the queue. */
  item: T | null;
  bytes: number;
  group: Group<T>;
}

/** The requests of one call. */
interface Group<T> {
  priority: Priority;
  client: string;
  arrivedAt: number;
  deadline: number;
  /** Why an entry is dropped at the deadline. */
  late: 'budget' | 'queue_age';
  entries: Entry<T>[];
  /** Of these, those that have not left the queue. */
  waiting: number;
  shed: (item: T, error: unknown) => void;
  /** Removes the timer and the listener. */
  end: () => void;
}

const nothing = () => {};

/** Clients of which nothing waits that keep their share: V8 keeps each table of a Map that comes and goes. */
const KEPT_SHARES = 64;

interface Share {
  requests: number;
  bytes: number;
}

const WAIT_BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

export class AdmissionQueue<T> {
  #bounds: QueueBounds;
  readonly #clock: Clock;
  readonly #levels: Record<Priority, LinkedList<Entry<T>>> = {
    high: new LinkedList(),
    normal: new LinkedList(),
    low: new LinkedList(),
  };
  readonly #stride = new Stride();
  readonly #shares = new Map<string, Share>();
  readonly #rate: ServiceRate;
  readonly #arrived: () => void;
  readonly #shed: Counter;
  readonly #waited: Histogram;
  #requests = 0;
  #bytes = 0;
  #closed = false;

  /** `arrived` is called after each admission. */
  constructor(metrics: MetricsRegistry, options: QueueOptions = {}, arrived: () => void = () => {}) {
    const checked = checkOptions(queueOptionsSchema, options, 'AdmissionQueue');
    this.#bounds = checked;
    this.#clock = checked.clock;
    this.#rate = new ServiceRate(checked.clock);
    this.#arrived = arrived;
    this.#shed = metrics.counter('dtesn_shed_total', 'Requests refused or dropped before they were begun', ['reason']);
    this.#waited = metrics.histogram('dtesn_queue_wait_seconds', 'Seconds from arrival to begin', WAIT_BOUNDS, [
      'priority',
    ]);
    for (const reason of ['queue_full', 'queue_age', 'client_share', 'too_many_streams', 'budget', 'draining'])
      this.#shed.begin({ reason });
    for (const priority of priorities) this.#waited.begin({ priority });
    const bytes = metrics.gauge('dtesn_queue_bytes', 'Bytes of the bodies of waiting requests');
    const requests = metrics.gauge('dtesn_queue_requests', 'Requests that wait for the model');
    metrics.collect(() => {
      bytes.set({}, this.#bytes);
      requests.set({}, this.#requests);
    });
  }

  /** Further requests have other bounds. */
  setBounds(bounds: QueueBounds): void {
    this.#bounds = bounds;
  }

  /** Waiting requests. */
  get waiting(): number {
    return this.#requests;
  }

  /** Bytes of their bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Milliseconds that the longest waiting request has waited; 0 where there is none. */
  get oldestMs(): number {
    const firsts = priorities.flatMap((priority) => {
      const { first } = this.#levels[priority];
      return first === null ? [] : [this.#clock.now() - first.group.arrivedAt];
    });
    return Math.max(0, ...firsts);
  }

  /**
   * Admits all items or none. `admission.bytes` are those of all items together. `shed` is called for an item that leaves
   * without being taken, with its error or the reason of the signal. With `reserved` the bounds do not apply: the caller
   * bounds such items itself.
   * Errors: BridgeError as above; the signal's reason; TypeError or RangeError for a wrong admission.
   */
  admit(items: readonly T[], admission: Admission, shed: (item: T, error: unknown) => void, reserved = false): void {
    const { client, bytes, budgetMs, signal, ...rest } = checkOptions(admissionSchema, admission, 'an admission');
    const priority = priorityOf(rest.priority);
    signal?.throwIfAborted();
    if (this.#closed) throw this.#draining();
    if (!reserved) this.#checkRoom(items.length, bytes, client);
    if (items.length === 0) return;
    const waitMs = Math.min(budgetMs ?? Number.POSITIVE_INFINITY, this.#bounds.ttlMs);
    const now = this.#clock.now();
    const late = waitMs === budgetMs ? ('budget' as const) : ('queue_age' as const);
    const group: Group<T> = {
      priority,
      client,
      arrivedAt: now,
      deadline: now + waitMs,
      late,
      entries: [],
      waiting: 0,
      shed,
      end: nothing,
    };
    for (const item of items) this.#add({ item, bytes: bytes / items.length, group, before: null, after: null });
    const abort = () => this.#drop(group, () => signal?.reason);
    const cancel = this.#clock.after(waitMs, () => this.#tooLate(group));
    signal?.addEventListener('abort', abort, { once: true });
    group.end = () => {
      cancel();
      signal?.removeEventListener('abort', abort);
    };
    this.#arrived();
  }

  /** The next items, at most `most`; they leave the queue. */
  take(most: number): T[] {
    const taken: T[] = [];
    while (taken.length < most) {
      const priority = this.#stride.next((one) => this.#levels[one].first !== null);
      if (priority === undefined) break;
      const entry = this.#levels[priority].first!;
      const { group } = entry;
      const now = this.#clock.now();
      if (now > group.deadline) {
        this.#tooLate(group); // the timer is late: the event loop was busy
        continue;
      }
      this.#waited.observe({ priority }, (now - group.arrivedAt) / 1000);
      taken.push(this.#remove(entry));
    }
    if (taken.length > 0) this.#rate.begun(taken.length);
    return taken;
  }

  /** An error of load with its Retry-After, counted as shed. */
  refusal(code: BridgeErrorCode, message: string): BridgeError {
    this.#shed.inc({ reason: code });
    return new BridgeError(code, message, { retryAfterSeconds: this.#rate.secondsFor(this.#requests) });
  }

  /** Refuses further requests and drops those that wait, with 503 draining. */
  close(): void {
    this.#closed = true;
    const groups = new Set(priorities.flatMap((priority) => [...this.#levels[priority]].map(({ group }) => group)));
    for (const group of groups) this.#drop(group, () => this.#draining());
  }

  #draining(): BridgeError {
    return this.refusal('draining', 'The bridge is ending and begins no further work');
  }

  #checkRoom(requests: number, bytes: number, client: string): void {
    const most = { requests: Math.floor(this.#bounds.maxRequests / 2), bytes: Math.floor(this.#bounds.maxBytes / 2) };
    if (requests > most.requests || bytes > most.bytes) {
      const limit = `${most.requests} inputs and ${most.bytes} bytes`;
      throw new BridgeError('body_too_large', `One call may have ${limit}, this one has ${requests} and ${bytes}`);
    }
    const share = this.#shares.get(client) ?? { requests: 0, bytes: 0 };
    if (this.#requests + requests > this.#bounds.maxRequests) {
      throw this.refusal('queue_full', `${this.#requests} of ${this.#bounds.maxRequests} requests are waiting`);
    }
    if (this.#bytes + bytes > this.#bounds.maxBytes) {
      throw this.refusal('queue_full', `${this.#bytes} of ${this.#bounds.maxBytes} bytes are waiting`);
    }
    if (share.requests + requests > most.requests || share.bytes + bytes > most.bytes) {
      const held = `${share.requests} requests and ${share.bytes} bytes of this client are waiting`;
      throw this.refusal('client_share', `${held}; one client may hold half of the queue`);
    }
  }

  #add(entry: Entry<T>): void {
    const { group, bytes } = entry;
    const level = this.#levels[group.priority];
    if (level.first === null) this.#stride.begin(group.priority);
    level.add(entry);
    group.entries.push(entry);
    group.waiting++;
    this.#count(group.client, 1, bytes);
  }

  /** Returns the item of the entry. What has left holds nothing of its call. */
  #remove(entry: Entry<T>): T {
    const { group, bytes } = entry;
    const item = entry.item as T;
    entry.item = null;
    this.#levels[group.priority].remove(entry);
    group.waiting--;
    this.#count(group.client, -1, -bytes);
    if (group.waiting === 0) {
      group.entries = [];
      group.end();
      group.end = nothing;
      group.shed = nothing;
    }
    return item;
  }

  #count(client: string, requests: number, bytes: number): void {
    const share = this.#shares.get(client) ?? { requests: 0, bytes: 0 };
    share.requests += requests;
    share.bytes = share.requests === 0 ? 0 : share.bytes + bytes;
    if (share.requests === 0 && this.#shares.size > KEPT_SHARES) this.#shares.delete(client);
    else this.#shares.set(client, share);
    this.#requests += requests;
    this.#bytes = this.#requests === 0 ? 0 : this.#bytes + bytes; // sums of fractions end at 0
  }

  #tooLate(group: Group<T>): void {
    const ms = Math.round(group.deadline - group.arrivedAt);
    const what = group.late === 'budget' ? `its budget of ${ms} ms` : `${ms} ms`;
    this.#drop(group, () => this.refusal(group.late, `The request was not begun within ${what}`));
  }

  #drop(group: Group<T>, error: () => unknown): void {
    const { shed } = group;
    const waiting = group.entries.filter(({ item }) => item !== null);
    const items = waiting.map((entry) => this.#remove(entry));
    for (const item of items) shed(item, error());
  }
}

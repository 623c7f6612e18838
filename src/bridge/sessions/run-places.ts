/**
 * Places of model runs: AT_ONCE are under way, up to WAITING wait in the order of their arrival, half of them of one client.
 * A place that becomes free goes to the first whose client has none, so that no client keeps both from others.
 *
 * Errors: BridgeError queue_full, client_share, budget and queue_age for a run that did not begin in time, draining; the signal's
 * reason.
 */
import type { Clock } from '../../abort/index.js';
import { BridgeError, type BridgeErrorCode } from '../messages/index.js';
import type { Counter } from '../metrics/index.js';

const AT_ONCE = 2;
const WAITING = 64;
const WAIT_MS = 60_000;

/** Who asks for a place, and how long it waits. */
export interface PlaceRequest {
  client: string;
  /** Milliseconds within which the run must begin; no bound when left out. */
  budgetMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

interface Running {
  client: string;
  stop: AbortController;
}

interface Waiting {
  client: string;
  begin: (place: Running) => void;
  end: (error: unknown) => void;
}

export class RunPlaces {
  readonly #clock: Clock;
  readonly #shed: Counter;
  readonly #waiting = new Set<Waiting>();
  readonly #running = new Set<Running>();
  #waitMs = WAIT_MS;
  #closed = false;
  readonly #idle: (() => void)[] = [];

  constructor(clock: Clock, shed: Counter) {
    this.#clock = clock;
    this.#shed = shed;
  }

  /** Milliseconds that a run may wait from now on. */
  setWait(ms: number): void {
    this.#waitMs = ms;
  }

  /** Runs work once there is a place for it. Its signal aborts as the request's does, and at the end of the bridge. */
  async run<R>(request: PlaceRequest, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { client, signal } = request;
    signal?.throwIfAborted();
    if (this.#closed) throw this.#refusal('draining', 'The bridge is ending and begins no further work');
    const place = this.#running.size >= AT_ONCE ? await this.#wait(request) : this.#begun(client);
    const abort = () => place.stop.abort(signal!.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      if (signal?.aborted) abort();
      place.stop.signal.throwIfAborted();
      return await work(place.stop.signal);
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#next(place);
    }
  }

  /** Refuses those that wait, and waits for those under way. */
  async drain(): Promise<void> {
    this.#closed = true;
    for (const { end } of this.#waiting) end(this.#refusal('draining', 'The bridge is ending: nothing was run'));
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Drains, and aborts those under way. */
  close(): Promise<void> {
    const drained = this.drain();
    const error = new BridgeError('draining', 'The bridge is ending: the run was given up');
    for (const { stop } of this.#running) stop.abort(error);
    return drained;
  }

  async #wait({ client, budgetMs, signal }: PlaceRequest): Promise<Running> {
    if (this.#waiting.size >= WAITING) throw this.#refusal('queue_full', `${WAITING} runs of models are waiting`);
    const own = [...this.#waiting].filter((one) => one.client === client).length;
    if (own >= WAITING / 2) throw this.#refusal('client_share', `${own} runs of this client are waiting`);
    const waitMs = Math.min(budgetMs ?? Number.POSITIVE_INFINITY, this.#waitMs);
    let cancel = () => {};
    let abort = () => {};
    try {
      return await new Promise<Running>((begin, reject) => {
        // Gone at once, so that no place is given to a run that has ended.
        const end = (error: unknown) => {
          this.#waiting.delete(waiting);
          reject(error);
        };
        const waiting = { client, begin, end };
        this.#waiting.add(waiting);
        abort = () => end(signal!.reason);
        signal?.addEventListener('abort', abort, { once: true });
        const late = () => end(this.#late(budgetMs, waitMs));
        cancel = this.#clock.after(waitMs, late);
      });
    } finally {
      cancel();
      signal?.removeEventListener('abort', abort);
    }
  }

  #begun(client: string): Running {
    const place = { client, stop: new AbortController() };
    this.#running.add(place);
    return place;
  }

  /** Gives a place that became free to the first that waits and whose client has none; to the first where all have one. */
  #next(ended: Running): void {
    this.#running.delete(ended);
    const waiting = [...this.#waiting];
    const have = new Set([...this.#running].map(({ client }) => client));
    const first = waiting.find(({ client }) => !have.has(client)) ?? waiting[0];
    if (first !== undefined) {
      this.#waiting.delete(first);
      first.begin(this.#begun(first.client));
    } else if (this.#running.size === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  #late(budgetMs: number | undefined, waitMs: number): BridgeError {
    if (waitMs === budgetMs) return this.#refusal('budget', `The run was not begun within its budget of ${waitMs} ms`);
    return this.#refusal('queue_age', `The run was not begun within ${waitMs} ms (processing.queueTtlMs)`);
  }

  #refusal(code: BridgeErrorCode, message: string): BridgeError {
    this.#shed.inc({ reason: code });
    return new BridgeError(code, message);
  }
}

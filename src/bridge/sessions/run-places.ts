/**
 * Places of model runs: AT_ONCE are under way, up to WAITING wait in the order of their arrival, half of them of one client.
 *
 * Errors: BridgeError queue_full, client_share, budget for a run that did not begin in time, draining; the signal's reason.
 */
import type { Clock } from '../../abort/index.js';
import { BridgeError, type BridgeErrorCode } from '../messages/index.js';
import type { Counter } from '../metrics/index.js';

const AT_ONCE = 2;
const WAITING = 64;

/** Who asks for a place, and how long it waits. */
export interface PlaceRequest {
  client: string;
  /** Milliseconds within which the run must begin; no bound when left out. */
  budgetMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

interface Waiting {
  client: string;
  begin: () => void;
  end: (error: unknown) => void;
}

export class RunPlaces {
  readonly #clock: Clock;
  readonly #shed: Counter;
  readonly #waiting = new Set<Waiting>();
  #running = 0;
  #closed = false;
  readonly #idle: (() => void)[] = [];

  constructor(clock: Clock, shed: Counter) {
    this.#clock = clock;
    this.#shed = shed;
  }

  /** Runs work once there is a place for it. */
  async run<R>(request: PlaceRequest, work: () => Promise<R>): Promise<R> {
    request.signal?.throwIfAborted();
    if (this.#closed) throw this.#refusal('draining', 'The bridge is ending and begins no further work');
    if (this.#running >= AT_ONCE) await this.#wait(request);
    else this.#running++;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /** Refuses those that wait, and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { end } of this.#waiting) end(this.#refusal('draining', 'The bridge is ending: nothing was run'));
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #wait({ client, budgetMs, signal }: PlaceRequest): Promise<void> {
    if (this.#waiting.size >= WAITING) throw this.#refusal('queue_full', `${WAITING} runs of models are waiting`);
    const own = [...this.#waiting].filter((one) => one.client === client).length;
    if (own >= WAITING / 2) throw this.#refusal('client_share', `${own} runs of this client are waiting`);
    let cancel = () => {};
    let abort = () => {};
    try {
      await new Promise<void>((begin, reject) => {
        // Gone at once, so that no place is given to a run that has ended.
        const end = (error: unknown) => {
          this.#waiting.delete(waiting);
          reject(error);
        };
        const waiting = { client, begin, end };
        this.#waiting.add(waiting);
        abort = () => end(signal!.reason);
        signal?.addEventListener('abort', abort, { once: true });
        const late = () => end(this.#refusal('budget', `The run was not begun within its budget of ${budgetMs} ms`));
        if (budgetMs !== undefined) cancel = this.#clock.after(budgetMs, late);
      });
    } finally {
      cancel();
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Gives a place that became free to the first that waits. */
  #next(): void {
    const [first] = this.#waiting;
    if (first !== undefined) {
      this.#waiting.delete(first);
      first.begin();
      return;
    }
    this.#running--;
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #refusal(code: BridgeErrorCode, message: string): BridgeError {
    this.#shed.inc({ reason: code });
    return new BridgeError(code, message);
  }
}

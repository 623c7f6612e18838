/**
 * Lanes made when first needed, up to a number, and handed out in the order of asking. A waiting caller may abort.
 */
import { DtesnError } from '../errors/index.js';
import type { Lane } from './lane.js';

export class LanePool {
  readonly #make: () => Lane;
  readonly #most: number;
  readonly #idle: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  readonly #lanes: Lane[];
  #closed = false;

  constructor(first: Lane, most: number, make: () => Lane) {
    this.#idle = [first];
    this.#lanes = [first];
    this.#most = most;
    this.#make = make;
  }

  get made(): number {
    return this.#lanes.length;
  }

  /** Shared memory of all lanes. */
  get bytes(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.bytes, 0);
  }

  get busy(): number {
    return this.made - this.#idle.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `body` with a lane of its own. */
  async use<R>(body: (lane: Lane) => Promise<R>, signal?: AbortSignal): Promise<R> {
    const lane = await this.#acquire(signal);
    try {
      return await body(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#idle.push(lane);
    }
  }

  /** Refuses further work and lets go of every lane; nothing runs on them any more. */
  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes) lane.close();
  }

  #acquire(signal?: AbortSignal): Promise<Lane> | Lane {
    signal?.throwIfAborted();
    if (this.#closed) throw new DtesnError('ERR_DTESN_CLOSED', 'Expected an open processor but it was closed');
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.made < this.#most) {
      const lane = this.#make();
      this.#lanes.push(lane);
      return lane;
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal?.reason);
      };
      const turn = (lane: Lane) => {
        signal?.removeEventListener('abort', abort);
        resolve(lane);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(turn);
    });
  }
}

/**
 * The load of an engine described by a reservoir: an option of the monitor's load-conditioned chart (monitor/anomalies).
 *
 *     u = ln(1 + load);   x = the state of the engine's stream after u;   features f = (1, u, x)
 *
 * The reservoir is a stream of a pool that the caller made, so this room needs no addon, and all engines of a fleet share one network.
 */
import { argumentError, rangeError } from '../../errors/index.js';
import { LOAD_INPUTS, type LoadFeatures } from '../../monitor/index.js';

/** What ReservoirLoad needs of a StreamPool. */
export interface LoadPool {
  /** Whether a stream of this id is in the pool. */
  has(id: string | number): boolean;
  /** Begins a stream, or puts an input into its ring. */
  push(id: string | number, series: ArrayLike<number>): boolean;
  /** One step for every stream with an input waiting. */
  step(): number;
  /** The state of a stream. */
  state(id: string | number): ArrayLike<number>;
  /** Ends a stream. */
  release(id: string | number): void;
}

/**
 * The load of an engine described by a reservoir: an option of the monitor's load-conditioned chart.
 *
 *     const model = new Reservoir({ inputs: 5, units: 60, leak: 0.1, spectralRadius: 0.9, seed: 1 });
 *     const pool = new StreamPool({ model, capacity: engines.length });
 *     const monitor = new EngineMonitor(engine, { loadFeatures: new ReservoirLoad(pool, engine.label) });
 *
 * Features: 1, ln(1 + load) and the state of the stream; the network has 5 inputs. The linear bank is the default: docs/monitor.md has the
 * figures of both.
 * Errors: TypeError ERR_DTESN_ARGUMENT for what is no pool, RangeError for the id of a stream that exists.
 */
export class ReservoirLoad implements LoadFeatures {
  /** Features: 1, the 5 inputs and the units. */
  readonly size: number;
  readonly #pool: LoadPool;
  readonly #id: string | number;
  readonly #input = new Float64Array(LOAD_INPUTS);
  readonly #features: Float64Array;

  constructor(pool: LoadPool, id: string | number) {
    if (typeof pool?.push !== 'function') throw argumentError('a StreamPool', 'pool', pool);
    if (pool.has(id)) throw rangeError('an id without a stream', 'id', id);
    pool.push(id, []);
    this.#pool = pool;
    this.#id = id;
    this.size = 1 + LOAD_INPUTS + pool.state(id).length;
    this.#features = new Float64Array(this.size);
  }

  /** Takes one load and returns the features, which the next call overwrites. */
  next(load: ArrayLike<number>): Float64Array {
    for (let i = 0; i < LOAD_INPUTS; i++) this.#input[i] = Math.log1p(Math.max(0, load[i]!));
    this.#pool.push(this.#id, this.#input);
    this.#pool.step();
    this.#features[0] = 1;
    this.#features.set(this.#input, 1);
    this.#features.set(this.#pool.state(this.#id), 1 + LOAD_INPUTS);
    return this.#features;
  }

  /** The state becomes 0. */
  reset(): void {
    this.#pool.release(this.#id);
    this.#pool.push(this.#id, []);
  }

  /** Gives the place in the pool back; a second call has no effect. */
  close(): void {
    if (this.#pool.has(this.#id)) this.#pool.release(this.#id);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

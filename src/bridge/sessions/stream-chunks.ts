/**
 * The streams of one network: StreamPools that are added as sessions come, each for as many streams as 16 MiB hold, at most
 * 1,024.
 *
 * A run takes each job's rows through its stream and keeps something of every step: the first features, or the outputs of the
 * network's readout. The bits of a stream depend neither on the other jobs of the run nor on how its rows are divided into runs.
 */
import { isDtesnError } from '../../errors/index.js';
import { type Floats, sharedFloats } from '../../native/index.js';
import type { Network } from '../../network/index.js';
import type { LinearReadout } from '../../readout/index.js';
import { StreamPool } from '../../streams/index.js';
import { BridgeError } from '../messages/index.js';

const CHUNK_BYTES = 16 * 2 ** 20;
const CHUNK_STREAMS = 1024;

/** What is kept of a step: how many of the first features, or the network's readout. */
export type Reading = number | 'readout';

export interface StreamPlace {
  readonly pool: StreamPool;
  readonly id: number;
  /** Live; it stands still while the stream takes part in no run. */
  readonly state: Floats;
}

export interface StreamJob {
  readonly place: StreamPlace;
  readonly rows: Floats;
  readonly count: number;
  readonly reading: Reading;
  /** Set by the run: count rows of what is kept. */
  kept: Float64Array;
  /** Set by the run: why it took none of the rows, or null. */
  failure: unknown;
}

export class StreamChunks {
  readonly #network: Network;
  readonly #readout: LinearReadout | null;
  readonly #capacity: number;
  readonly #pools: StreamPool[] = [];
  /** Memory of a run's rows, used again. */
  #series: Floats;
  #next = 0;
  #running = false;
  /** Places that are given back once the run has ended. */
  #left: StreamPlace[] = [];

  constructor(network: Network, readout: LinearReadout | null) {
    this.#network = network;
    this.#readout = readout;
    this.#series = sharedFloats(network.dtype, 0);
    const width = network.dtype === 'f32' ? 4 : 8;
    const fits = Math.floor(CHUNK_BYTES / (width * (network.stateSize + network.inputs)));
    this.#capacity = Math.min(CHUNK_STREAMS, Math.max(1, fits));
  }

  /** A place for a new stream at rest, or with the given state. Errors: BridgeError `memory`. */
  begin(state?: Floats): StreamPlace {
    let pool = this.#pools.find((one) => one.size < one.capacity);
    if (pool === undefined) {
      pool = this.#grow();
    }
    const id = this.#next++;
    if (state === undefined) pool.push(id, []);
    else pool.restore(id, state);
    return { pool, id, state: pool.state(id) };
  }

  release(place: StreamPlace): void {
    if (this.#running) this.#left.push(place);
    else place.pool.release(place.id);
  }

  async run(jobs: readonly StreamJob[]): Promise<void> {
    this.#running = true;
    for (const group of groupsOf(jobs)) {
      try {
        await this.#runGroup(group);
      } catch (error) {
        for (const job of group) job.failure = error;
      }
    }
    this.#running = false;
    for (const { pool, id } of this.#left.splice(0)) pool.release(id);
  }

  #grow(): StreamPool {
    try {
      const pool = new StreamPool({ model: this.#network, capacity: this.#capacity, ring: 1 });
      this.#pools.push(pool);
      return pool;
    } catch (cause) {
      if (!(isDtesnError(cause) && cause.code === 'ERR_DTESN_MEMORY')) throw cause;
      throw new BridgeError('memory', `No memory for ${this.#capacity} more sessions of this network`, { cause });
    }
  }

  async #runGroup(jobs: readonly StreamJob[]): Promise<void> {
    const [{ place, reading }] = jobs as [StreamJob];
    const total = jobs.reduce((sum, { count }) => sum + count, 0);
    const columns = reading === 'readout' ? this.#readout!.outputs : reading;
    const out = sharedFloats('f64', total * columns) as Float64Array;
    await place.pool.runAsync({
      ids: jobs.map((job) => job.place.id),
      rows: jobs.map(({ count }) => count),
      series: this.#seriesOf(jobs, total),
      ...(reading === 'readout' ? { readout: this.#readout! } : { features: reading }),
      out,
    });
    let at = 0;
    for (const job of jobs) {
      job.kept = out.subarray(at, at + job.count * columns);
      at += job.count * columns;
    }
  }

  /** The rows of all jobs, one after the other. */
  #seriesOf(jobs: readonly StreamJob[], total: number): Floats {
    const { inputs, dtype } = this.#network;
    if (this.#series.length < total * inputs) this.#series = sharedFloats(dtype, total * inputs);
    const series = this.#series.subarray(0, total * inputs);
    let at = 0;
    for (const { rows } of jobs) {
      series.set(rows, at);
      at += rows.length;
    }
    return series;
  }
}

/** Jobs of one pool and one reading. */
function groupsOf(jobs: readonly StreamJob[]): StreamJob[][] {
  const pools = new Map<StreamPool, Map<Reading, StreamJob[]>>();
  for (const job of jobs) {
    const readings = pools.get(job.place.pool) ?? new Map<Reading, StreamJob[]>();
    pools.set(job.place.pool, readings);
    const group = readings.get(job.reading);
    if (group === undefined) readings.set(job.reading, [job]);
    else group.push(job);
  }
  return [...pools.values()].flatMap((readings) => [...readings.values()]);
}

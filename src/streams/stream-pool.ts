/**
 * Streams: thousands of series whose inputs arrive at different times, through one network.
 *
 *     const pool = new StreamPool({ model, capacity: 1000 });
 *     pool.push('request-7', [0.1, 0.2]);       // one step of inputs, or several
 *     pool.step();                              // one step for every stream that has an input waiting
 *     pool.state('request-7');                  // live view of its state
 *     pool.release('request-7');
 *
 * The bits of a stream depend neither on how many streams step with it nor on the threads; they equal those of `run` to
 * rounding. A step takes one input from every stream that has one, in batches of up to 64 (continuous batching), so no stream
 * waits for another's backlog. A stream begins with the first push, from the zero state, and has a ring of `ring` inputs.
 *
 * Memory: one arena with states (capacity x units), inputs (capacity x ring x inputs) and the book-keeping, which other
 * threads may map; nothing is allocated in a step.
 * Errors: DtesnError ERR_DTESN_CAPACITY for a new stream beyond `capacity`; RangeError ERR_DTESN_SHAPE for inputs of other
 * features or more steps than the ring; RangeError for inputs that are not finite, and for the id of a stream that does not exist.
 */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError, rangeError, shapeError } from '../errors/index.js';
import { Arena, type Floats, type NativeStreamTable } from '../native/index.js';
import { isNetwork, type Network, type StreamMemory } from '../network/index.js';
import { checkAllAsStored, checkMemory } from '../numeric/index.js';

export type StreamId = string | number;

export const optionsSchema = z.object({
  model: z.custom<Network>(isNetwork).describe('a network such as a Reservoir or a DeepTreeModel'),
  capacity: z.int().min(1).max(16_777_216).describe('a whole number of streams from 1 to 16777216'),
  ring: z.int().min(1).max(1_048_576).default(16).describe('a whole number of inputs a stream from 1 to 1048576'),
});

export interface StreamPoolOptions {
  /** The network that every stream runs through: any kind. */
  model: Network;
  /** Streams at the same time, 1 to 16,777,216; memory is allocated for all. */
  capacity: number;
  /** Inputs that may wait for each stream, 1 to 1,048,576. Default 16. */
  ring?: number | undefined;
}

export class StreamPool {
  readonly capacity: number;
  /** Inputs that may wait for each stream. */
  readonly ring: number;
  readonly arena: ReturnType<typeof poolArena>;
  readonly #model: Network;
  readonly #inputs: number;
  readonly #memory: StreamMemory;
  readonly #table: NativeStreamTable;
  readonly #slots = new Map<StreamId, number>();
  readonly #free: number[];
  #ready = 0;

  constructor(options: StreamPoolOptions) {
    const { model, capacity, ring } = checkOptions(optionsSchema, options, 'StreamPool');
    const width = model.state.BYTES_PER_ELEMENT;
    checkMemory(
      capacity * (model.stateSize + ring * model.inputs) * width,
      `${capacity} streams of ${model.stateSize} units`,
    );
    this.capacity = capacity;
    this.ring = ring;
    this.arena = poolArena(model, capacity, ring);
    this.#model = model;
    this.#inputs = model.inputs;
    const { arena } = this;
    this.#memory = {
      states: arena.view('states'),
      queue: arena.view('queue'),
      heads: arena.view('heads'),
      counts: arena.view('counts'),
      ready: arena.view('ready'),
    };
    this.#table = model.streamTable(this.#memory);
    this.#free = Array.from({ length: capacity }, (_, i) => capacity - 1 - i);
  }

  /** Number of streams. */
  get size(): number {
    return this.#slots.size;
  }

  /** Streams with an input waiting: the steps that the next call of step() does. */
  get ready(): number {
    return this.#ready;
  }

  has(id: StreamId): boolean {
    return this.#slots.has(id);
  }

  /**
   * Puts one or more inputs (steps x inputs elements) into the stream's ring; a new id begins a stream. Returns false
   * and changes nothing when the ring has no room for all of them: call step() first.
   */
  push(id: StreamId, series: ArrayLike<number>): boolean {
    const inputs = this.#inputs;
    const { ring } = this;
    const length = checkedLength(series, inputs);
    const steps = length / inputs;
    if (steps > ring) throw shapeError(`at most ${ring} steps (ring of this pool) for series`, steps);
    const { counts, heads, queue, ready } = this.#memory;
    const known = this.#slots.get(id);
    // Another thread may have written heads and counts: for any values the place is in this stream's ring.
    let waiting = known === undefined ? 0 : counts[known]!;
    if (waiting < 0) waiting = 0;
    if (waiting + steps > ring) return false;
    const slot = known ?? this.#vacant(id);
    let step = heads[slot]! + waiting;
    if (step >= ring) step -= ring;
    if (step < 0 || step >= ring) step = 0;
    const first = slot * ring * inputs;
    const end = first + ring * inputs;
    let to = first + step * inputs;
    // Written behind the waiting inputs, where nothing is read until it is counted: the check sees the stored values.
    for (let i = 0; i < length; i++) {
      queue[to] = series[i]!;
      if (!Number.isFinite(queue[to])) checkAllAsStored(series, this.#model.dtype, 'series');
      if (++to === end) to = first;
    }
    if (known === undefined) this.#begin(id, slot);
    if (steps > 0) {
      if (waiting === 0 && this.#ready < this.capacity) ready[this.#ready++] = slot;
      counts[slot] = waiting + steps;
    }
    return true;
  }

  /** One step for every stream with an input waiting; returns the number of steps. */
  step(): number {
    const done = this.#ready;
    if (done > 0) this.#ready = this.#table.step(done);
    return done;
  }

  /** The stream's state after the steps done so far: units elements, live. */
  state(id: StreamId): Floats {
    const { stateSize } = this.#model;
    const slot = this.#slot(id);
    return this.#memory.states.subarray(slot * stateSize, (slot + 1) * stateSize);
  }

  /** Ends a stream: its state and waiting inputs are dropped, and its place is free. */
  release(id: StreamId): void {
    const slot = this.#slot(id);
    const { counts, heads, ready, states } = this.#memory;
    if (counts[slot]! > 0) {
      const at = ready.subarray(0, this.#ready).indexOf(slot);
      if (at >= 0) ready.copyWithin(at, at + 1, this.#ready--);
    }
    counts[slot] = 0;
    heads[slot] = 0;
    states.fill(0, slot * this.#model.stateSize, (slot + 1) * this.#model.stateSize);
    this.#slots.delete(id);
    this.#free.push(slot);
  }

  /** The place of a new stream. */
  #vacant(id: StreamId): number {
    if (typeof id !== 'string' && typeof id !== 'number') throw argumentError('a string or a number', 'id', id);
    const slot = this.#free.at(-1);
    if (slot === undefined) {
      throw new DtesnError(
        'ERR_DTESN_CAPACITY',
        `Expected at most ${this.capacity} streams but received one more: release one, or make a larger pool`,
      );
    }
    return slot;
  }

  #begin(id: StreamId, slot: number): void {
    this.#free.pop();
    this.#slots.set(id, slot);
  }

  #slot(id: StreamId): number {
    const slot = this.#slots.get(id);
    if (slot === undefined) throw rangeError('a stream of this pool', 'id', id);
    return slot;
  }
}

function checkedLength(series: ArrayLike<number>, inputs: number): number {
  if (typeof series !== 'object' || series === null || typeof series.length !== 'number') {
    throw argumentError('an array of numbers', 'series', series);
  }
  const { length } = series;
  if (length % inputs !== 0) {
    throw shapeError(`series with ${inputs} features (inputs of the model)`, `${length} elements`);
  }
  return length;
}

function poolArena({ stateSize, inputs, dtype }: Network, capacity: number, ring: number) {
  return Arena.create([
    { name: 'states', dtype, shape: [capacity, stateSize] },
    { name: 'queue', dtype, shape: [capacity, ring, inputs] },
    { name: 'heads', dtype: 'i32', shape: [capacity] },
    { name: 'counts', dtype: 'i32', shape: [capacity] },
    { name: 'ready', dtype: 'i32', shape: [capacity] },
  ]);
}

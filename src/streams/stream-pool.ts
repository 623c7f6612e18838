/** Streams: thousands of series whose inputs arrive at different times, through one network. */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError, rangeError, shapeError } from '../errors/index.js';
import {
  Arena,
  checkLongRun,
  type Floats,
  type LongRunOptions,
  longRun,
  type NativeLinearReadout,
  type NativeStreamTable,
} from '../native/index.js';
import { isNetwork, type Network, type StreamMemory } from '../network/index.js';
import { checkAllAsStored, checkMemory, type Matrix, matrix } from '../numeric/index.js';
import { isStreamModel, type StreamModel, StreamTeacher } from './stream-model.js';
import { prepareStreamRun, type StreamReadout, type StreamRunOptions } from './stream-run.js';

/** Name of a stream, chosen by the caller and unique in its pool. */
export type StreamId = string | number;

export const optionsSchema = z.object({
  model: z.custom<Network>(isNetwork).optional().describe('a network such as a Reservoir or a DeepTreeModel'),
  esn: z.custom<StreamModel>(isStreamModel).optional().describe('an Esn'),
  capacity: z.int().min(1).max(16_777_216).describe('a whole number of streams from 1 to 16777216'),
  ring: z.int().min(1).max(1_048_576).default(16).describe('a whole number of inputs a stream from 1 to 1048576'),
});

/** Options of StreamPool: its network, and places for streams and their inputs. */
export interface StreamPoolOptions {
  /** The network that every stream runs through: any kind. Default: that of `esn`; one of both is required. */
  model?: Network | undefined;
  /** An Esn, whose readout answers each stream and learns its targets. Default: none, `model` alone is run. */
  esn?: StreamModel | undefined;
  /** Streams at the same time, 1 to 16,777,216; memory is allocated for all. Required. */
  capacity: number;
  /** Inputs that may wait for each stream, 1 to 1,048,576. Default 16. */
  ring?: number | undefined;
}

/**
 * Streams: thousands of series whose inputs arrive at different times, through one network.
 *
 *     const pool = new StreamPool({ model, capacity: 1000 });
 *     pool.push('request-7', [0.1, 0.2]);       // one step of inputs, or several
 *     pool.step();                              // one step for every stream that has an input waiting
 *     pool.state('request-7');                  // live view of its state
 *     pool.release('request-7');
 *
 * With an Esn, `new StreamPool({ esn, capacity })`, inputs are in the units of the data, `stepOutputs` and `output` give what
 * its readout says, and an online readout learns the targets that were pushed; all streams share what it learned. `runAsync`
 * takes and gives numbers in the units of the network.
 *
 * The bits of a stream depend neither on how many streams step with it nor on the threads; they equal those of `run` to
 * rounding. A step takes one input from every stream that has one, in batches of up to 64 (continuous batching), so no stream
 * waits for another's backlog. A stream begins with the first push, from the zero state, or with `restore`, from a saved
 * one, and has a ring of `ring` inputs.
 *
 * Off the JavaScript thread, to the same bits: `stepAsync` is step, and `runAsync` takes rows for many streams, each its
 * own number, past the rings, and keeps the outputs of each row. Meanwhile the pool is busy: the other calls throw.
 *
 * Memory: one arena with states (capacity x units), inputs (capacity x ring x inputs) and the book-keeping, which other
 * threads may map; nothing is allocated in a step.
 * Errors: DtesnError ERR_DTESN_CAPACITY for a new stream beyond `capacity`; RangeError ERR_DTESN_SHAPE for inputs of other
 * features or more steps than the ring; RangeError for inputs that are not finite, and for the id of a stream that does not
 * exist; DtesnError ERR_DTESN_BUSY while an asynchronous call is under way.
 */
export class StreamPool {
  /** Streams at the same time. */
  readonly capacity: number;
  /** Inputs that may wait for each stream. */
  readonly ring: number;
  /** The shared memory of the pool: states, inputs and book-keeping. */
  readonly arena: ReturnType<typeof poolArena>;
  readonly #model: Network;
  readonly #inputs: number;
  readonly #memory: StreamMemory;
  readonly #table: NativeStreamTable;
  readonly #slots = new Map<StreamId, number>();
  readonly #free: number[];
  readonly #teacher: StreamTeacher | null;
  readonly #readouts = new WeakMap<StreamReadout, NativeLinearReadout>();
  #ready = 0;
  #busy = false;

  constructor(options: StreamPoolOptions) {
    const { model: given, esn, capacity, ring } = checkOptions(optionsSchema, options, 'StreamPool');
    const model = esn?.featured ?? given;
    if (model === undefined || (esn !== undefined && given !== undefined)) {
      throw argumentError('a network such as a Reservoir or a DeepTreeModel', 'model (or an Esn for esn)', given);
    }
    this.#teacher = esn === undefined ? null : new StreamTeacher(esn);
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

  /** Whether a stream of this id is in the pool. */
  has(id: StreamId): boolean {
    return this.#slots.has(id);
  }

  /**
   * Puts one or more inputs (steps x inputs elements) into the stream's ring; a new id begins a stream. Returns false
   * and changes nothing when the ring has no room for all of them: call step() first. With an Esn that learns online,
   * `targets` (steps x outputs elements) are learned when their inputs are stepped; those with a NaN are not.
   */
  push(id: StreamId, series: ArrayLike<number>, targets?: ArrayLike<number>): boolean {
    this.#checkIdle();
    const inputs = this.#inputs;
    const { ring } = this;
    const length = checkedLength(series, inputs);
    if (this.#teacher) series = this.#teacher.toNetwork(series);
    else if (targets !== undefined) throw argumentError('no targets (this pool has no esn)', 'targets', targets);
    const steps = length / inputs;
    if (steps > ring) throw shapeError(`at most ${ring} steps (ring of this pool) for series`, steps);
    // Before anything is taken: a refused call leaves no input without its target.
    const rows = this.#teacher?.rowsOf(steps, targets);
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
      this.#teacher?.push(slot, rows!);
    }
    return true;
  }

  /** One step for every stream with an input waiting; returns the number of steps. */
  step(): number {
    this.#checkIdle();
    const done = this.#ready;
    const places = this.#stepping();
    if (done > 0) this.#ready = this.#table.step(done);
    this.#teacher?.learn(places, (place) => this.#stateAt(place));
    return done;
  }

  /** The same for a pool with an Esn: the outputs of every stream that took a step, before its target is learned. */
  stepOutputs(): Map<StreamId, Float64Array> {
    this.#checkIdle();
    const teacher = this.#taught();
    const places = this.#stepping();
    if (places.length === 0) return new Map();
    this.#ready = this.#table.step(this.#ready);
    const { cols, data } = teacher.outputs(places.map((place) => this.#stateAt(place)));
    const rows = new Map(places.map((place, i) => [place, (data as Float64Array).slice(i * cols, (i + 1) * cols)]));
    teacher.learn(places, (place) => this.#stateAt(place));
    return new Map([...this.#slots].filter(([, slot]) => rows.has(slot)).map(([id, slot]) => [id, rows.get(slot)!]));
  }

  /** The outputs of a stream of a pool with an Esn, after the steps done so far. */
  output(id: StreamId): Float64Array {
    this.#checkIdle();
    return this.#taught().outputs([this.#stateAt(this.#slot(id))]).data as Float64Array;
  }

  /**
   * The same off the JavaScript thread. After an abort each stream has either taken its step or still has the input
   * waiting; the promise rejects with the signal's reason.
   */
  async stepAsync(options: LongRunOptions = {}): Promise<number> {
    checkLongRun(options, 'stepAsync');
    this.#checkIdle();
    const done = this.#ready;
    const places = this.#stepping();
    const before = places.map((place) => this.#memory.counts[place]!);
    const start = async (control: Int32Array) => {
      this.#ready = await this.#table.stepAsync(done, control);
      const stepped = places.filter((place, i) => this.#memory.counts[place]! < before[i]!);
      this.#teacher?.learn(stepped, (place) => this.#stateAt(place));
      return done;
    };
    return this.#during(() => longRun(start, options, { stage: 'run', total: done }));
  }

  /**
   * Takes rows for many streams, each its own number, off the JavaScript thread: the bits of push, step and state for
   * each row. Resolves to what was kept of each row: rows of all streams x columns, in the order of `ids`.
   *
   * Streams must exist (`push(id, [])` begins one) and have no input waiting. An abort stops within 32 rows and rejects
   * with the signal's reason: then each stream has taken some of its rows, from none to all.
   */
  async runAsync(options: StreamRunOptions): Promise<Matrix> {
    this.#checkIdle();
    const run = prepareStreamRun(this.#model, options, (readout) => this.#readoutOf(readout));
    const { rows, total, series, reading, columns, out } = run;
    const slots = this.#idleSlots(run.ids);
    const start = (control: Int32Array) => this.#table.runAsync(slots, rows, series, reading, out, control);
    await this.#during(() => longRun(start, run.longRun, { stage: 'run', total }));
    return matrix(total, columns, out);
  }

  /** The stream's state after the steps done so far: units elements, live. */
  state(id: StreamId): Floats {
    this.#checkIdle();
    return this.#stateAt(this.#slot(id));
  }

  /** Begins a stream from a saved state of stateSize numbers, which is copied. RangeError where the stream exists. */
  restore(id: StreamId, state: ArrayLike<number>): void {
    this.#checkIdle();
    const { stateSize, dtype, owner } = this.#model;
    if (this.#slots.has(id)) throw rangeError('an id without a stream (release it first)', 'id', id);
    if (checkedArray(state, 'state').length !== stateSize) {
      throw shapeError(`state with ${stateSize} elements (units of ${owner})`, state.length);
    }
    const slot = this.#vacant(id);
    checkAllAsStored(state, dtype, 'state');
    this.#memory.states.set(state, slot * stateSize);
    this.#begin(id, slot);
  }

  /** Ends a stream: its state and waiting inputs are dropped, and its place is free. */
  release(id: StreamId): void {
    this.#checkIdle();
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
    this.#teacher?.forget(slot);
    this.#free.push(slot);
  }

  /** The places whose turn is next; noted only where something is learned. */
  #stepping(): number[] {
    return this.#teacher ? [...new Set(this.#memory.ready.subarray(0, this.#ready))] : [];
  }

  #stateAt(place: number): Floats {
    const { stateSize } = this.#model;
    return this.#memory.states.subarray(place * stateSize, (place + 1) * stateSize);
  }

  #taught(): StreamTeacher {
    if (this.#teacher !== null) return this.#teacher;
    throw argumentError('a pool with an Esn', 'esn', undefined);
  }

  #checkIdle(): void {
    if (!this.#busy) return;
    throw new DtesnError(
      'ERR_DTESN_BUSY',
      'Expected an idle StreamPool but an asynchronous call is under way: await it first',
    );
  }

  async #during<R>(work: () => Promise<R>): Promise<R> {
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  /** The readout in native form, made once for each. */
  #readoutOf(readout: StreamReadout): NativeLinearReadout {
    let known = this.#readouts.get(readout);
    if (known === undefined) {
      const { states, inputs, outputs, weights, bias } = readout;
      const shape = { states, inputs, outputs, intercept: true };
      known = this.#model.linearReadout(shape, weights.data as Float64Array, bias);
      this.#readouts.set(readout, known);
    }
    return known;
  }

  /** The places of streams that have no input waiting, each named once. */
  #idleSlots(ids: readonly StreamId[]): Int32Array {
    const slots = Int32Array.from(ids, (id) => this.#slot(id));
    if (new Set(ids).size < ids.length) {
      throw rangeError(
        'each stream once',
        'ids',
        ids.find((id, i) => ids.indexOf(id) < i),
      );
    }
    const waiting = slots.findIndex((slot) => this.#memory.counts[slot]! > 0);
    if (waiting >= 0) throw rangeError('streams without waiting inputs (call step first)', 'ids', ids[waiting]);
    return slots;
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

function checkedArray(values: ArrayLike<number>, argument: string): ArrayLike<number> {
  if (typeof values === 'object' && values !== null && typeof values.length === 'number') return values;
  throw argumentError('an array of numbers', argument, values);
}

function checkedLength(series: ArrayLike<number>, inputs: number): number {
  const { length } = checkedArray(series, 'series');
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

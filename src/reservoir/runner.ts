/**
 * What a reservoir and a Deep Tree share: a state on shared memory that native code updates in place, and runs over
 * whole series, on this thread or off it.
 *
 * Shapes: series is steps x inputs, the result steps x units (one row a step, the state after it), state is units.
 */
import { argumentError, DtesnError, rangeError, shapeError } from '../errors/index.js';
import {
  arrayOf,
  checkView,
  type FloatDtype,
  type Floats,
  floats,
  type LongRunOptions,
  longRun,
  type NativeRunnable,
  requireShared,
  sharedFloats,
} from '../native/index.js';
import type { Matrix } from './matrix.js';
import { readOut, readSeries, type SeriesInput, type SeriesTarget } from './series.js';

export interface RunOptions {
  /** Where the states go: steps x units elements of this dtype. Fresh memory when left out; null to keep none. */
  out?: Floats | Matrix | null;
}

export interface RunBatchOptions {
  /** Where the states of each series go; null to keep none. */
  out?: readonly (Floats | Matrix)[] | null;
  /** series x units elements: start states, and last states afterwards. */
  states?: Floats | Matrix;
}

/** Memory of streams: see StreamPool. */
export interface StreamTable {
  states: Floats;
  queue: Floats;
  heads: Int32Array;
  counts: Int32Array;
  ready: Int32Array;
}

export interface RunAsyncOptions extends RunOptions, LongRunOptions {}

/** A caller's memory for the state: shared, so that asynchronous runs and other threads may use it. */
function checkedState(state: Floats, units: number, dtype: FloatDtype): Floats {
  const view = checkView(state, 'state', [arrayOf(dtype)]);
  if (view.length !== units) throw shapeError(`state with ${units} elements (units)`, view.length);
  return requireShared(view, 'state');
}

export abstract class SeriesRunner {
  readonly units: number;
  readonly inputs: number;
  readonly dtype: FloatDtype;
  /** The state x, live: native code writes here, and other threads may read it. */
  readonly state: Floats;
  protected abstract readonly machine: NativeRunnable<Floats>;
  protected abstract readonly owner: string;
  #busy = false;

  protected constructor(units: number, inputs: number, dtype: FloatDtype, state?: Floats) {
    this.units = units;
    this.inputs = inputs;
    this.dtype = dtype;
    this.state = state === undefined ? sharedFloats(dtype, units) : checkedState(state, units, dtype);
  }

  /** Bytes of weights that one step reads. */
  get bytes(): number {
    return this.machine.bytes;
  }

  /**
   * Runs a whole series from the present state and keeps the last one.
   *
   * Returns the states, steps x units (rows 0 with `out: null`). A series of this dtype is read where it lies.
   * Errors: RangeError ERR_DTESN_SHAPE when features or `out` do not fit; RangeError for values that are not finite;
   * Error ERR_DTESN_BUSY while a runAsync is under way.
   */
  run(series: SeriesInput, { out }: RunOptions = {}): Matrix {
    const { values, states, steps } = this.#prepare(series, out, false);
    this.machine.run(values, states);
    return { rows: states ? steps : 0, cols: this.units, data: states ?? floats(this.dtype, 0) };
  }

  /**
   * The same off the JavaScript thread. Typed arrays must lie on shared memory (an ordinary buffer could be taken away
   * meanwhile); arrays of numbers are copied there. An abort stops within 32 steps and rejects with the signal's reason;
   * `state` is then that after the steps done.
   */
  async runAsync(series: SeriesInput, { out, ...control }: RunAsyncOptions = {}): Promise<Matrix> {
    const { values, states, steps } = this.#prepare(series, out, true);
    this.#busy = true;
    try {
      await longRun((words) => this.machine.runAsync(values, states, words), control);
    } finally {
      this.#busy = false;
    }
    return { rows: states ? steps : 0, cols: this.units, data: states ?? floats(this.dtype, 0) };
  }

  /**
   * Runs many series, each from its own state, as columns of one product: the weights are read once for several series,
   * and threads (setThreads) share the series. The numbers do not depend on the threads.
   *
   * Returns the states of each series, steps x units. `states` (series x units elements) holds the start states and takes
   * the last ones in place; left out, every series starts from zero. The reservoir's own `state` is not touched.
   * Errors: as run's, naming `series[i]`; RangeError ERR_DTESN_SHAPE when `out` or `states` do not fit.
   */
  runBatch(series: readonly SeriesInput[], { out, states }: RunBatchOptions = {}): Matrix[] {
    if (!Array.isArray(series)) throw argumentError('an array of series', 'series', series);
    const target = this.#target(false);
    const values = series.map((one, i) => readSeries(one, { ...target, argument: `series[${i}]` }));
    const steps = values.map((one) => one.length / this.inputs);
    if (out && out.length !== series.length)
      throw shapeError(`out with ${series.length} elements (series)`, out.length);
    const outs = out === null ? null : steps.map((count, i) => readOut(out?.[i], count * this.units, target));
    const rows =
      states === undefined ? floats(this.dtype, series.length * this.units) : this.#rows(states, series.length);
    this.machine.runMany(values, outs, rows);
    return outs?.map((data, i) => ({ rows: steps[i]!, cols: this.units, data })) ?? [];
  }

  /** The series as this network reads it: steps x inputs in its dtype, copied only where `run` would copy. */
  seriesOf(series: SeriesInput): Floats {
    return readSeries(series, this.#target(false));
  }

  /** One step of the streams of a table (StreamPool): how many are ready afterwards. */
  stepStreams(table: StreamTable, ready: number): number {
    return this.machine.stepStreams(table.states, table.queue, table.heads, table.counts, table.ready, ready);
  }

  #target(shared: boolean): SeriesTarget {
    const { inputs, dtype, owner } = this;
    return { inputs, dtype, shared, columns: `inputs of ${owner}`, owner, argument: 'series' };
  }

  #rows(states: Floats | Matrix, series: number): Floats {
    const view = checkView('rows' in states ? states.data : states, 'states', [arrayOf(this.dtype)]);
    if (view.length !== series * this.units) {
      throw shapeError(`states with ${series * this.units} elements (series x units)`, view.length);
    }
    return view;
  }

  /**
   * Elementary differentials F(τ) of the flow x' = -x + tanh(W x + W_in u + b) at the present state, for all rooted trees
   * to `order` (1 to 10), into `out`: trees x units. In a Deep Tree W is the assembled block matrix, and rows of closed
   * membranes are zero.
   */
  differentials(order: number, input: ArrayLike<number>, out: Floats): void {
    this.checkIdle();
    if (input.length !== this.inputs) {
      throw shapeError(`input with ${this.inputs} elements (inputs of ${this.owner})`, input.length);
    }
    const values = floats(this.dtype, this.inputs);
    values.set(input);
    this.machine.differentials(order, values, out);
  }

  /**
   * The echo state property measured on a series: the distance ‖x - y‖₂ of two states before and after it, started from
   * opposite corners (all 1, all -1). The own state is not touched.
   */
  contraction(series: SeriesInput): { before: number; after: number } {
    const { units } = this;
    const states = floats(this.dtype, 2 * units)
      .fill(1, 0, units)
      .fill(-1, units) as Floats;
    this.runBatch([series, series], { out: null, states });
    let square = 0;
    for (let i = 0; i < units; i++) square += (states[i]! - states[units + i]!) ** 2;
    return { before: 2 * Math.sqrt(units), after: Math.sqrt(square) };
  }

  /** Sets the state: zeros, or the given values. */
  reset(state?: ArrayLike<number>): void {
    this.checkIdle();
    if (state === undefined) {
      this.state.fill(0);
      return;
    }
    if (typeof state !== 'object' || state === null || state.length !== this.units) {
      throw shapeError(`a state with ${this.units} elements (units of ${this.owner})`, state?.length ?? state);
    }
    for (let i = 0; i < this.units; i++) {
      if (!Number.isFinite(state[i])) throw rangeError('finite numbers', `state (element ${i})`, state[i]);
    }
    this.state.set(state);
  }

  /** Refuses to touch the weights or the state while an asynchronous run works on them. */
  protected checkIdle(): void {
    if (this.#busy) {
      throw new DtesnError(
        'ERR_DTESN_BUSY',
        `Expected ${this.owner} to be idle but a runAsync is under way: await it first`,
      );
    }
  }

  #prepare(series: SeriesInput, out: RunOptions['out'], shared: boolean) {
    this.checkIdle();
    const target = this.#target(shared);
    const values = readSeries(series, target);
    const steps = values.length / this.inputs;
    const states = out === null ? null : readOut(out, steps * this.units, target);
    return { values, states, steps };
  }
}

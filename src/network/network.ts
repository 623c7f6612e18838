/** A network: fixed weights and an update law. */
import { argumentError, brand, checkWhole, rangeError, shapeError } from '../errors/index.js';
import {
  addon,
  arrayOf,
  checkView,
  type FloatDtype,
  type Floats,
  type ForecasterConstructor,
  floats,
  longRun,
  type NativeForecaster,
  type NativeLinearReadout,
  type NativeNetwork,
  type NativeState,
  type NativeStreamTable,
  type NetworkSpec,
  type ReadoutShape,
  requireShared,
  type StreamTableConstructor,
} from '../native/index.js';
import { type Matrix, readSeries, type SeriesInput, type SeriesTarget, storedAs } from '../numeric/index.js';
import { type ConstructOptions, constructNetwork, newNative } from './construct.js';
import { type NetworkHandle, reviveNetwork } from './handle.js';
import type { NetworkPlan } from './plan.js';
import { filledSpec, keptSpec, type NetworkRecipe, weightsDigest } from './recipe.js';
import {
  type Moments,
  type PreparedBatch,
  prepareBatch,
  prepareRun,
  type RunAsyncOptions,
  type RunBatchAsyncOptions,
  type RunBatchOptions,
  type RunOptions,
  targetOf,
  targetsOf,
} from './run-options.js';
import { isState, State, type StateOptions } from './state.js';

/** Memory of streams, on shared memory: see StreamPool. */
export interface StreamMemory {
  states: Floats;
  queue: Floats;
  heads: Int32Array;
  counts: Int32Array;
  ready: Int32Array;
}

/** A state whose flow is expanded for an input, and where the B-series is written. */
export interface Expansion {
  input: Floats;
  state: State;
  /** trees x stateSize */
  differentials: Floats;
  /** order x stateSize */
  taylor: Floats;
  /** Sums of the squares of each row of `differentials`, then of `taylor`. */
  squares: Float64Array;
}

/** Of elementary differentials. */
export const MAX_ORDER = 10;
const nothing = { f32: new Float32Array(0), f64: new Float64Array(0) };

/**
 * A network: fixed weights and an update law. A run changes a State, never the network; any number of states run
 * through one network, also at the same time. Every kind of network has these methods:
 *
 *     run, runAsync            one series, from a state (the network's own by default)
 *     runBatch, runBatchAsync  many series, a state each
 *     StreamPool               many series whose inputs arrive one at a time
 *     differentials            elementary differentials of the flow whose Euler step is the update
 *     constructAsync           the network, with its weights made on another thread
 *     share, Network.from      the same network in a worker thread, without a copy
 *
 * Shapes: a series is steps x inputs, the result steps x featureSize (one row a step, the features of the state after it),
 * a state stateSize. For networks of units both sizes are the units, and the features are the state itself.
 */
export abstract class Network<Facts extends object = object> {
  /** D: numbers of each step of the series. */
  readonly inputs: number;
  /** Element type of states and series. */
  readonly dtype: FloatDtype;
  /** Numbers of a state. */
  readonly stateSize: number;
  /** Columns of what a run returns: what a readout reads. */
  readonly featureSize: number;
  /** Gates of a state; 0 where nothing can be held. */
  readonly gateCount: number;
  /** For errors: 'this reservoir'. */
  readonly owner: string;
  /** The state that runs move when they are given none. */
  readonly ownState: State;
  /**
   * The native object of this network.
   * @internal
   */
  readonly native: NativeNetwork<Floats>;
  /**
   * The form of a series for synchronous and for asynchronous runs.
   * @internal
   */
  readonly targets: { readonly own: SeriesTarget; readonly shared: SeriesTarget };
  protected readonly facts: Facts;
  readonly #kind: string;
  readonly #spec: NetworkSpec;
  /**
   * The network that this one is made of; null for others.
   * @internal
   */
  readonly within: Network | null;

  protected constructor(plan: NetworkPlan<Facts>) {
    const { kind, dtype, spec, facts, owner = 'this network', gated = false, own } = plan;
    this.native = plan.native ?? newNative(dtype, spec);
    this.dtype = dtype;
    this.owner = owner;
    this.facts = facts;
    this.#kind = kind;
    this.#spec = keptSpec(spec);
    this.within = plan.within ?? null;
    this.inputs = this.native.inputs;
    this.stateSize = this.native.stateSize;
    this.featureSize = this.native.featureSize;
    this.gateCount = gated ? this.native.gates : 0;
    this.targets = targetsOf(this);
    this.ownState = new State(this, own);
  }

  /**
   * `new` with the weights drawn (or packed) on another thread, to the same bits; the JavaScript thread stays free. The
   * options are copied before the call returns: writing to them afterwards has no effect. Progress has the stage
   * 'construct' and counts regions (the membranes of a Deep Tree, 1 elsewhere).
   *
   * Errors: as the constructor's, as a rejection; the signal's reason after an abort, which frees all memory; TypeError
   * ERR_DTESN_ARGUMENT for a kind that was registered without its plan.
   */
  static async constructAsync<Options, Kind extends object>(
    this: new (
      options: Options,
    ) => Kind,
    options: NoInfer<Options>,
    run: ConstructOptions = {},
  ): Promise<Kind> {
    // biome-ignore lint/complexity/noThisInStatic: the class that was called
    return (await constructNetwork(this, options, run)) as Kind;
  }

  /** The network that a handle of `share()` names, in this thread, without a copy of its weights. */
  static from(handle: NetworkHandle): Network {
    return reviveNetwork(handle) as Network;
  }

  /** The network's own state, live: native code writes here, and other threads may read it. */
  get state(): Floats {
    return this.ownState.data;
  }

  /** Bytes of weights that one step reads. */
  get bytes(): number {
    return this.native.bytes;
  }

  /** What a column of a run's result is, for errors. */
  get width(): string {
    return this.featureSize === this.stateSize ? 'units' : 'features';
  }

  /** A state at rest, on fresh shared memory or on the caller's. */
  createState(options: StateOptions = {}): State {
    return new State(this, options);
  }

  /**
   * A handle for `Network.from(handle)` in a worker thread: a plain object for postMessage. It does not keep the
   * weights in memory: keep the network open until Network.from has returned there. The last user frees the weights.
   */
  share(): NetworkHandle {
    const { dtype, facts, owner } = this;
    return {
      dtesn: 'network',
      kind: this.#kind,
      number: this.native.share(),
      addon: addon().identity,
      dtype,
      owner,
      gated: this.gateCount > 0,
      facts,
    };
  }

  /**
   * What the network is made of, for a file. Errors: TypeError ERR_DTESN_ARGUMENT for a network that came by a handle.
   * @internal
   */
  recipe(): NetworkRecipe {
    const { dtype, owner, facts } = this;
    const common = { kind: this.#kind, dtype, owner, gated: this.gateCount > 0, facts };
    if (this.within) return { ...common, spec: null, within: this.within.recipe() };
    if (this.#spec.kind === 'shared' || this.#spec.kind === 'featured') {
      throw argumentError('a network that was made here (save it where it was made)', 'network', 'one of a handle');
    }
    return { ...common, spec: filledSpec(this.#spec, this.native, dtype), within: null };
  }

  /**
   * SHA-256 of the weights; null for more than 256 MiB of them, and where there are none.
   * @internal
   */
  digest(): string | null {
    return this.within ? this.within.digest() : weightsDigest(this.#spec, this.native, this.dtype);
  }

  /** Frees the weights at once, as far as no other state, run or thread uses them. The network cannot be used after it. */
  close(): void {
    this.ownState.close();
    this.native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /**
   * Runs a series from a state, which then holds the last state.
   *
   * Returns the features of every step, steps x featureSize (rows 0 with `out: null`). A series of this dtype is not
   * copied.
   * Errors: RangeError ERR_DTESN_SHAPE when features or `out` do not fit; RangeError for values that are not finite;
   * TypeError ERR_DTESN_ARGUMENT where memory that is written overlaps with other memory of the run; DtesnError
   * ERR_DTESN_BUSY while a runAsync works on the state.
   */
  run(series: SeriesInput, options: RunOptions = {}): Matrix {
    const { values, out, state, moments, steps } = prepareRun(this, series, options, false);
    if (moments === undefined) state.native.run(values, out);
    else state.native.run(values, out, moments.sum, moments.magnitude);
    return this.#rows(out, steps);
  }

  /**
   * The same off the JavaScript thread. Typed arrays must lie on shared memory (an ordinary buffer could be transferred
   * during the run); arrays of numbers are copied there. An abort stops within 32 steps and rejects with the signal's
   * reason; the state is then that after the steps done.
   */
  async runAsync(series: SeriesInput, options: RunAsyncOptions = {}): Promise<Matrix> {
    const { values, out, state, moments, steps } = prepareRun(this, series, options, true);
    const { sum = null, magnitude = null } = moments ?? {};
    await State.during([state], () =>
      longRun((control) => state.native.runAsync(values, out, sum, magnitude, control), options, {
        stage: 'run',
        total: steps,
      }),
    );
    return this.#rows(out, steps);
  }

  /**
   * Runs many series, each from its own state, as columns of one product: the weights are read once for several series,
   * and threads (setThreads) share the series. The numbers depend neither on the threads nor on which series are batched
   * together; they equal those of `run` to rounding (1e-5 in f32, 1e-12 in f64), whose sums run in another order.
   *
   * Returns the features of each series, steps x featureSize. `states` holds the start states and takes the last ones
   * in place; left out, every series starts from zero. The network's own state does not change.
   * Errors: as run's, naming `series[i]`; RangeError ERR_DTESN_SHAPE when `out` or `states` do not fit.
   */
  runBatch(series: readonly SeriesInput[], options: RunBatchOptions = {}): Matrix[] {
    const batch = prepareBatch(this, series, options, false);
    this.native.runMany(...this.#batchArguments(batch));
    return this.#batchRows(batch);
  }

  /** The same off the JavaScript thread; typed arrays must lie on shared memory. Progress counts the steps of all series. */
  async runBatchAsync(series: readonly SeriesInput[], options: RunBatchAsyncOptions = {}): Promise<Matrix[]> {
    return (await this.#runBatchAsync(series, options)).rows;
  }

  /**
   * The same, and expandAsync of the last state of each series by the thread that ran it: the milliseconds of that. The states of
   * the expansions are those of the options.
   * @internal
   */
  async runAndExpandBatchAsync(
    series: readonly SeriesInput[],
    options: RunBatchAsyncOptions,
    order: number,
    expansions: readonly Expansion[],
  ): Promise<number> {
    checkWhole(order, 'order', 1, MAX_ORDER);
    return (await this.#runBatchAsync(series, options, [order, ...partsOf(expansions)])).expandMs;
  }

  async #runBatchAsync(
    series: readonly SeriesInput[],
    options: RunBatchAsyncOptions,
    expansions?: [order: number, ...ReturnType<typeof partsOf>],
  ): Promise<{ rows: Matrix[]; expandMs: number }> {
    const batch = prepareBatch(this, series, options, true);
    const { threads } = options;
    if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
      throw rangeError('a whole number of threads, 1 or more', 'threads', threads);
    }
    const total = batch.steps.reduce((sum, steps) => sum + steps, 0);
    let expandMs = 0;
    const start = async (control: Int32Array) => {
      expandMs = await this.native.runManyAsync(...this.#batchArguments(batch), control, threads, expansions);
      return total;
    };
    const states = Array.isArray(batch.states) ? batch.states : [];
    await State.during(states, () => longRun(start, options, { stage: 'run', total }));
    return { rows: this.#batchRows(batch), expandMs };
  }

  /**
   * The series in the form that this network reads: steps x inputs in its dtype, copied only when `run` (with `shared`:
   * `runAsync`) would copy it.
   */
  seriesOf(series: SeriesInput, { shared = false }: { shared?: boolean } = {}): Floats {
    return readSeries(series, targetOf(this, shared));
  }

  /** The features of a state: featureSize elements, into `out` where it is given. */
  featuresOf(state: State | Floats, out: Floats = floats(this.dtype, this.featureSize)): Floats {
    const data = isState(state) ? state.data : checkView(state, 'state', [arrayOf(this.dtype)]);
    this.native.features(data, checkView(out, 'out', [arrayOf(this.dtype)]));
    return out;
  }

  /**
   * Binds the memory of streams (StreamPool) once; the gates are those of the network's own state.
   * @internal
   */
  streamTable({ states, queue, heads, counts, ready }: StreamMemory): NativeStreamTable {
    for (const view of [states, queue, heads, counts, ready]) requireShared(view, 'the memory of streams');
    const Native = (
      this.dtype === 'f32' ? addon().StreamTable32 : addon().StreamTable64
    ) as StreamTableConstructor<Floats>;
    return new Native(this.native, states, queue, heads, counts, ready, this.ownState.gates);
  }

  /**
   * A closed loop with a readout: made here, since the network and its states belong to this copy's addon.
   * @internal
   */
  forecaster(shape: ReadoutShape, weights: Float64Array, bias: Float64Array): NativeForecaster<Floats> {
    const { Forecaster32, Forecaster64 } = addon();
    const Native = (this.dtype === 'f32' ? Forecaster32 : Forecaster64) as ForecasterConstructor<Floats>;
    return new Native(this.native, this.linearReadout(shape, weights, bias));
  }

  /**
   * A readout for native calls of this network and its streams.
   * @internal
   */
  linearReadout(shape: ReadoutShape, weights: Float64Array, bias: Float64Array): NativeLinearReadout {
    return new (addon().LinearReadout)(shape, weights, bias);
  }

  /**
   * Elementary differentials F(τ) of the flow x' = L x + f(W x + W_in u + b) at a state, for all rooted trees to `order`
   * (1 to 10), into `out`: trees x stateSize. L is -1 for leaky networks, whose step is that of Euler with h = leak. In a
   * Deep Tree W is the assembled block matrix, and rows of closed membranes are zero. A delay line and a Featured have no flow.
   */
  differentials(order: number, input: ArrayLike<number>, out: Floats, state: State = this.ownState): void {
    checkWhole(order, 'order', 1, MAX_ORDER);
    state.checkIdle();
    if (input.length !== this.inputs) {
      throw shapeError(`input with ${this.inputs} elements (inputs of ${this.owner})`, input.length);
    }
    this.native.differentials(order, storedAs(input, this.dtype, 'input'), state.data, state.gates, out);
  }

  /**
   * The same for many states on other threads, with the Taylor coefficients Σ F(τ) / (σ(τ) γ(τ)) that the differentials of each
   * order sum to. What is written lies on shared memory. Inputs, states and gates are read before it returns.
   * @internal
   */
  async expandAsync(order: number, expansions: readonly Expansion[]): Promise<void> {
    checkWhole(order, 'order', 1, MAX_ORDER);
    for (const { state } of expansions) state.checkIdle();
    const [inputs, ...written] = partsOf(expansions);
    await this.native.expandAsync(
      order,
      inputs,
      expansions.map(({ state }) => state.data),
      expansions.map(({ state }) => state.gates),
      ...written,
    );
  }

  /**
   * The echo state property measured on a series: the distance ‖x - y‖₂ of two states before and after it, started from
   * opposite corners (all 1, all -1). The network's own state does not change.
   */
  contraction(series: SeriesInput): { before: number; after: number } {
    const { stateSize: size } = this;
    const states = floats(this.dtype, 2 * size)
      .fill(1, 0, size)
      .fill(-1, size) as Floats;
    this.runBatch([series, series], { out: null, states });
    let square = 0;
    for (let i = 0; i < size; i++) square += (states[i]! - states[size + i]!) ** 2;
    return { before: 2 * Math.sqrt(size), after: Math.sqrt(square) };
  }

  /** Sets the own state: zeros, or the given values. */
  reset(state?: ArrayLike<number>): void {
    this.ownState.reset(state);
  }

  /** Throws while an asynchronous run uses the network's own state. */
  protected checkIdle(): void {
    this.ownState.checkIdle();
  }

  #rows(out: Floats | null, steps: number): Matrix {
    return { rows: out ? steps : 0, cols: this.featureSize, data: out ?? nothing[this.dtype] };
  }

  #batchRows({ outs, steps }: PreparedBatch): Matrix[] {
    return outs?.map((data, i) => ({ rows: steps[i]!, cols: this.featureSize, data })) ?? [];
  }

  #batchArguments({ values, outs, states, moments }: PreparedBatch) {
    const own: Floats | NativeState<Floats>[] = Array.isArray(states) ? states.map((state) => state.native) : states;
    const sums = (key: keyof Moments) => moments?.map((one) => one[key]) ?? null;
    return [values, outs, own, this.ownState.gates, sums('sum'), sums('magnitude')] as const;
  }
}

/** What each expansion reads, and what it writes. */
function partsOf(expansions: readonly Expansion[]) {
  const all = <Key extends 'input' | 'differentials' | 'taylor' | 'squares'>(key: Key) =>
    expansions.map((one) => one[key]);
  return [all('input'), all('differentials'), all('taylor'), all('squares')] as const;
}

export const isNetwork = brand(Network, 'Network');

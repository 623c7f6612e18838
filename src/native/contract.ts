/**
 * The exports of the addon: the one typed description of the native boundary. Views only (typed arrays over ArrayBuffer
 * or SharedArrayBuffer); the TypeScript rooms check their arguments before a call, the addon checks kinds and lengths.
 */
export type Floats = Float32Array | Float64Array;

/** The error of one kernel of one instruction set against the scalar kernel, beside its tolerance. */
export interface KernelCheck {
  isa: string;
  kernel: string;
  dtype: 'f32' | 'f64';
  /** Largest difference from the scalar kernel, relative to the magnitude of what was summed. */
  error: number;
  tolerance: number;
  ok: boolean;
}

/** W drawn with a topology, scaled to its spectral radius. */
export interface TopologySpec {
  kind: 'topology';
  spectralRadius: number;
  topology: string;
  density: number;
  blockRows: number;
  /** bf16 and int8 for a dense or block-sparse W of f32; left out, that of the states. */
  precision?: string;
}

/** An operator between units or inputs and units; its rows and columns follow from the region. */
export type OperatorSpec =
  | TopologySpec
  | { kind: 'uniform'; scaling: number }
  | { kind: 'antisymmetric'; scaling: number; diffusion: number }
  | { kind: 'orthogonal' }
  | { kind: 'dense'; values: Floats; precision?: string }
  | { kind: 'nonzeros'; values: Floats }
  | { kind: 'csr'; offsets: Uint32Array; columns: Uint32Array; values: Floats };

/**
 * One region of units (native/network/region.h).
 *
 *     leaky   x' = (1 - rate) C x + rate f(W x + W_in u + b)        euler   x' = C x + rate f(W x + W_in u + b)
 */
export interface RegionSpec {
  units: number;
  law: 'leaky' | 'euler';
  /** One rate a unit. */
  rate: Floats;
  segments: { units: number; activation: string }[];
  recurrent: OperatorSpec;
  /** Null for a region without inputs. */
  input: OperatorSpec | null;
  /** C; left out, the identity. */
  carry?: OperatorSpec;
  /** Given, or the scaling of a drawn one. */
  bias: Floats | number | null;
  /** Seed and stream of the drawn weights: docs/random.md. */
  seed: number;
  stream: number;
  /** Index of a region before this one; left out for a root. */
  parent?: number;
  /** The block from the parent and the one back to it, given, or the scale of drawn ones; 0 for none. */
  coupling?: number | OperatorSpec;
  feedback?: number | OperatorSpec;
}

/**
 * What the addon builds a network from: its regions, the sizes of a vector autoregression, the features of a shared
 * network, or the number of one.
 */
export type NetworkSpec =
  | { kind: 'regions'; inputs: number; parentFirst: boolean; regions: RegionSpec[] }
  | { kind: 'nvar'; inputs: number; delay: number; order: number; strides: number }
  | {
      kind: 'featured';
      inputs: number;
      /** Of the shared network within. */
      number: number;
      /** Rows that the state keeps: of inputs, and of old features. */
      lines: [inputs: number, features: number];
      /** Order of the elementary differentials that the state holds; 0 for none. */
      differentials: number;
      /** factors[offsets[i]] .. factors[offsets[i + 1]]: places in the features, inputs, old features and differentials. */
      offsets: Uint32Array;
      factors: Uint32Array;
    }
  | { kind: 'shared'; number: number };

/** Weights, shared by any number of states. */
export interface NativeNetwork<F extends Floats> {
  readonly inputs: number;
  readonly stateSize: number;
  readonly featureSize: number;
  /** Gates of a state. */
  readonly gates: number;
  /** Whether it has a flow, and so elementary differentials. */
  readonly hasFlow: boolean;
  readonly bytes: number;
  /** `states`: State objects, or stateSize elements a series, in place, with one set of gates for all. */
  runMany(
    series: F[],
    outs: F[] | null,
    states: F | NativeState<F>[],
    gates: Uint8Array | null,
    sums: Float64Array[] | null,
    magnitudes: Float64Array[] | null,
  ): void;
  runManyAsync(
    series: F[],
    outs: F[] | null,
    states: F | NativeState<F>[],
    gates: Uint8Array | null,
    sums: Float64Array[] | null,
    magnitudes: Float64Array[] | null,
    control: Int32Array,
    /** Maximum number of threads; that of setThreads when left out. */
    threads?: number,
    /** Of the last state of each series, as expandAsync's; it resolves to the milliseconds of them. */
    expansions?: [order: number, inputs: F[], differentials: F[], taylor: F[], squares: Float64Array[]],
  ): Promise<number>;
  features(state: F, out: F): void;
  /** Of a network of regions, row-major copies into zeroed views. */
  weights(region: number, recurrent: F, input: F, bias: F): void;
  blocks(region: number, coupling: F, feedback: F): void;
  carry(region: number, out: F): void;
  /** Elementary differentials of the flow at a state: trees x stateSize into `out`. */
  differentials(order: number, input: F, state: F, gates: Uint8Array | null, out: F): void;
  /**
   * The same of many states, the Taylor coefficients they sum to, and the sums of squares of each row of both, on other threads;
   * what is written lies on shared memory.
   */
  expandAsync(
    order: number,
    inputs: F[],
    states: F[],
    gates: (Uint8Array | null)[],
    differentials: F[],
    taylor: F[],
    squares: Float64Array[],
  ): Promise<number>;
  normBound(): number;
  effectiveRadius(region: number): number;
  /** A number for { kind: 'shared' } in any environment of this process. */
  share(): number;
  /** Makes the weights of a spec on another thread, for a network constructed with null; progress counts regions. */
  build(spec: NetworkSpec, control: Int32Array): Promise<number>;
  close(): void;
}

/** One state of a network, its memory bound once. */
export interface NativeState<F extends Floats> {
  run(series: F, out: F | null, sum?: Float64Array, magnitude?: Float64Array): number;
  runAsync(
    series: F,
    out: F | null,
    sum: Float64Array | null,
    magnitude: Float64Array | null,
    control: Int32Array,
  ): Promise<number>;
  close(): void;
}

/** The memory of streams, bound once. */
export interface NativeStreamTable {
  /** One step for the first `ready` streams of the ready list; returns how many are ready afterwards. */
  step(ready: number): number;
  /** The same on other threads; a stream that was not stepped when the call was stopped stays ready. */
  stepAsync(ready: number, control: Int32Array): Promise<number>;
  /**
   * Rows for some streams, each its own number: series (rows of all x inputs) and out (rows of all x outputs) stream
   * after stream. `reading`: how many of the first features are kept of each step, or a readout. Resolves to 0.
   */
  runAsync(
    streams: Int32Array,
    rows: Int32Array,
    series: Floats,
    reading: number | NativeLinearReadout,
    out: Float64Array,
    control: Int32Array,
  ): Promise<number>;
  /** After the call under way. */
  close(): void;
}

/** A network and its readout in closed loop. The views of asynchronous calls lie on shared memory. */
export interface NativeForecaster<F extends Floats> {
  /**
   * last: outputs, in place; out: steps x outputs. Returns the steps done: fewer when the forecast became infinite or
   * NaN. given: the inputs beyond the outputs, steps x (inputs - outputs), the same for all starts; null for none.
   */
  run(state: NativeState<F>, last: Float64Array, out: Float64Array, given: F | null): number;
  runAsync(
    state: NativeState<F>,
    last: Float64Array,
    out: Float64Array,
    given: F | null,
    control: Int32Array,
  ): Promise<number>;
  /**
   * `states`: State objects, or stateSize elements a start, in place, with one set of gates for all. last: starts x
   * outputs, in place; out: starts x steps x outputs; done: takes the steps of each start.
   */
  runMany(
    states: F | NativeState<F>[],
    gates: Uint8Array | null,
    last: Float64Array,
    out: Float64Array,
    done: Float64Array,
    given: F | null,
  ): void;
  runManyAsync(
    states: F | NativeState<F>[],
    gates: Uint8Array | null,
    last: Float64Array,
    out: Float64Array,
    done: Float64Array,
    given: F | null,
    control: Int32Array,
    threads?: number,
  ): Promise<number>;
}

export type StreamTableConstructor<F extends Floats> = new (
  network: NativeNetwork<F>,
  states: F,
  queue: F,
  heads: Int32Array,
  counts: Int32Array,
  ready: Int32Array,
  gates: Uint8Array | null,
) => NativeStreamTable;
export type ForecasterConstructor<F extends Floats> = new (
  network: NativeNetwork<F>,
  readout: NativeLinearReadout,
) => NativeForecaster<F>;
export type NetworkConstructor<F extends Floats> = new (spec: NetworkSpec | null) => NativeNetwork<F>;
export type StateConstructor<F extends Floats> = new (
  network: NativeNetwork<F>,
  data: F,
  gates: Uint8Array | null,
) => NativeState<F>;

/** All rooted trees to an order; indices are into the whole table, -1 where there is none. */
export interface NativeTreeTable {
  /** first[n - 1] .. first[n]: the trees of order n. */
  first: Int32Array;
  order: Int32Array;
  /** Start of a tree's level sequence in `levels`. */
  start: Int32Array;
  levels: Uint8Array;
  symmetry: Float64Array;
  density: Float64Array;
  alpha: Float64Array;
  parent: Int32Array;
  left: Int32Array;
  right: Int32Array;
}

/** weights: n x n; state, drive, decay: n; out: trees x n. */
export type ElementaryDifferentials<F extends Floats> = (
  weights: F,
  state: F,
  drive: F,
  decay: F,
  order: number,
  out: F,
) => void;

/** differentials: trees x units; out: order x units. */
export type TaylorCoefficients<F extends Floats> = (differentials: F, units: number, order: number, out: F) => void;

/** Features are the states followed by the inputs of the same steps. */
export interface ReadoutShape {
  states: number;
  inputs: number;
  outputs: number;
  intercept: boolean;
}

/** What spectrum() fills: native/readout/spectrum.h. The last is null without the basis. */
export type NativeSpectrum = [
  vectors: Float64Array,
  squares: Float64Array,
  coefficients: Float64Array,
  rest: Float64Array,
  means: Float64Array,
  outputMeans: Float64Array,
  basis: Float64Array | null,
];

/**
 * states: steps x states, of either dtype; inputs: of the same, undefined where the shape has none; the rest is f64.
 * targets: NaN where a row does not count; weights: one a row, null for ones.
 */
export interface NativeRidgeTrainer {
  /** Rows so far that count. */
  readonly counted: number;
  /** Returns the rows added: fewer than given when the call was stopped. */
  add(states: Floats, inputs: Floats | undefined, targets: Float64Array, weights: Float64Array | null): number;
  addAsync(
    states: Floats,
    inputs: Floats | undefined,
    targets: Float64Array,
    weights: Float64Array | null,
    control: Int32Array,
  ): Promise<number>;
  /**
   * Runs a series from a state and adds its rows. Returns the steps done: fewer than given when the call was stopped,
   * or when a state is not finite, which is then in `block` (240 x featureSize, scratch).
   */
  train(
    state: NativeState<Floats>,
    series: Floats,
    targets: Float64Array,
    washout: number,
    block: Floats,
    weights: Float64Array | null,
  ): number;
  trainAsync(
    state: NativeState<Floats>,
    series: Floats,
    targets: Float64Array,
    washout: number,
    block: Floats,
    weights: Float64Array | null,
    control: Int32Array,
  ): Promise<number>;
  /** Where the next rows go. */
  enter(fold: number): void;
  /**
   * Readouts of the first so many features, one after the other: weights features x outputs, bias outputs, errors
   * (sums of squares) outputs. Returns the condition number; 0 for linearly dependent features.
   */
  solve(
    ridge: number,
    weights: Float64Array,
    bias: Float64Array,
    features: number[],
    errors: Float64Array | null,
  ): number;
  solveAsync(
    ridge: number,
    weights: Float64Array,
    bias: Float64Array,
    features: number[],
    errors: Float64Array | null,
    control: Int32Array,
  ): Promise<number>;
  /** errors: folds x ridges x prefixes x outputs, by the readouts of the first so many features. */
  validate(ridges: Float64Array, errors: Float64Array, features: number[]): number;
  validateAsync(ridges: Float64Array, errors: Float64Array, features: number[], control: Int32Array): Promise<number>;
  spectrum(parts: NativeSpectrum): number;
  spectrumAsync(parts: NativeSpectrum, control: Int32Array): Promise<number>;
  /** Frees the sums, after the call under way. */
  close(): void;
}

export interface NativeRecursiveTrainer {
  /** Bytes that a step reads. */
  readonly bytes: number;
  /** Steps done: fewer than given when P stops being positive. predictions: steps x outputs, each before its step. */
  update(states: Floats, inputs: Floats | undefined, targets: Float64Array, predictions: Float64Array): number;
  updateAsync(
    states: Floats,
    inputs: Floats | undefined,
    targets: Float64Array,
    predictions: Float64Array,
    control: Int32Array,
  ): Promise<number>;
  close(): void;
  weights(weights: Float64Array, bias: Float64Array): void;
  /** Numbers of a save. */
  readonly savedSize: number;
  /** Everything that the next step depends on, as it is. */
  save(numbers: Float64Array): void;
  /** False where the numbers cannot be those of a save of this shape: close the object then. */
  restore(numbers: Float64Array): boolean;
}

/** A lock on a file, which the kernel frees when the process ends in whatever way. */
export interface NativeFileLock {
  /** False where another open file has the lock. */
  readonly held: boolean;
  /** Empties the file and frees the lock; again without effect. */
  release(): void;
}

export interface NativeLinearReadout {
  /** out: steps x outputs. */
  apply(states: Floats, inputs: Floats | undefined, out: Float64Array): void;
}

export interface Addon {
  // simd
  readonly isa: string;
  readonly availableIsas: string[];
  /** Distinguishes this addon from one that the same process loaded from another file. */
  readonly identity: number;
  checkKernels(): KernelCheck[];
  /** Bytes from the view's address up to the next multiple of 64. */
  bytesToAlignment(view: Uint8Array): number;
  /** Multiply-adds in registers, 10^9 operations a second. */
  measureGflops(): { f32: number; f64: number };
  /** Loads from a working set of this many bytes, 10^9 bytes a second. */
  measureReadGigabytesPerSecond(bytes: number): number;
  /** Returns the number of threads: fewer than requested when the system refuses to start them. */
  setThreads(threads: number): number;
  /** Threads of this environment's pool, which starts them on first use. */
  threads(): number;

  // network
  readonly Network32: NetworkConstructor<Float32Array>;
  readonly Network64: NetworkConstructor<Float64Array>;
  readonly State32: StateConstructor<Float32Array>;
  readonly State64: StateConstructor<Float64Array>;
  readonly StreamTable32: StreamTableConstructor<Float32Array>;
  readonly StreamTable64: StreamTableConstructor<Float64Array>;

  // readout
  readonly RidgeTrainer: new (
    shape: ReadoutShape,
    solver: 'cholesky' | 'qr' | 'dual',
    folds: number,
  ) => NativeRidgeTrainer;
  readonly RecursiveTrainer: new (shape: ReadoutShape, ridge: number, forgetting: number) => NativeRecursiveTrainer;
  readonly LinearReadout: new (shape: ReadoutShape, weights: Float64Array, bias: Float64Array) => NativeLinearReadout;
  readonly Forecaster32: ForecasterConstructor<Float32Array>;
  readonly Forecaster64: ForecasterConstructor<Float64Array>;

  // transform
  /** The result shape of a program (src/transform/program-code.ts), and the elements and scratch numbers it needs. */
  transformShape(
    program: Float64Array,
    steps: number,
    features: number,
  ): { steps: number; features: number; capacity: number; scratch: number };
  runTransform32(
    program: Float64Array,
    data: Float32Array,
    steps: number,
    features: number,
  ): { steps: number; features: number };
  runTransform64(
    program: Float64Array,
    data: Float64Array,
    steps: number,
    features: number,
  ): { steps: number; features: number };

  // linalg
  /** Of a row-major n x n matrix; `residual` is 0 where all eigenvalues were computed. */
  spectralRadius(matrix: Float64Array, n: number): { radius: number; residual: number; converged: boolean };
  /** found: radius, residual, and 1 where it converged. */
  spectralRadiusAsync(matrix: Float64Array, n: number, found: Float64Array, control: Int32Array): Promise<number>;

  // host; a call of the operating system that fails throws an Error with the code ERR_DTESN_SYSTEM
  /** Takes the lock of a file, which is made where there is none, and writes the text into it. Never waits. */
  readonly FileLock: new (
    path: string,
    text: string,
  ) => NativeFileLock;
  /** One datagram to a Unix socket, '@name' for an abstract one. False on a system that has none. */
  sendDatagram(address: string, text: string): boolean;
  /** Files this process may have open; Infinity for no limit, null on a system without the limit. */
  openFileLimit(): { soft: number; hard: number } | null;
  mapLargeBlocks(): boolean;

  // text
  /**
   * Writes each number in its shortest decimal, 'null' where it is not finite, with commas between, to out[at ...]; returns the end.
   * `out` has room for 18 bytes each.
   */
  decimals(values: Float32Array, out: Uint8Array, at: number): number;

  // trees
  /** Rooted trees of exactly this order, 1 to 20, by generating them. */
  countTrees(order: number): number;
  treeTable(maxOrder: number): NativeTreeTable;

  // bseries
  readonly elementaryDifferentials32: ElementaryDifferentials<Float32Array>;
  readonly elementaryDifferentials64: ElementaryDifferentials<Float64Array>;
  readonly taylorCoefficients32: TaylorCoefficients<Float32Array>;
  readonly taylorCoefficients64: TaylorCoefficients<Float64Array>;
}

/**
 * What the addon exports: the one typed description of the boundary. Views only (typed arrays over ArrayBuffer or
 * SharedArrayBuffer); the TypeScript rooms check their arguments before a call, the addon checks kinds and lengths.
 */
export type Floats = Float32Array | Float64Array;

export interface KernelCheck {
  isa: string;
  kernel: string;
  dtype: 'f32' | 'f64';
  /** Largest difference from the scalar kernel, relative to the magnitude of what was summed. */
  error: number;
  tolerance: number;
  ok: boolean;
}

/** A reservoir or a Deep Tree: whole series in one call, its state bound once. */
export interface NativeRunnable<F extends Floats> {
  readonly bytes: number;
  run(series: F, out: F | null): number;
  runAsync(series: F, out: F | null, control: Int32Array): Promise<number>;
  /** Every series on its own row of `states` (series x units), in place. */
  runMany(series: F[], outs: F[] | null, states: F): void;
  /** One step of the first `count` ready streams; how many are ready afterwards. */
  stepStreams(states: F, queue: F, heads: Int32Array, counts: Int32Array, ready: Int32Array, count: number): number;
  /** Elementary differentials of x' = -x + tanh(W x + W_in u + b) at the present state: trees x units into `out`. */
  differentials(order: number, input: F, out: F): void;
}

export interface RegionSpec {
  units: number;
  inputs: number;
  spectralRadius: number;
  inputScaling: number;
  biasScaling: number;
  topology: string;
  density: number;
  blockRows: number;
  /** Of W: bf16 and int8 for a dense or block-sparse one of f32; left out, that of the states. */
  precision?: string;
  seed: number;
  stream: number;
}

export interface GivenSpec<F extends Floats> {
  units: number;
  inputs: number;
  recurrent: F;
  input: F;
  bias: F | undefined;
  topology: string;
  precision: string;
  activation: string;
}

export interface NativeReservoir<F extends Floats> extends NativeRunnable<F> {
  weights(recurrent: F, input: F, bias: F): void;
}

export type ReservoirConstructor<F extends Floats> = new (
  spec: RegionSpec | GivenSpec<F>,
  leak: F,
  state: F,
) => NativeReservoir<F>;

export interface MembraneSpec extends RegionSpec {
  /** Index of the parent; ignored for the skin. */
  parent: number;
  /** Scale of the block from the parent and of the one back to it; 0 for none. */
  coupling: number;
  feedback: number;
}

export interface NativeDeepTree<F extends Floats> extends NativeRunnable<F> {
  weights(membrane: number, recurrent: F, input: F | null, bias: F): void;
  blocks(membrane: number, coupling: F | null, feedback: F | null): void;
  normBound(): number;
  effectiveRadius(membrane: number): number;
}

export type DeepTreeConstructor<F extends Floats> = new (
  spec: { inputs: number; parentFirst: boolean; membranes: MembraneSpec[] },
  leak: F,
  state: F,
  gates: Uint8Array,
) => NativeDeepTree<F>;

/** All rooted trees to an order; indices are into the whole table, -1 where there is none. */
export interface NativeTreeTable {
  /** first[n - 1] .. first[n]: the trees of order n. */
  first: Int32Array;
  order: Int32Array;
  /** Where a tree's level sequence starts in `levels`. */
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

/** Features are the states and, behind them, the inputs of the same steps. */
export interface ReadoutShape {
  states: number;
  inputs: number;
  outputs: number;
  intercept: boolean;
}

/** states: steps x states, of either dtype; inputs: of the same, undefined where the shape has none; the rest is f64. */
export interface NativeRidgeTrainer {
  add(states: Floats, inputs: Floats | undefined, targets: Float64Array): void;
  /** weights: features x outputs, bias: outputs. Whether there is a solution: not where features are dependent. */
  solve(ridge: number, weights: Float64Array, bias: Float64Array): boolean;
}

export interface NativeRecursiveTrainer {
  /** Bytes that a step reads. */
  readonly bytes: number;
  /** Steps done: fewer than given when P stops being positive. predictions: steps x outputs, each before its step. */
  update(states: Floats, inputs: Floats | undefined, targets: Float64Array, predictions: Float64Array): number;
  weights(weights: Float64Array, bias: Float64Array): void;
}

export interface NativeLinearReadout {
  /** out: steps x outputs. */
  apply(states: Floats, inputs: Floats | undefined, out: Float64Array): void;
}

export interface Addon {
  // simd
  readonly isa: string;
  readonly availableIsas: string[];
  checkKernels(): KernelCheck[];
  /** Bytes from the view's address up to the next multiple of 64. */
  bytesToAlignment(view: Uint8Array): number;
  /** Multiply-adds in registers, 10^9 operations a second. */
  measureGflops(): { f32: number; f64: number };
  /** Loads from a working set of so many bytes. */
  measureReadGigabytesPerSecond(bytes: number): number;
  /** Returns the threads there are: fewer where the system refuses to begin so many. */
  setThreads(threads: number): number;
  /** Threads of this environment's pool, or those it will have when it is first needed. */
  threads(): number;

  // reservoir
  readonly Reservoir32: ReservoirConstructor<Float32Array>;
  readonly Reservoir64: ReservoirConstructor<Float64Array>;

  // membrane
  readonly DeepTree32: DeepTreeConstructor<Float32Array>;
  readonly DeepTree64: DeepTreeConstructor<Float64Array>;

  // readout
  readonly RidgeTrainer: new (
    shape: ReadoutShape,
    orthogonal: boolean,
  ) => NativeRidgeTrainer;
  readonly RecursiveTrainer: new (shape: ReadoutShape, ridge: number, forgetting: number) => NativeRecursiveTrainer;
  readonly LinearReadout: new (shape: ReadoutShape, weights: Float64Array, bias: Float64Array) => NativeLinearReadout;

  // transform
  /** What comes out of a program (src/pipeline/program-code.ts), the elements and the scratch numbers it needs. */
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

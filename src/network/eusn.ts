/** The Euler state network: forward Euler steps of a stable ordinary differential equation. */
import { z } from 'zod';
import { argumentError, checkOptions } from '../errors/index.js';
import type { Initializer } from '../initializers/index.js';
import type { FloatDtype, NativeRegionSpec } from '../native/index.js';
import { type CsrMatrix, checkAsStored, csr, isCsr, matrix } from '../numeric/index.js';
import { type Activation, type ActivationSegment, activationSchema, segmentsOf } from './activation.js';
import {
  type AnyMatrix,
  biasOf,
  checkDense,
  dtypeOfMatrix,
  madeWeights,
  operatorOf,
  sizesOf,
  sourceSchema,
  sourcesSchema,
  type WeightSources,
} from './given-weights.js';
import { type ClaimedNetwork, planOf, registerKind } from './handle.js';
import { Network } from './network.js';
import {
  checkScalings,
  checkWeightMemory,
  type RegionOptions,
  ratesOf,
  regionShape,
  unitsSchema,
  unitsText,
} from './options.js';
import type { NetworkPlan } from './plan.js';
import { oneRegion, type ReservoirWeights, regionWeights } from './reservoir.js';

const finite = 'a finite number, 0 or more';
const law = {
  step: z.number().gt(0).max(1e6).default(0.01).describe('a number in (0, 1000000]'),
  diffusion: z.number().min(0).max(1e6).default(0.001).describe('a number from 0 to 1000000'),
  activation: activationSchema,
  state: regionShape.state,
};

export const drawnSchema = z.object({
  units: unitsSchema.describe(unitsText),
  inputs: regionShape.inputs,
  recurrentScaling: z.number().min(0).default(1).describe(finite),
  inputScaling: regionShape.inputScaling,
  biasScaling: regionShape.biasScaling,
  dtype: regionShape.dtype,
  seed: regionShape.seed,
  ...law,
});

export const givenSchema = z.object({
  weights: z
    .strictObject({ ...sourcesSchema.partial().shape, base: sourceSchema.optional(), input: sourceSchema })
    .describe('an object { base or recurrent, input, bias? } of matrices or initializers'),
  units: unitsSchema.optional().describe(unitsText),
  inputs: regionShape.inputs.optional().describe('a whole number from 1 to 1000000'),
  seed: regionShape.seed,
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  ...law,
});

/** Options of a EuSn whose weights W (antisymmetric), W_in and b are drawn from a seed. */
export interface DrawnEuSnOptions
  extends Pick<RegionOptions, 'inputs' | 'inputScaling' | 'biasScaling' | 'dtype' | 'state' | 'seed'> {
  /** N: units of the network, 1 to 16,777,216. Required. */
  units: number;
  /** W = (A - A') times this, A of U(-1, 1). Default 1. */
  recurrentScaling?: number | undefined;
  /** ε in (0, 1,000,000]: the step of Euler's method. Default 0.01. */
  step?: number | undefined;
  /** γ in [0, 1,000,000]: damps every unit. Default 0.001. */
  diffusion?: number | undefined;
  /** Activation f: one for all units, or one for each segment of them. Default 'tanh'. */
  activation?: Activation | ActivationSegment[] | undefined;
}

/** The weights of an EuSn, given by the caller: `base` or `recurrent`, W_in and b. */
export interface EuSnWeightSources extends Omit<WeightSources, 'recurrent'> {
  /** A, units x units: the antisymmetric W is A - A'. Default: `recurrent` is given instead. */
  base?: AnyMatrix | Initializer | undefined;
  /** W, units x units, used unchanged, antisymmetric or not. Default: `base` is given instead. */
  recurrent?: AnyMatrix | Initializer | undefined;
}

/** Weights to use as they are. */
export interface GivenEuSnOptions extends Pick<DrawnEuSnOptions, 'step' | 'diffusion' | 'activation' | 'state'> {
  /** A or W, W_in and b: matrices, dense or csr(...), or initializers (dtesn/initializers). Required. */
  weights: EuSnWeightSources;
  /** N: what initializers need. Default: the rows of given matrices. */
  units?: number | undefined;
  /** D: what an initializer of W_in needs. Default: the columns of a given one. */
  inputs?: number | undefined;
  /** Seed that initializers make A or W, W_in and b of, each of a seed of its own. Default 0. */
  seed?: number | undefined;
  /** Element type of states, series and weights. Default: that of W. */
  dtype?: FloatDtype | undefined;
}

/** Options of EuSn: weights to draw (`units`), or weights to use as they are (`weights`). */
export type EuSnOptions = DrawnEuSnOptions | GivenEuSnOptions;

/** The fields that a handle of a shared EuSn carries. */
export interface EuSnFacts {
  step: number;
  diffusion: number;
}

/**
 * The Euler state network: forward Euler steps of a stable ordinary differential equation.
 *
 *     x(t+1) = x(t) + ε f((W - γ I) x(t) + W_in u(t+1) + b)          ε `step`, γ `diffusion`
 *
 * Shapes: W is units x units, W_in units x inputs, b units. A drawn W, or one made of a `base` A, is the antisymmetric
 * A - A': its eigenvalues are imaginary, and only γ dissipates. A given W is used unchanged.
 *
 * Errors: as Reservoir's.
 * Source: Gallicchio (2024), "Euler state networks: non-dissipative reservoir computing", Neurocomputing 579.
 */
export class EuSn extends Network<EuSnFacts> {
  constructor(options: EuSnOptions) {
    super(planOf(options as EuSnOptions | ClaimedNetwork, planEuSn));
  }

  /** N: units, and the length of a state. */
  get units(): number {
    return this.stateSize;
  }

  /** ε */
  get step(): number {
    return this.facts.step;
  }

  /** γ */
  get diffusion(): number {
    return this.facts.diffusion;
  }

  /** Copies of W - γ I, as the drive has it, of W_in and of b, dense and row-major. */
  weights(): ReservoirWeights {
    return regionWeights(this);
  }
}

registerKind('EuSn', EuSn, planEuSn);

function planEuSn(options: EuSnOptions): NetworkPlan<EuSnFacts> {
  const isGiven = typeof options === 'object' && options !== null && 'weights' in options;
  return isGiven ? planGiven(options as GivenEuSnOptions) : planDrawn(options as DrawnEuSnOptions);
}

function planDrawn(options: DrawnEuSnOptions): NetworkPlan<EuSnFacts> {
  const checked = checkOptions(drawnSchema, options, 'EuSn');
  const { units, inputs, dtype, step, diffusion, inputScaling, biasScaling, seed } = checked;
  checkWeightMemory(units * (units + inputs), dtype, `${units} units of an EuSn`);
  checkScalings(checked, dtype);
  // An entry is a difference of two numbers below the scaling.
  checkAsStored(2 * checked.recurrentScaling, dtype, 'recurrentScaling');
  const region: NativeRegionSpec = {
    ...{ units, law: 'euler', rate: ratesOf(step, units, dtype, 'step') },
    segments: segmentsOf(checked.activation, units),
    recurrent: { kind: 'antisymmetric', scaling: checked.recurrentScaling, diffusion },
    ...{ input: { kind: 'uniform', scaling: inputScaling }, bias: biasScaling, seed, stream: 0 },
  };
  const facts = { step, diffusion };
  return { kind: 'EuSn', dtype, spec: oneRegion(inputs, region), facts, own: { data: checked.state } };
}

function planGiven(options: GivenEuSnOptions): NetworkPlan<EuSnFacts> {
  const checked = checkOptions(givenSchema, options, 'EuSn');
  const { step, diffusion } = checked;
  const { base, recurrent, ...others } = checked.weights;
  if ((base === undefined) === (recurrent === undefined)) {
    throw argumentError('an object with either base or recurrent', 'weights', checked.weights);
  }
  const weights = madeWeights(
    { recurrent: (base ?? recurrent)!, ...others },
    checked,
    base ? 'weights.base' : undefined,
  );
  const dtype = checked.dtype ?? dtypeOfMatrix(weights.recurrent);
  const { units, inputs } = sizesOf(weights);
  const own = base === undefined ? weights.recurrent : antisymmetric(weights.recurrent);
  const region: NativeRegionSpec = {
    ...{ units, law: 'euler', rate: ratesOf(step, units, dtype, 'step') },
    segments: segmentsOf(checked.activation, units),
    recurrent: operatorOf(shifted(own, diffusion), dtype, base ? 'weights.base' : 'weights.recurrent'),
    input: operatorOf(weights.input, dtype, 'weights.input'),
    ...{ bias: biasOf(weights.bias, units, dtype), seed: 0, stream: 0 },
  };
  const facts = { step, diffusion };
  return { kind: 'EuSn', dtype, spec: oneRegion(inputs, region), facts, own: { data: checked.state } };
}

/** A - A', in f64. */
function antisymmetric(base: AnyMatrix): AnyMatrix {
  const { rows: n } = base;
  if (isCsr(base)) {
    const rows = Array.from({ length: n }, () => new Map<number, number>());
    const { offsets, columns, values } = base;
    for (const [i, k, value] of placesOf(csr(n, n, { offsets, columns, values }))) {
      if (i === k) continue;
      rows[i]!.set(k, (rows[i]!.get(k) ?? 0) + value);
      rows[k]!.set(i, (rows[k]!.get(i) ?? 0) - value);
    }
    return csrOf(rows);
  }
  const given = checkDense(base, 'weights.base');
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) data[i * n + k] = given[i * n + k]! - given[k * n + i]!;
  }
  return matrix(n, n, data);
}

/** W - γ I, in f64. */
function shifted(given: AnyMatrix, diffusion: number): AnyMatrix {
  if (diffusion === 0) return given;
  if (isCsr(given)) {
    const rows = Array.from({ length: given.rows }, (_, i) => new Map([[i, -diffusion]]));
    for (const [i, k, value] of placesOf(given)) rows[i]!.set(k, (rows[i]!.get(k) ?? 0) + value);
    return csrOf(rows);
  }
  const data = Float64Array.from(given.data);
  for (let i = 0; i < given.rows; i++) data[i * given.cols + i]! -= diffusion;
  return matrix(given.rows, given.cols, data);
}

/** Row, column and value of each stored weight. */
function* placesOf({ rows, offsets, columns, values }: CsrMatrix): Generator<[number, number, number]> {
  for (let i = 0; i < rows; i++) {
    for (let k = offsets[i]!; k < offsets[i + 1]!; k++) yield [i, columns[k]!, values[k]!];
  }
}

/** A square matrix of rows of weights by their columns. */
function csrOf(rows: readonly Map<number, number>[]): CsrMatrix {
  const parts = { offsets: [0], columns: [] as number[], values: [] as number[] };
  for (const row of rows) {
    for (const [column, value] of [...row].sort(([a], [b]) => a - b)) {
      parts.columns.push(column);
      parts.values.push(value);
    }
    parts.offsets.push(parts.columns.length);
  }
  return csr(rows.length, rows.length, parts);
}

/** The edge of stability echo state network. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import { type Initializer, weightSeeds } from '../initializers/index.js';
import { type FloatDtype, floats, type NativeRegionSpec, type OperatorSpec } from '../native/index.js';
import { type Matrix, matrix } from '../numeric/index.js';
import { type Activation, type ActivationSegment, activationSchema, segmentsOf } from './activation.js';
import {
  type AnyMatrix,
  biasOf,
  dtypeOfMatrix,
  madeMatrix,
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
  drawnRecurrent,
  type RegionOptions,
  ratesOf,
  regionShape,
  resolveTopology,
  spectralRadiusSchema,
  spectralRadiusText,
  unitsSchema,
  unitsText,
} from './options.js';
import type { NetworkPlan } from './plan.js';
import { oneRegion, type ReservoirWeights, regionWeights } from './reservoir.js';

const proximity = z.number().gt(0).lte(1).default(1).describe('a number in (0, 1]');
const orthogonals = ['dense', 'cycle', 'permutation', 'hadamard'] as const;

export const drawnSchema = z.object({
  units: unitsSchema.describe(unitsText),
  ...regionShape,
  proximity,
  activation: activationSchema,
  orthogonal: z.enum(orthogonals).default('dense').describe("'dense', 'cycle', 'permutation' or 'hadamard'"),
  spectralRadius: spectralRadiusSchema.default(0.9).describe(spectralRadiusText),
});

export const givenSchema = z.object({
  weights: z
    .strictObject({ ...sourcesSchema.shape, orthogonal: sourceSchema })
    .describe('an object { recurrent, input, bias?, orthogonal } of matrices or initializers'),
  units: unitsSchema.optional().describe(unitsText),
  inputs: regionShape.inputs.optional().describe('a whole number from 1 to 1000000'),
  seed: regionShape.seed,
  proximity,
  activation: activationSchema,
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  state: regionShape.state,
});

/** Options of an Es2n whose weights W, W_in, b and O are drawn from a seed. */
export interface DrawnEs2nOptions extends RegionOptions {
  /** N: units of the network, 1 to 16,777,216. Required. */
  units: number;
  /** β in (0, 1]: share of the nonlinear part. Default 1. */
  proximity?: number | undefined;
  /** Activation f: one for all units, or one for each segment of them. Default 'tanh'. */
  activation?: Activation | ActivationSegment[] | undefined;
  /**
   * How O is drawn: 'dense' (uniform over all orthogonal matrices, about 4/3 units³ operations to make) or by the structure
   * of a topology. Default 'dense'.
   */
  orthogonal?: 'dense' | 'cycle' | 'permutation' | 'hadamard' | undefined;
  /** Largest modulus of the eigenvalues of W, in (0, 1,000,000]. Default 0.9. */
  spectralRadius?: number | undefined;
}

/** The weights of an Es2n, given by the caller: those of a reservoir, and an orthogonal matrix. */
export interface GivenEs2nWeights extends WeightSources {
  /** O, units x units; that it is orthogonal is not checked. Required. */
  orthogonal: AnyMatrix | Initializer;
}

/** Weights to use as they are. */
export interface GivenEs2nOptions extends Pick<DrawnEs2nOptions, 'proximity' | 'activation' | 'state'> {
  /** The weights W, W_in, b and O: matrices, dense or csr(...), or initializers (dtesn/initializers). Required. */
  weights: GivenEs2nWeights;
  /** N: what initializers need. Default: the rows of given matrices. */
  units?: number | undefined;
  /** D: what an initializer of W_in needs. Default: the columns of a given one. */
  inputs?: number | undefined;
  /** Seed that initializers make W, W_in, b and O of, each of a seed of its own. Default 0. */
  seed?: number | undefined;
  /** Element type of states, series and weights. Default: that of W. */
  dtype?: FloatDtype | undefined;
}

/** Options of Es2n: weights to draw (`units`), or weights to use as they are (`weights`). */
export type Es2nOptions = DrawnEs2nOptions | GivenEs2nOptions;

/** Copies of W, W_in, b and the orthogonal O (units x units) of an Es2n. */
export interface Es2nWeights extends ReservoirWeights {
  orthogonal: Matrix;
}

/**
 * The edge of stability echo state network.
 *
 *     x(t+1) = β f(W x(t) + W_in u(t+1) + b) + (1 - β) O x(t)          O orthogonal, β `proximity` in (0, 1]
 *
 * Shapes: W and O are units x units, W_in units x inputs, b units. W, W_in and b are drawn as in Reservoir, or all four
 * are given.
 *
 * Errors: as Reservoir's.
 * Source: Ceni & Gallicchio (2024), "Edge of stability echo state network", IEEE Trans. Neural Networks Learn. Syst. 36(4).
 */
export class Es2n extends Network<{ proximity: number }> {
  constructor(options: Es2nOptions) {
    super(planOf(options as Es2nOptions | ClaimedNetwork, planEs2n));
  }

  /** N: units, and the length of a state. */
  get units(): number {
    return this.stateSize;
  }

  /** β */
  get proximity(): number {
    return this.facts.proximity;
  }

  /** Copies of W, W_in, b and O, dense and row-major. */
  weights(): Es2nWeights {
    const weights = regionWeights(this);
    const orthogonal = matrix(this.units, this.units, floats(this.dtype, this.units ** 2));
    this.native.carry(0, orthogonal.data);
    return { ...weights, orthogonal };
  }
}

registerKind('Es2n', Es2n, planEs2n);

function planEs2n(options: Es2nOptions): NetworkPlan<{ proximity: number }> {
  const isGiven = typeof options === 'object' && options !== null && 'weights' in options;
  return isGiven ? planGiven(options as GivenEs2nOptions) : planDrawn(options as DrawnEs2nOptions);
}

function planDrawn(options: DrawnEs2nOptions): NetworkPlan<{ proximity: number }> {
  const checked = checkOptions(drawnSchema, options, 'Es2n');
  const { units, inputs, dtype, inputScaling, biasScaling, seed } = checked;
  const { spec, degree } = drawnRecurrent(units, checked, dtype);
  const dense = checked.orthogonal === 'dense';
  checkWeightMemory(units * (degree + inputs + (dense ? 3 * units : 0)), dtype, `${units} units of an Es2n`);
  checkScalings(checked, dtype);
  const region: NativeRegionSpec = {
    ...{ units, law: 'leaky', rate: ratesOf(checked.proximity, units, dtype, 'proximity') },
    ...{ segments: segmentsOf(checked.activation, units), recurrent: spec },
    ...{ input: { kind: 'uniform', scaling: inputScaling }, bias: biasScaling, seed, stream: 0 },
    carry: dense ? { kind: 'orthogonal' } : structured(units, checked.orthogonal),
  };
  const facts = { proximity: checked.proximity };
  return { kind: 'Es2n', dtype, spec: oneRegion(inputs, region), facts, own: { data: checked.state } };
}

/** A topology whose eigenvalues all have modulus 1. */
function structured(units: number, name: 'dense' | 'cycle' | 'permutation' | 'hadamard'): OperatorSpec {
  const { topology } = resolveTopology(units, name, undefined);
  return { kind: 'topology', spectralRadius: 1, topology, density: 1, blockRows: 8 };
}

function planGiven(options: GivenEs2nOptions): NetworkPlan<{ proximity: number }> {
  const checked = checkOptions(givenSchema, options, 'Es2n');
  const weights = madeWeights(checked.weights, checked);
  const dtype = checked.dtype ?? dtypeOfMatrix(weights.recurrent);
  const { units, inputs } = sizesOf(weights);
  const size = { rows: units, cols: units, seed: weightSeeds(checked.seed).orthogonal };
  const orthogonal = madeMatrix(checked.weights.orthogonal, size, 'weights.orthogonal');
  const region: NativeRegionSpec = {
    ...{ units, law: 'leaky', rate: ratesOf(checked.proximity, units, dtype, 'proximity') },
    segments: segmentsOf(checked.activation, units),
    recurrent: operatorOf(weights.recurrent, dtype, 'weights.recurrent'),
    input: operatorOf(weights.input, dtype, 'weights.input'),
    carry: operatorOf(orthogonal, dtype, 'weights.orthogonal'),
    ...{ bias: biasOf(weights.bias, units, dtype), seed: 0, stream: 0 },
  };
  const facts = { proximity: checked.proximity };
  return { kind: 'Es2n', dtype, spec: oneRegion(inputs, region), facts, own: { data: checked.state } };
}

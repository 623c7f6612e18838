/** The leaky echo state reservoir. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { defaultDtype, type FloatDtype, type Floats, floats, type NativeRegionSpec } from '../native/index.js';
import { checkMemory, isCsr, type Matrix, matrix } from '../numeric/index.js';
import { type Activation, type ActivationSegment, activationSchema, segmentsOf } from './activation.js';
import {
  biasOf,
  dtypeOfMatrix,
  madeWeights,
  operatorOf,
  sizesOf,
  sourcesSchema,
  type WeightSources,
} from './given-weights.js';
import { type ClaimedNetwork, planOf, registerKind } from './handle.js';
import { Network } from './network.js';
import {
  checkScalings,
  checkWeightMemory,
  drawnRecurrent,
  leakSchema,
  leakText,
  type Precision,
  precisionSchema,
  type RegionOptions,
  ratesOf,
  regionShape,
  resolvePrecision,
  spectralRadiusSchema,
  spectralRadiusText,
  type Topology,
  unitsSchema,
  unitsText,
} from './options.js';
import type { NetworkPlan } from './plan.js';

export const drawnSchema = z.object({
  units: unitsSchema.describe(unitsText),
  ...regionShape,
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  precision: precisionSchema,
  leak: leakSchema.default(1).describe(leakText),
  activation: activationSchema,
  spectralRadius: spectralRadiusSchema.default(0.9).describe(spectralRadiusText),
});

export const givenSchema = z.object({
  weights: sourcesSchema.describe('an object { recurrent, input, bias? } of matrices or initializers'),
  units: unitsSchema.optional().describe(unitsText),
  inputs: regionShape.inputs.optional().describe('a whole number from 1 to 1000000'),
  seed: regionShape.seed,
  leak: leakSchema.default(1).describe(leakText),
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  precision: precisionSchema,
  activation: activationSchema,
  topology: z.enum(['dense', 'sparse']).default('dense').describe("'dense' or 'sparse'"),
  state: regionShape.state,
});

/** Options of a Reservoir whose weights W, W_in and b are drawn from a seed. */
export interface DrawnReservoirOptions extends RegionOptions {
  /** N: units of the reservoir, 1 to 16,777,216. Required. */
  units: number;
  /**
   * Storage type of W: 'f32' or 'f64' as the states, or 'bf16' (relative error 2^-9 a weight) or 'int8' (a scale for
   * each row; error of a weight up to 1/254 of the largest in its row) for dense and block-sparse W with f32 states,
   * two and four times fewer bytes to read a step. Default: `dtype`.
   */
  precision?: Precision | undefined;
  /** Share of the state that a step replaces, in (0, 1]: for all units, or one for each. Default 1. */
  leak?: number | number[] | Float32Array | Float64Array | undefined;
  /** Activation f: one for all units, or one for each segment of them. Default 'tanh'. */
  activation?: Activation | ActivationSegment[] | undefined;
  /** Largest modulus of the eigenvalues of W, in (0, 1,000,000]. Default 0.9. */
  spectralRadius?: number | undefined;
}

/** Weights to use as they are. */
export interface GivenReservoirOptions extends Pick<DrawnReservoirOptions, 'leak' | 'activation' | 'state'> {
  /** The weights W, W_in and b: matrices, dense or csr(...), or initializers (dtesn/initializers). Required. */
  weights: WeightSources;
  /** N: what initializers need. Default: the rows of given matrices. */
  units?: number | undefined;
  /** D: what an initializer of W_in needs. Default: the columns of a given one. */
  inputs?: number | undefined;
  /** Seed that initializers make W, W_in and b of, each of a seed of its own. Default 0. */
  seed?: number | undefined;
  /** Element type of states, series and W_in. Default: that of W, or of `precision`. */
  dtype?: FloatDtype | undefined;
  /** What W is stored in; 'bf16' and 'int8' for dense W with f32 states. Default: `dtype`. */
  precision?: Precision | undefined;
  /** 'sparse' stores the non-zeros of a dense W only. Default 'dense'. */
  topology?: 'dense' | 'sparse' | undefined;
}

/** Options of Reservoir: weights to draw (`units`), or weights to use as they are (`weights`). */
export type ReservoirOptions = DrawnReservoirOptions | GivenReservoirOptions;

/** Copies of W (units x units), W_in (units x inputs) and b (units) of a network. */
export interface ReservoirWeights {
  recurrent: Matrix;
  input: Matrix;
  bias: Floats;
}

/** The fields that a handle of a shared reservoir carries. */
export interface ReservoirFacts {
  topology: Topology;
  precision: Precision;
  leak: Floats;
  spectralRadius: number | null;
}

/**
 * The leaky echo state reservoir.
 *
 *     x(t+1) = (1 - leak) x(t) + leak f(W x(t) + W_in u(t+1) + b)          f `activation`, tanh by default (activation.ts)
 *
 * Shapes: W is units x units, W_in units x inputs, b units; a series is steps x inputs, its states steps x units.
 *
 * Weights are drawn, W scaled to `spectralRadius` (to 1e-3; exactly for cycle, permutation and hadamard) and then
 * rounded to `precision`; or they are given and used unchanged.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option, RangeError ERR_DTESN_SHAPE for weights that do not
 * fit each other, RangeError ERR_DTESN_MEMORY for weights beyond the available memory.
 * Source: Jaeger (2001), GMD report 148; Jaeger et al. (2007), Neural Networks 20(3); cycle: Rodan & Tino (2011);
 * permutation: Boedecker et al. (2009); hadamard: Dong et al. (2020), NeurIPS 33.
 */
export class Reservoir extends Network<ReservoirFacts> {
  constructor(options: ReservoirOptions) {
    super(planOf(options as ReservoirOptions | ClaimedNetwork, planReservoir));
  }

  /** N: units, and the length of a state. */
  get units(): number {
    return this.stateSize;
  }

  /** Which places of W have weights. */
  get topology(): Topology {
    return this.facts.topology;
  }

  /** What W is stored in. */
  get precision(): Precision {
    return this.facts.precision;
  }

  /** One leak a unit; a copy that the network does not read. */
  get leak(): Floats {
    return this.facts.leak;
  }

  /** The requested one; null for given weights (spectralRadius(reservoir.weights().recurrent) measures it). */
  get spectralRadius(): number | null {
    return this.facts.spectralRadius;
  }

  /** Copies of W (units x units), W_in (units x inputs) and b (units), dense and row-major. */
  weights(): ReservoirWeights {
    this.checkIdle();
    return regionWeights(this);
  }
}

registerKind('Reservoir', Reservoir, planReservoir);

/** Copies of the weights of a network of one region. */
export function regionWeights(network: Network): ReservoirWeights {
  const { native, stateSize, inputs, dtype } = network;
  checkMemory(stateSize * stateSize * (dtype === 'f32' ? 4 : 8), 'a dense copy of the weights');
  const recurrent = matrix(stateSize, stateSize, floats(dtype, stateSize * stateSize));
  const input = matrix(stateSize, inputs, floats(dtype, stateSize * inputs));
  const bias = floats(dtype, stateSize);
  native.weights(0, recurrent.data, input.data, bias);
  return { recurrent, input, bias };
}

/** The plan of a network of one region. */
export function oneRegion(inputs: number, region: NativeRegionSpec): NetworkPlan['spec'] {
  return { kind: 'regions', inputs, parentFirst: true, regions: [region] };
}

function planReservoir(options: ReservoirOptions): NetworkPlan<ReservoirFacts> {
  const isGiven = typeof options === 'object' && options !== null && 'weights' in options;
  return isGiven ? planGiven(options as GivenReservoirOptions) : planDrawn(options as DrawnReservoirOptions);
}

function planDrawn(options: DrawnReservoirOptions): NetworkPlan<ReservoirFacts> {
  const checked = checkOptions(drawnSchema, options, 'Reservoir');
  const { units, inputs, spectralRadius, inputScaling, biasScaling, seed, state } = checked;
  const { dtype, precision } = resolvePrecision(checked.dtype, checked.precision, defaultDtype);
  const { spec, topology, degree } = drawnRecurrent(units, checked, precision);
  checkWeightMemory(units * (degree + inputs), dtype, `${units} units with ${degree} weights each`);
  checkScalings(checked, dtype);
  const leak = ratesOf(checked.leak, units, dtype);
  const region: NativeRegionSpec = {
    ...{ units, law: 'leaky', rate: leak, segments: segmentsOf(checked.activation, units), recurrent: spec },
    ...{ input: { kind: 'uniform', scaling: inputScaling }, bias: biasScaling, seed, stream: 0 },
  };
  return plan(dtype, oneRegion(inputs, region), { topology, precision, leak, spectralRadius }, state);
}

function planGiven(options: GivenReservoirOptions): NetworkPlan<ReservoirFacts> {
  const checked = checkOptions(givenSchema, options, 'Reservoir');
  const { state } = checked;
  const weights = madeWeights(checked.weights, checked);
  const resolved = resolvePrecision(checked.dtype, checked.precision, dtypeOfMatrix(weights.recurrent));
  const { dtype, precision, narrow } = resolved;
  const topology = isCsr(weights.recurrent) ? 'sparse' : checked.topology;
  if (narrow && topology !== 'dense') throw rangeError(`'dense' with precision '${precision}'`, 'topology', topology);
  const { units, inputs } = sizesOf(weights);
  const leak = ratesOf(checked.leak, units, dtype);
  const stored = { sparse: topology === 'sparse', precision };
  const region: NativeRegionSpec = {
    ...{ units, law: 'leaky', rate: leak, segments: segmentsOf(checked.activation, units) },
    recurrent: operatorOf(weights.recurrent, dtype, 'weights.recurrent', stored),
    input: operatorOf(weights.input, dtype, 'weights.input'),
    ...{ bias: biasOf(weights.bias, units, dtype), seed: 0, stream: 0 },
  };
  return plan(dtype, oneRegion(inputs, region), { topology, precision, leak, spectralRadius: null }, state);
}

function plan(
  dtype: FloatDtype,
  spec: NetworkPlan['spec'],
  facts: ReservoirFacts,
  state: Floats | undefined,
): NetworkPlan<ReservoirFacts> {
  return { kind: 'Reservoir', dtype, spec, facts, owner: 'this reservoir', own: { data: state } };
}

/**
 * The leaky echo state reservoir.
 *
 *     x(t+1) = (1 - leak) x(t) + leak f(W x(t) + W_in u(t+1) + b)          f `activation`, tanh by default (activation.ts)
 *
 * Shapes: W is units x units, W_in units x inputs, b units; a series is steps x inputs, its states steps x units.
 *
 * Drawn weights: W is U(-1, 1) where the topology leaves a place, scaled to `spectralRadius` (to 1e-3; exactly for
 * cycle, permutation and hadamard); W_in is U(-1, 1) inputScaling, dense; b is U(-1, 1) biasScaling. The same seed gives the same weights on every
 * platform (docs/random.md). Topologies:
 *
 * - dense: every place
 * - sparse: `density` of each row, at random (CSR, the same in-degree in each row)
 * - block-sparse: `density` of each row; `blockRows` (8 or 16) consecutive rows share their columns, which makes it some
 *   ten times faster than sparse at the same density
 * - cycle: W[i, i-1] = spectralRadius, everything else 0
 * - permutation: one spectralRadius in each row and each column, at random
 * - hadamard: W = spectralRadius n^(-3/2) H D1 H D2 H D3 with Walsh-Hadamard matrices H and random signs D, as good as a
 *   dense random orthogonal matrix at n log n operations and no memory for weights; units must be a power of two
 *
 * Given weights are used as they are, dense or as csr(...); topology 'sparse' stores the non-zeros of a dense W only.
 *
 * `precision` is that of W as it is stored: 'f32' and 'f64' that of the states (`dtype`), 'bf16' (relative error 2^-9 a
 * weight) and 'int8' (a scale for each row; error of a weight up to 1/254 of the largest in its row) for dense and
 * block-sparse W with f32 states, two and four times fewer bytes to read a step. Drawn weights are scaled first and then rounded.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option, RangeError ERR_DTESN_SHAPE for weights that do not
 * fit each other, RangeError ERR_DTESN_MEMORY for weights beyond the memory there is.
 * Source: Jaeger (2001), GMD report 148; Jaeger et al. (2007), Neural Networks 20(3); cycle: Rodan & Tino (2011);
 * permutation: Boedecker et al. (2009); hadamard: Dong et al. (2020), NeurIPS 33.
 */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { type FloatDtype, type Floats, floats, type NativeRegionSpec } from '../native/index.js';
import { checkMemory, isCsr, type Matrix, matrix } from '../numeric/index.js';
import { activationSchema, segmentsOf } from './activation.js';
import { biasOf, biasSchema, dtypeOfMatrix, matrixSchema, operatorOf, sizesOf } from './given-weights.js';
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

const drawnSchema = z.object({
  units: unitsSchema.describe(unitsText),
  ...regionShape,
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  precision: precisionSchema,
  leak: leakSchema.default(1).describe(leakText),
  activation: activationSchema,
  spectralRadius: spectralRadiusSchema.default(0.9).describe(spectralRadiusText),
});

const givenSchema = z.object({
  weights: z
    .strictObject({ recurrent: matrixSchema, input: matrixSchema, bias: biasSchema.optional() })
    .describe('an object { recurrent, input, bias? } of matrices'),
  leak: leakSchema.default(1).describe(leakText),
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  precision: precisionSchema,
  activation: activationSchema,
  topology: z.enum(['dense', 'sparse']).default('dense').describe("'dense' or 'sparse'"),
  state: regionShape.state,
});

/** Weights to draw. `units` and `inputs` are required; see the file's head for the defaults. */
export type DrawnReservoirOptions = z.input<typeof drawnSchema>;
/** Weights to use as they are. */
export type GivenReservoirOptions = z.input<typeof givenSchema>;
export type ReservoirOptions = DrawnReservoirOptions | GivenReservoirOptions;

export interface ReservoirWeights {
  recurrent: Matrix;
  input: Matrix;
  bias: Floats;
}

interface Facts {
  topology: Topology;
  precision: Precision;
  leak: Floats;
  spectralRadius: number | null;
}

export class Reservoir extends Network<Facts> {
  constructor(options: ReservoirOptions) {
    super(planOf(options as ReservoirOptions | ClaimedNetwork, planReservoir));
  }

  get units(): number {
    return this.stateSize;
  }

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

  /** The one asked for; null where weights were given (spectralRadius(reservoir.weights().recurrent) measures it). */
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
export function regionWeights({ native, stateSize, inputs, dtype }: Network): ReservoirWeights {
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

function planReservoir(options: ReservoirOptions): NetworkPlan<Facts> {
  const isGiven = typeof options === 'object' && options !== null && 'weights' in options;
  return isGiven ? planGiven(options as GivenReservoirOptions) : planDrawn(options as DrawnReservoirOptions);
}

function planDrawn(options: DrawnReservoirOptions): NetworkPlan<Facts> {
  const checked = checkOptions(drawnSchema, options, 'Reservoir');
  const { units, inputs, spectralRadius, inputScaling, biasScaling, seed, state } = checked;
  const { dtype, precision } = resolvePrecision(checked.dtype, checked.precision, 'f32');
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

function planGiven(options: GivenReservoirOptions): NetworkPlan<Facts> {
  const checked = checkOptions(givenSchema, options, 'Reservoir');
  const { weights, state } = checked;
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
  facts: Facts,
  state: Floats | undefined,
): NetworkPlan<Facts> {
  return { kind: 'Reservoir', dtype, spec, facts, owner: 'this reservoir', own: { data: state } };
}

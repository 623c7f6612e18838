/**
 * The leaky echo state reservoir.
 *
 *     x(t+1) = (1 - leak) x(t) + leak tanh(W x(t) + W_in u(t+1) + b)
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
 * Given weights are used as they are; topology 'sparse' stores their non-zeros only.
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
import { checkOptions, describe, rangeError, shapeError } from '../errors/index.js';
import {
  addon,
  checkView,
  dtypeOf,
  type FloatDtype,
  type Floats,
  floats,
  type NativeReservoir,
} from '../native/index.js';
import { type Matrix, matrix } from './matrix.js';
import { checkMemory } from './memory.js';
import {
  isStructured,
  leakSchema,
  leakText,
  type Precision,
  precisionSchema,
  regionShape,
  resolvePrecision,
  resolveTopology,
  spectralRadiusSchema,
  spectralRadiusText,
  type Topology,
  unitsSchema,
  unitsText,
} from './options.js';
import { SeriesRunner } from './runner.js';

const drawnSchema = z.object({
  units: unitsSchema.describe(unitsText),
  ...regionShape,
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  precision: precisionSchema,
  leak: leakSchema.default(1).describe(leakText),
  spectralRadius: spectralRadiusSchema.default(0.9).describe(spectralRadiusText),
});

const aMatrix = 'a matrix {rows, cols, data}, as matrix(rows, cols, data) makes it';
const matrixSchema = z.custom<Matrix>(
  (value) => typeof value === 'object' && value !== null && 'data' in value,
  aMatrix,
);

const givenSchema = z.object({
  weights: z
    .strictObject({
      recurrent: matrixSchema,
      input: matrixSchema,
      bias: z.custom<ArrayLike<number>>((v) => Array.isArray(v) || ArrayBuffer.isView(v), 'an array').optional(),
    })
    .describe('an object { recurrent, input, bias? } of matrices'),
  leak: leakSchema.default(1).describe(leakText),
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  precision: precisionSchema,
  activation: z.enum(['tanh', 'identity']).default('tanh').describe("'tanh' or 'identity'"),
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

interface Plan {
  units: number;
  inputs: number;
  dtype: FloatDtype;
  precision: Precision;
  topology: Topology;
  leak: Floats;
  state: Floats | undefined;
  spectralRadius: number | null;
  spec: object;
}

export class Reservoir extends SeriesRunner {
  readonly topology: Topology;
  /** What W is stored in. */
  readonly precision: Precision;
  /** One leak a unit. */
  readonly leak: Floats;
  /** The one asked for; null where weights were given (spectralRadius(reservoir.weights().recurrent) measures it). */
  readonly spectralRadius: number | null;
  protected readonly machine: NativeReservoir<Floats>;
  protected readonly owner = 'this reservoir';

  constructor(options: ReservoirOptions) {
    const isGiven = typeof options === 'object' && options !== null && 'weights' in options;
    const plan = isGiven ? planGiven(options as GivenReservoirOptions) : planDrawn(options as DrawnReservoirOptions);
    super(plan.units, plan.inputs, plan.dtype, plan.state);
    this.topology = plan.topology;
    this.precision = plan.precision;
    this.leak = plan.leak;
    this.spectralRadius = plan.spectralRadius;
    const Native = (plan.dtype === 'f32' ? addon.Reservoir32 : addon.Reservoir64) as new (
      spec: object,
      leak: Floats,
      state: Floats,
    ) => NativeReservoir<Floats>;
    this.machine = new Native(plan.spec, plan.leak, this.state);
  }

  /** Copies of W (units x units), W_in (units x inputs) and b (units), dense and row-major. */
  weights(): ReservoirWeights {
    this.checkIdle();
    checkMemory(this.units * this.units * this.leak.BYTES_PER_ELEMENT, 'a dense copy of the weights');
    const recurrent = matrix(this.units, this.units, floats(this.dtype, this.units * this.units));
    const input = matrix(this.units, this.inputs, floats(this.dtype, this.units * this.inputs));
    const bias = floats(this.dtype, this.units);
    this.machine.weights(recurrent.data, input.data, bias);
    return { recurrent, input, bias };
  }
}

function planDrawn(options: DrawnReservoirOptions): Plan {
  const checked = checkOptions(drawnSchema, options, 'Reservoir');
  const { units, inputs, spectralRadius } = checked;
  const { dtype, precision, narrow } = resolvePrecision(checked.dtype, checked.precision, 'f32');
  const { topology, density } = resolveTopology(units, checked.topology, checked.density);
  if (narrow && topology !== 'dense' && topology !== 'block-sparse') {
    throw rangeError(`'dense' or 'block-sparse' with precision '${precision}'`, 'topology', topology);
  }
  const degree = isStructured(topology) ? 0 : Math.max(1, Math.round(density * units));
  checkMemory(units * (degree + inputs) * (dtype === 'f32' ? 4 : 8), `${units} units with ${degree} weights each`);
  const { inputScaling, biasScaling, blockRows, seed } = checked;
  const spec = {
    units,
    inputs,
    spectralRadius,
    inputScaling,
    biasScaling,
    topology,
    density,
    blockRows,
    precision,
    seed,
    stream: 0,
  };
  const leak = leakOf(checked.leak, units, dtype);
  return { units, inputs, dtype, precision, topology, leak, state: checked.state, spectralRadius, spec };
}

function planGiven(options: GivenReservoirOptions): Plan {
  const checked = checkOptions(givenSchema, options, 'Reservoir');
  const { weights, activation, topology, state } = checked;
  const given = checkWeights(weights.recurrent, 'weights.recurrent');
  const { dtype, precision, narrow } = resolvePrecision(checked.dtype, checked.precision, dtypeOf(given.data));
  if (narrow && topology !== 'dense') throw rangeError(`'dense' with precision '${precision}'`, 'topology', topology);
  const units = given.rows;
  if (units < 1 || given.cols !== units) {
    throw shapeError('weights.recurrent to be square', `${given.rows} x ${given.cols}`);
  }
  const input = checkWeights(weights.input, 'weights.input');
  if (input.rows !== units || input.cols < 1) {
    throw shapeError(
      `weights.input with ${units} rows (units) and a column for each input`,
      `${input.rows} x ${input.cols}`,
    );
  }
  const bias = weights.bias && asDtype(weights.bias, dtype, 'weights.bias');
  if (bias && bias.length !== units) throw shapeError(`weights.bias with ${units} elements (units)`, bias.length);
  const spec = {
    units,
    inputs: input.cols,
    recurrent: asDtype(given.data, dtype, 'weights.recurrent'),
    input: asDtype(input.data, dtype, 'weights.input'),
    bias,
    topology,
    precision,
    activation,
  };
  const leak = leakOf(checked.leak, units, dtype);
  return { units, inputs: input.cols, dtype, precision, topology, leak, state, spectralRadius: null, spec };
}

function checkWeights(value: Matrix, argument: string): Matrix {
  const data = checkView(value.data, `${argument}.data`, ['Float32Array', 'Float64Array']);
  if (!Number.isInteger(value.rows) || !Number.isInteger(value.cols) || data.length !== value.rows * value.cols) {
    throw shapeError(`${argument} with ${describe(value.rows)} x ${describe(value.cols)} elements`, data.length);
  }
  return value;
}

function asDtype(values: ArrayLike<number>, dtype: FloatDtype, argument: string): Floats {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw rangeError('finite numbers', `${argument} (element ${i})`, values[i]);
  }
  if (values instanceof Float32Array && dtype === 'f32') return values;
  if (values instanceof Float64Array && dtype === 'f64') return values;
  const copy = floats(dtype, values.length);
  copy.set(values);
  return copy;
}

/** One leak a unit, from a number or from as many numbers. */
export function leakOf(leak: number | ArrayLike<number>, units: number, dtype: FloatDtype): Floats {
  const values = floats(dtype, units);
  if (typeof leak === 'number') return values.fill(leak) as Floats;
  if (leak.length !== units) throw shapeError(`leak with ${units} elements (units)`, leak.length);
  values.set(leak);
  return values;
}

/** Weights that are drawn independently: every place of the matrix, or a fixed number in each row. */
import { z } from 'zod';
import { checkOptions, checkWhole, DtesnError, rangeError, shapeError } from '../errors/index.js';
import { type CsrMatrix, checkMemory, type Matrix64, spectralRadius } from '../numeric/index.js';
import type { RandomNumbers } from '../random/index.js';
import { finite, type Initializer, type InitialWeights, number, randomOf, share, zeros } from './initializer.js';

/** What all drawn weights take. */
export interface DrawnWeightsOptions {
  /** Weights in each row, at random columns: the result is then sparse. Default: every column, dense. */
  degree?: number | undefined;
  /** Radius that a W is scaled to: the largest modulus of its eigenvalues, above 0. Default: as drawn. */
  spectralRadius?: number | undefined;
}

const shape = {
  degree: z.int().min(1).optional().describe('a whole number, 1 or more'),
  spectralRadius: z.number().gt(0).optional().describe('a number above 0'),
};

/** Options of uniform: bounds of the weights. */
export interface UniformOptions extends DrawnWeightsOptions {
  /** The least weight. Default -1. */
  low?: number | undefined;
  /** What weights stay below. Default 1. */
  high?: number | undefined;
}

const uniformSchema = z.object({ ...shape, low: number(-1), high: number(1) });

/**
 * Uniform weights: w ~ U[low, high).
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; of the initializer for sizes that are no whole numbers and weights
 * that are not finite, DtesnError ERR_DTESN_MEMORY for weights that do not fit, RangeError ERR_DTESN_SHAPE where a radius is asked of a matrix that is not square, DtesnError ERR_DTESN_CONVERGENCE where its radius is 0.
 * Source: Jaeger (2001), GMD report 148; `degree`: Lukoševičius (2012), section 3.2.
 */
export function uniform(options: UniformOptions = {}): Initializer {
  const { low, high, ...checked } = checkOptions(uniformSchema, options, 'uniform');
  if (!(high > low)) throw rangeError(`a number above ${low} (low)`, 'high', high);
  return drawnFrom(checked, (random) => random.uniform(low, high));
}

/** Options of normal: mean and deviation of the weights. */
export interface NormalOptions extends DrawnWeightsOptions {
  /** Mean of the weights. Default 0. */
  mean?: number | undefined;
  /** Standard deviation of the weights, above 0. Default 1. */
  deviation?: number | undefined;
}

const normalSchema = z.object({
  ...shape,
  mean: number(0),
  deviation: z.number().gt(0).default(1).describe('a number above 0'),
});

/**
 * Normal weights: w ~ N(mean, deviation²).
 *
 * Errors: as uniform's.
 * Source: Lukoševičius (2012), "A practical guide to applying echo state networks", section 3.2.
 */
export function normal(options: NormalOptions = {}): Initializer {
  const { mean, deviation, ...checked } = checkOptions(normalSchema, options, 'normal');
  return drawnFrom(checked, (random) => mean + deviation * random.normal());
}

/** Options of bernoulli: the size and the probability of its signs. */
export interface BernoulliOptions extends DrawnWeightsOptions {
  /** v: each weight is v or -v. Default 1. */
  weight?: number | undefined;
  /** Probability of v, in [0, 1]. Default 0.5. */
  probability?: number | undefined;
}

const bernoulliSchema = z.object({ ...shape, weight: number(1), probability: share(0.5) });

/**
 * Signs: w = v with the probability p, else -v.
 *
 * Errors: as uniform's.
 * Source: Jaeger (2001), "Short term memory in echo state networks", GMD report 152.
 */
export function bernoulli(options: BernoulliOptions = {}): Initializer {
  const { weight, probability, ...checked } = checkOptions(bernoulliSchema, options, 'bernoulli');
  return drawnFrom(checked, (random) => (random.unit() < probability ? weight : -weight));
}

interface Drawn {
  degree?: number | undefined;
  spectralRadius?: number | undefined;
}

function drawnFrom({ degree, spectralRadius: radius }: Drawn, draw: (random: RandomNumbers) => number): Initializer {
  return (rows, cols, seed = 0) => {
    const random = randomOf(seed);
    const weights =
      degree === undefined ? dense(rows, cols, () => draw(random)) : sparse(rows, cols, degree, random, draw);
    if (radius !== undefined) scaleTo(finite(weights), radius);
    return finite(weights);
  };
}

function dense(rows: number, cols: number, draw: () => number): Matrix64 {
  const weights = zeros(rows, cols);
  for (let i = 0; i < weights.data.length; i++) weights.data[i] = draw();
  return weights;
}

/** Each row draws its columns first, then its weights. */
function sparse(
  rows: number,
  cols: number,
  degree: number,
  random: RandomNumbers,
  draw: (random: RandomNumbers) => number,
): CsrMatrix {
  checkWhole(rows, 'rows', 1);
  checkWhole(cols, 'cols', 1);
  if (degree > cols) throw rangeError(`at most ${cols} (columns)`, 'degree', degree);
  checkMemory(12 * rows * degree, `${rows} x ${degree} sparse weights`);
  const columns = new Uint32Array(rows * degree);
  const values = new Float64Array(rows * degree);
  for (let i = 0; i < rows; i++) {
    columns.set(random.distinct(degree, cols), i * degree);
    for (let k = 0; k < degree; k++) values[i * degree + k] = draw(random);
  }
  const offsets = Uint32Array.from({ length: rows + 1 }, (_, i) => i * degree);
  return { rows, cols, offsets, columns, values };
}

/** Scales a W to a spectral radius, in place. */
export function scaleTo(weights: InitialWeights, radius: number): void {
  const { rows, cols } = weights;
  if (rows !== cols)
    throw shapeError('as many rows as columns where a spectralRadius is asked for', `${rows} x ${cols}`);
  const measured = spectralRadius('data' in weights ? weights : filled(weights));
  if (measured === 0) {
    throw new DtesnError(
      'ERR_DTESN_CONVERGENCE',
      'Expected weights with a spectral radius above 0 but it is 0: have more weights that are not 0, or another seed',
    );
  }
  const values = 'data' in weights ? weights.data : weights.values;
  for (let i = 0; i < values.length; i++) values[i]! *= radius / measured;
}

function filled({ rows, cols, offsets, columns, values }: CsrMatrix): Matrix64 {
  const weights = zeros(rows, cols);
  for (let i = 0; i < rows; i++) {
    for (let k = offsets[i]!; k < offsets[i + 1]!; k++) weights.data[i * cols + columns[k]!] = values[k]!;
  }
  return weights;
}

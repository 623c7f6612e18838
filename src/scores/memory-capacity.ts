/** Short-term memory and information processing capacity of networks. */
import { z } from 'zod';
import { checkOptions, rangeError, shapeError } from '../errors/index.js';
import type { Network } from '../network/index.js';
import { type Matrix, matrix } from '../numeric/index.js';
import { RandomNumbers } from '../random/index.js';
import { Ridge } from '../readout/index.js';
import { mean, variance } from './series-pair.js';

const measureShape = {
  washout: z.int().min(0).default(200).describe('a whole number, 0 or more'),
  amplitude: z.number().gt(0).default(0.8).describe('a number above 0'),
  ridge: z.number().min(0).default(1e-10).describe('a number, 0 or more'),
  seed: z.int().min(0).default(0).describe('a whole number from 0 to 9007199254740991'),
};

/** Options of measurements with a random input. */
export interface MeasureOptions {
  /** First steps that are left out. Default 200. */
  washout?: number | undefined;
  /** The input is uniform on [-amplitude, amplitude). Default 0.8. */
  amplitude?: number | undefined;
  /** λ of the readout. Default 1e-10. */
  ridge?: number | undefined;
  /** Seed of the input. Default 0. */
  seed?: number | undefined;
}

const memorySchema = z.object({
  ...measureShape,
  delays: z.int().min(1).max(10_000).optional().describe('a whole number from 1 to 10000'),
  steps: z.int().min(10).default(5000).describe('a whole number, 10 or more'),
  testSteps: z.int().min(10).default(1000).describe('a whole number, 10 or more'),
});

/** Options of memoryCapacity: delays, rows and input of the measurement. */
export interface MemoryCapacityOptions extends MeasureOptions {
  /** The longest delay that is recalled. Default: twice the features of the network, at most 10,000. */
  delays?: number | undefined;
  /** Rows that are trained on. Default 5000. */
  steps?: number | undefined;
  /** Rows after them, on which the recall is measured. Default 1000. */
  testSteps?: number | undefined;
}

/** What a network remembers. */
export interface MemoryCapacity {
  /** Σ over the delays. */
  readonly total: number;
  /** MC_k of the delays 1, 2, ... */
  readonly byDelay: Float64Array;
}

/**
 * Short-term memory capacity: how much of its input a network can recall.
 *
 *     MC = Σ_{k ≥ 1} r²(u(t - k), y_k(t))          u ~ U[-amplitude, amplitude), y_k a readout trained to recall u(t - k)
 *
 * r is the correlation on rows that were not trained on. MC is at most the number of features of a network; a delay that is not recalled
 * adds about 1/testSteps by chance. The network's own state does not change.
 *
 * Errors: RangeError ERR_DTESN_SHAPE for a network with more than one input; TypeError or RangeError ERR_DTESN_ARGUMENT for an option.
 * Source: Jaeger (2002), "Short term memory in echo state networks", GMD report 152.
 */
export function memoryCapacity(network: Network, options: MemoryCapacityOptions = {}): MemoryCapacity {
  const checked = checkOptions(memorySchema, options, 'memoryCapacity');
  const { steps, testSteps, washout, ridge } = checked;
  const delays = checked.delays ?? Math.min(10_000, 2 * network.featureSize);
  const first = Math.max(washout, delays);
  const { input, features } = driven(network, first + steps + testSteps, checked);
  const recalled = (from: number, rows: number): Matrix => {
    const data = new Float64Array(rows * delays);
    for (let t = 0; t < rows; t++) {
      for (let k = 1; k <= delays; k++) data[t * delays + k - 1] = input[from + t - k]!;
    }
    return { rows, cols: delays, data };
  };
  const readout = trained(rowsFrom(features, first, steps), recalled(first, steps), ridge);
  const outputs = readout(rowsFrom(features, first + steps, testSteps));
  const wanted = recalled(first + steps, testSteps);
  const byDelay = Float64Array.from(
    { length: delays },
    (_, k) => correlation(columnOf(wanted, k), columnOf(outputs, k)) ** 2,
  );
  return { total: byDelay.reduce((sum, one) => sum + one, 0), byDelay };
}

const capacitySchema = z.object({
  ...measureShape,
  delays: z
    .array(z.int().min(0).max(10_000))
    .min(1)
    .default([50, 20, 10])
    .describe('an array of whole numbers from 0 to 10000'),
  steps: z.int().min(10).default(10_000).describe('a whole number, 10 or more'),
});

/** Options of informationProcessingCapacity: delays of each degree, rows and input of the measurement. */
export interface InformationProcessingCapacityOptions extends MeasureOptions {
  /** For each degree from 1 on, how many of the last inputs its functions read: 0 leaves it out. Default [50, 20, 10]. */
  delays?: readonly number[] | undefined;
  /** Rows that are measured on. Default 10,000. */
  steps?: number | undefined;
}

/** What a network computes of its inputs. */
export interface InformationProcessingCapacity {
  /** Σ over all functions; at most the number of features. */
  readonly total: number;
  /** Σ over the functions of each degree: the first one is the linear memory. */
  readonly byDegree: Float64Array;
  /** How many functions were tried. */
  readonly functions: number;
}

/** Targets of one regression. */
const CHUNK = 256;
const MOST_FUNCTIONS = 100_000;

/**
 * Information processing capacity: which functions of its last inputs a network has computed, by degree.
 *
 *     C[z] = 1 - min_w mean (z - w' x)² / mean z²          z = Π_k P_{d_k}(u(t - k) / amplitude), Σ d_k the degree
 *
 * P_d are Legendre polynomials, so that the functions are orthogonal and their capacities add up to at most the number of features. Those
 * below (N + 4 √(2N)) / steps, which N features reach by chance, count as 0. The network's own state does not change.
 *
 * Errors: as memoryCapacity's; RangeError ERR_DTESN_ARGUMENT for delays with more than 100,000 functions.
 * Source: Dambre, Verstraeten, Schrauwen & Massar (2012), "Information processing capacity of dynamical systems", Scientific Reports 2.
 */
export function informationProcessingCapacity(
  network: Network,
  options: InformationProcessingCapacityOptions = {},
): InformationProcessingCapacity {
  const checked = checkOptions(capacitySchema, options, 'informationProcessingCapacity');
  const { delays, steps, washout, ridge, amplitude } = checked;
  const functions = delays.reduce((sum, count, i) => sum + productCount(i + 1, count), 0);
  if (functions > MOST_FUNCTIONS) throw rangeError(`at most ${MOST_FUNCTIONS} functions`, 'delays', functions);
  const terms = delays.flatMap((count, i) => productsOf(i + 1, count).map((powers) => ({ degree: i + 1, powers })));
  const first = Math.max(washout, ...delays);
  const { input, features } = driven(network, first + steps, checked);
  const polynomials = legendre(
    input.map((u) => u / amplitude),
    delays.length,
  );
  const states = rowsFrom(features, first, steps);
  const n = features.cols;
  const chance = (n + 4 * Math.sqrt(2 * n)) / steps;
  const byDegree = new Float64Array(delays.length);
  for (let at = 0; at < terms.length; at += CHUNK) {
    const some = terms.slice(at, at + CHUNK);
    const targets = matrix(steps, some.length, new Float64Array(steps * some.length).fill(1));
    some.forEach(({ powers }, k) => {
      for (const [delay, power] of powers) {
        for (let t = 0; t < steps; t++) targets.data[t * some.length + k]! *= polynomials[power]![first + t - delay]!;
      }
    });
    const outputs = trained(states, targets, ridge)(states);
    some.forEach(({ degree }, k) => {
      const wanted = columnOf(targets, k);
      const errors = columnOf(outputs, k).map((y, t) => (y - wanted[t]!) ** 2);
      const capacity = 1 - mean(errors) / variance(wanted);
      if (capacity > chance) byDegree[degree - 1]! += capacity;
    });
  }
  return { total: byDegree.reduce((sum, one) => sum + one, 0), byDegree, functions };
}

/** A random input and the features of each step. */
function driven(network: Network, steps: number, { amplitude, seed }: { amplitude: number; seed: number }) {
  if (network.inputs !== 1) throw shapeError('a network with 1 input', `${network.inputs}`);
  const random = new RandomNumbers(seed, 'score');
  const input = Float64Array.from({ length: steps }, () => random.uniform(-amplitude, amplitude));
  const state = network.createState();
  try {
    return { input, features: network.run(input, { state }) };
  } finally {
    state.close();
  }
}

function trained(states: Matrix, targets: Matrix, ridge: number): (rows: Matrix) => Matrix {
  const sums = new Ridge({ states: states.cols, outputs: targets.cols, ridge });
  try {
    const readout = sums.add(states, targets).solve();
    return (rows) => readout.apply(rows);
  } finally {
    sums.close();
  }
}

function rowsFrom({ cols, data }: Matrix, from: number, rows: number): Matrix {
  return { rows, cols, data: data.subarray(from * cols, (from + rows) * cols) };
}

function columnOf({ rows, cols, data }: Matrix, k: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, t) => data[t * cols + k]!);
}

/** 0 where one of them is constant. */
function correlation(a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((x, i) => (x - meanA) * (b[i]! - meanB)));
  const product = variance(a) * variance(b);
  return product === 0 ? 0 : covariance / Math.sqrt(product);
}

/** How many ways productsOf lists: the binomial C(delays + degree - 1, degree), 0 without delays. */
function productCount(degree: number, delays: number): number {
  if (delays === 0) return 0;
  let count = 1;
  for (let k = 1; k <= Math.min(degree, delays - 1); k++) count = (count * (delays + degree - k)) / k;
  return count;
}

/** All ways to spread a degree over so many delays: lists of [delay, power]. */
function productsOf(degree: number, delays: number, from = 0): [delay: number, power: number][][] {
  if (degree === 0) return [[]];
  const products: [number, number][][] = [];
  for (let delay = from; delay < delays; delay++) {
    for (let power = 1; power <= degree; power++) {
      for (const rest of productsOf(degree - power, delays, delay + 1)) products.push([[delay, power], ...rest]);
    }
  }
  return products;
}

/** P_0 ... P_d of each number, by Bonnet's recursion. */
function legendre(x: Float64Array, degree: number): Float64Array[] {
  const polynomials = [new Float64Array(x.length).fill(1), x];
  for (let d = 1; d < degree; d++) {
    const [before, last] = [polynomials[d - 1]!, polynomials[d]!];
    polynomials.push(x.map((u, i) => ((2 * d + 1) * u * last[i]! - d * before[i]!) / (d + 1)));
  }
  return polynomials;
}

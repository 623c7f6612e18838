/** How many directions of state space a network uses for different inputs. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { type Floats, floats } from '../native/index.js';
import type { Network } from '../network/index.js';
import { asMatrix, type Matrix, type SeriesInput, singularValues } from '../numeric/index.js';
import { RandomNumbers } from '../random/index.js';

const rankShape = {
  streams: z.int().min(2).max(2000).optional().describe('a whole number from 2 to 2000'),
  steps: z.int().min(1).default(50).describe('a whole number, 1 or more'),
  tolerance: z.number().gt(0).lt(1).optional().describe('a number in (0, 1)'),
  seed: z.int().min(0).default(0).describe('a whole number from 0 to 9007199254740991'),
};
const kernelSchema = z.object(rankShape);
const generalisationSchema = z.object({
  ...rankShape,
  common: z.int().min(1).default(10).describe('a whole number, 1 or more'),
});

/** Options of kernelRank: how many streams of which length, and what counts as zero. */
export interface KernelRankOptions {
  /** Input streams, uniform on [-1, 1), 2 to 2000. Default: the features of the network, at most 500. */
  streams?: number | undefined;
  /** Steps of each stream. Default 50. */
  steps?: number | undefined;
  /** Singular values above this share of the largest count. Default: rounding, 1e-6 (f32) or 1e-12 (f64). */
  tolerance?: number | undefined;
  /** Seed of the streams. Default 0. */
  seed?: number | undefined;
}

/** Options of generalisationRank: streams, and the steps that they share. */
export interface GeneralisationRankOptions extends KernelRankOptions {
  /** Last steps that all streams share, at most `steps`. Default 10. */
  common?: number | undefined;
}

/**
 * Kernel rank: the rank of the features that a network ends in after different random input streams. High: it tells inputs apart.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: Legenstein & Maass (2007), "Edge of chaos and prediction of computational performance", Neural Networks 20(3).
 */
export function kernelRank(network: Network, options: KernelRankOptions = {}): number {
  return rankAfter(network, { ...checkOptions(kernelSchema, options, 'kernelRank'), common: 0 });
}

/**
 * Generalisation rank: the rank of the features after streams whose last `common` steps are the same. Low: it forgets, and similar
 * inputs end alike. A network does well where the kernel rank is high and this one is low.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: Legenstein & Maass (2007), Neural Networks 20(3); Büsing, Schrauwen & Legenstein (2010), Neural Computation 22(5).
 */
export function generalisationRank(network: Network, options: GeneralisationRankOptions = {}): number {
  const checked = checkOptions(generalisationSchema, options, 'generalisationRank');
  if (checked.common > checked.steps) throw rangeError(`at most ${checked.steps} (steps)`, 'common', checked.common);
  return rankAfter(network, checked);
}

/**
 * The numerical rank of a matrix: singular values above `tolerance` times the largest. Default 1e-12.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for numbers that are not finite or a tolerance outside (0, 1).
 */
export function matrixRank(rows: SeriesInput, options: { tolerance?: number | undefined } = {}): number {
  const { tolerance } = checkOptions(matrixRankSchema, options, 'matrixRank');
  return rankOf(asMatrix(rows, 'rows'), tolerance);
}

const matrixRankSchema = z.object({ tolerance: z.number().gt(0).lt(1).default(1e-12).describe('a number in (0, 1)') });

function rankOf(m: Matrix, tolerance: number): number {
  const values = singularValues(m);
  return values.filter((value) => value > tolerance * values[0]!).length;
}

interface Measured {
  streams?: number | undefined;
  steps: number;
  common: number;
  tolerance?: number | undefined;
  seed: number;
}

function rankAfter(network: Network, { steps, common, seed, ...given }: Measured): number {
  const streams = given.streams ?? Math.max(2, Math.min(500, network.featureSize));
  const random = new RandomNumbers(seed, 'score');
  const drawn = (rows: number) => Float64Array.from({ length: rows * network.inputs }, () => random.uniform(-1, 1));
  const shared = drawn(common);
  const series = Array.from({ length: streams }, () => {
    const data = Float64Array.from([...drawn(steps - common), ...shared]);
    return { rows: steps, cols: network.inputs, data };
  });
  const states = floats(network.dtype, streams * network.stateSize);
  network.runBatch(series, { out: null, states });
  const tolerance = given.tolerance ?? (network.dtype === 'f32' ? 1e-6 : 1e-12);
  return rankOf(featuresOfAll(network, states, streams), tolerance);
}

function featuresOfAll(network: Network, states: Floats, count: number): Matrix {
  const { stateSize, featureSize: cols } = network;
  const data = floats(network.dtype, count * cols);
  for (let i = 0; i < count; i++) {
    network.featuresOf(
      states.subarray(i * stateSize, (i + 1) * stateSize) as Floats,
      data.subarray(i * cols, (i + 1) * cols) as Floats,
    );
  }
  return { rows: count, cols, data };
}

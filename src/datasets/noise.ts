/** Independent random inputs. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { RandomNumbers } from '../random/index.js';
import { checkSteps, number, seed } from './options.js';

const optionsSchema = z.object({
  low: number(-1),
  high: number(1),
  features: z.int().min(1).max(1_000_000).default(1).describe('a whole number from 1 to 1000000'),
  seed: seed(),
});

/** Options of noise: bounds, width and seed of the numbers. */
export interface NoiseOptions {
  /** The least value. Default -1. */
  low?: number | undefined;
  /** What values stay below. Default 1. */
  high?: number | undefined;
  /** Numbers of each step. Default 1. */
  features?: number | undefined;
  /** Seed of the numbers. Default 0. */
  seed?: number | undefined;
}

/**
 * Independent uniform numbers: the input of measurements of memory and rank.
 *
 *     u(t) ~ U[low, high)
 *
 * Returns steps x features in f64.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: Jaeger (2002), "Short term memory in echo state networks", GMD report 152.
 */
export function noise(steps: number, options: NoiseOptions = {}): Matrix64 {
  const { low, high, features, seed } = checkOptions(optionsSchema, options, 'noise');
  if (!(high > low)) throw rangeError(`a number above ${low} (low)`, 'high', high);
  const random = new RandomNumbers(seed, 'dataset');
  const data = new Float64Array(checkSteps(steps, features) * features);
  for (let i = 0; i < data.length; i++) data[i] = random.uniform(low, high);
  return { rows: steps, cols: features, data };
}

/** Sums of sines. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { checkSteps } from './options.js';

const frequencies = [0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97];

const optionsSchema = z.object({
  sines: z.int().min(1).max(8).default(8).describe('a whole number from 1 to 8'),
});

/** Options of multipleSines: how many are added. */
export interface MultipleSinesOptions {
  /** How many sines are added, 1 to 8. Default 8. */
  sines?: number | undefined;
}

/**
 * Multiple superimposed oscillators (MSO2 to MSO8): a sum of sines whose frequencies have no common period.
 *
 *     x(t) = Σ_k sin(a_k t)          a = 0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97
 *
 * Returns steps x 1 in f64, from t = 0.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: Jaeger & Haas (2004), Science 304; the frequencies as in Gallicchio, Micheli & Pedrelli (2018), Neural Networks 108.
 */
export function multipleSines(steps: number, options: MultipleSinesOptions = {}): Matrix64 {
  const { sines } = checkOptions(optionsSchema, options, 'multipleSines');
  const data = new Float64Array(checkSteps(steps, 1));
  for (let t = 0; t < steps; t++) {
    for (let k = 0; k < sines; k++) data[t] = data[t]! + Math.sin(frequencies[k]! * t);
  }
  return { rows: steps, cols: 1, data };
}

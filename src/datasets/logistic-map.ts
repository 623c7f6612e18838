/** The logistic map. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { checkSteps, discard } from './options.js';

const optionsSchema = z.object({
  r: z.number().gt(0).lte(4).default(3.9).describe('a number in (0, 4]'),
  start: z.number().gt(0).lt(1).default(0.5).describe('a number in (0, 1)'),
  discard: discard(),
});

/** Options of logisticMap: the parameter r, and the first row. */
export interface LogisticMapOptions {
  /** r, in (0, 4]. Default 3.9. */
  r?: number | undefined;
  /** x of the first row, in (0, 1). Default 0.5. */
  start?: number | undefined;
  /** Rows that are computed and left out first. Default 0. */
  discard?: number | undefined;
}

/**
 * The logistic map.
 *
 *     x(t+1) = r x(t) (1 - x(t))
 *
 * Returns steps x 1 in f64.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: May (1976), "Simple mathematical models with very complicated dynamics", Nature 261.
 */
export function logisticMap(steps: number, options: LogisticMapOptions = {}): Matrix64 {
  const { r, start, discard } = checkOptions(optionsSchema, options, 'logisticMap');
  const data = new Float64Array(checkSteps(steps, 1));
  let x = start;
  for (let row = -discard; row < steps; row++) {
    if (row >= 0) data[row] = x;
    x = r * x * (1 - x);
  }
  return { rows: steps, cols: 1, data };
}

/** The Hénon map. */
import { z } from 'zod';
import { checkOptions, DtesnError } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { checkSteps, discard, number, point } from './options.js';

const optionsSchema = z.object({ a: number(1.4), b: number(0.3), start: point([0, 0]), discard: discard() });

/** Options of henon: parameters of the map, and its first row. */
export interface HenonOptions {
  /** a. Default 1.4. */
  a?: number | undefined;
  /** b. Default 0.3. */
  b?: number | undefined;
  /** x and y of the first row. Default [0, 0]. */
  start?: readonly number[] | undefined;
  /** Rows that are computed and left out first. Default 0. */
  discard?: number | undefined;
}

/**
 * The Hénon map.
 *
 *     x(t+1) = 1 - a x(t)² + y(t)      y(t+1) = b x(t)
 *
 * Returns steps x 2 in f64.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; DtesnError ERR_DTESN_DIVERGED.
 * Source: Hénon (1976), "A two-dimensional mapping with a strange attractor", Comm. Math. Physics 50.
 */
export function henon(steps: number, options: HenonOptions = {}): Matrix64 {
  const { a, b, start, discard } = checkOptions(optionsSchema, options, 'henon');
  const data = new Float64Array(2 * checkSteps(steps, 2));
  let [x = 0, y = 0] = start;
  for (let row = -discard; row < steps; row++) {
    if (!Number.isFinite(x) || !Number.isFinite(y))
      throw new DtesnError('ERR_DTESN_DIVERGED', `Expected an orbit of the Hénon map but it diverges at row ${row}`);
    if (row >= 0) data.set([x, y], 2 * row);
    [x, y] = [1 - a * (x * x) + y, b * x];
  }
  return { rows: steps, cols: 2, data };
}

/** Chen's double-scroll attractor. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { type FlowOptions, flowShape, sampled } from './flow.js';
import { number } from './options.js';

const optionsSchema = z.object({
  a: number(40),
  b: number(3),
  c: number(28),
  ...flowShape(0.01, [-0.1, 0.5, -0.6]),
});

/** Options of multiscroll. Defaults of FlowOptions: dt 0.01, start [-0.1, 0.5, -0.6]. */
export interface MultiscrollOptions extends FlowOptions {
  /** a. Default 40. */
  a?: number | undefined;
  /** b. Default 3. */
  b?: number | undefined;
  /** c. Default 28. */
  c?: number | undefined;
}

/**
 * Chen's attractor, of two scrolls.
 *
 *     x' = a (y - x)      y' = (c - a) x - x z + c y      z' = x y - b z
 *
 * Returns steps x 3 in f64: x, y and z every `dt`.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; DtesnError ERR_DTESN_DIVERGED.
 * Source: Chen & Ueta (1999), "Yet another chaotic attractor", Int. J. Bifurcation and Chaos 9(7).
 */
export function multiscroll(steps: number, options: MultiscrollOptions = {}): Matrix64 {
  const checked = checkOptions(optionsSchema, options, 'multiscroll');
  const { a, b, c } = checked;
  return sampled(
    (at, slope) => {
      const [x, y, z] = [at[0]!, at[1]!, at[2]!];
      slope[0] = a * (y - x);
      slope[1] = (c - a) * x - x * z + c * y;
      slope[2] = x * y - b * z;
    },
    steps,
    checked,
  );
}

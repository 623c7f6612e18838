/** The Rössler system. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { type FlowOptions, flowShape, sampled } from './flow.js';
import { number } from './options.js';

const optionsSchema = z.object({
  a: number(0.2),
  b: number(0.2),
  c: number(5.7),
  ...flowShape(0.1, [-0.1, 0, 0.02]),
});

/** Options of rossler. Defaults of FlowOptions: dt 0.1, start [-0.1, 0, 0.02]. */
export interface RosslerOptions extends FlowOptions {
  /** a. Default 0.2. */
  a?: number | undefined;
  /** b. Default 0.2. */
  b?: number | undefined;
  /** c. Default 5.7. */
  c?: number | undefined;
}

/**
 * The Rössler system.
 *
 *     x' = -y - z      y' = x + a y      z' = b + z (x - c)
 *
 * Returns steps x 3 in f64: x, y and z every `dt`. Largest Lyapunov exponent with the default parameters: 0.0714.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; DtesnError ERR_DTESN_DIVERGED.
 * Source: Rössler (1976), "An equation for continuous chaos", Physics Letters A 57(5).
 */
export function rossler(steps: number, options: RosslerOptions = {}): Matrix64 {
  const checked = checkOptions(optionsSchema, options, 'rossler');
  const { a, b, c } = checked;
  return sampled(
    (at, slope) => {
      const [x, y, z] = [at[0]!, at[1]!, at[2]!];
      slope[0] = -y - z;
      slope[1] = x + a * y;
      slope[2] = b + z * (x - c);
    },
    steps,
    checked,
  );
}

/** The Lorenz system. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { type FlowOptions, flowShape, sampled } from './flow.js';
import { number } from './options.js';

const optionsSchema = z.object({
  sigma: number(10),
  rho: number(28),
  beta: number(8 / 3),
  ...flowShape(0.02, [1, 1, 1]),
});

/** Options of lorenz. Defaults of FlowOptions: dt 0.02, start [1, 1, 1]. */
export interface LorenzOptions extends FlowOptions {
  /** σ. Default 10. */
  sigma?: number | undefined;
  /** ρ. Default 28. */
  rho?: number | undefined;
  /** β. Default 8/3. */
  beta?: number | undefined;
}

/**
 * The Lorenz system.
 *
 *     x' = σ (y - x)      y' = x (ρ - z) - y      z' = x y - β z
 *
 * Returns steps x 3 in f64: x, y and z every `dt`. Largest Lyapunov exponent with the default parameters: 0.9056.
 * Integrated to rounding (error at t = 10: below 1e-9).
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; DtesnError ERR_DTESN_DIVERGED.
 * Source: Lorenz (1963), "Deterministic nonperiodic flow", J. Atmospheric Sciences 20.
 */
export function lorenz(steps: number, options: LorenzOptions = {}): Matrix64 {
  const checked = checkOptions(optionsSchema, options, 'lorenz');
  const { sigma, rho, beta } = checked;
  return sampled(
    (at, slope) => {
      const [x, y, z] = [at[0]!, at[1]!, at[2]!];
      slope[0] = sigma * (y - x);
      slope[1] = x * (rho - z) - y;
      slope[2] = x * y - beta * z;
    },
    steps,
    checked,
  );
}

/** The Rabinovich-Fabrikant system. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { type FlowOptions, flowShape, sampled } from './flow.js';
import { number } from './options.js';

const optionsSchema = z.object({
  alpha: number(1.1),
  gamma: number(0.89),
  ...flowShape(0.05, [-1, 0, 0.5]),
});

/** Options of rabinovichFabrikant. Defaults of FlowOptions: dt 0.05, start [-1, 0, 0.5]. */
export interface RabinovichFabrikantOptions extends FlowOptions {
  /** α. Default 1.1. */
  alpha?: number | undefined;
  /** γ. Default 0.89. */
  gamma?: number | undefined;
}

/**
 * The Rabinovich-Fabrikant system.
 *
 *     x' = y (z - 1 + x²) + γ x      y' = x (3 z + 1 - x²) + γ y      z' = -2 z (α + x y)
 *
 * Returns steps x 3 in f64: x, y and z every `dt`.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; DtesnError ERR_DTESN_DIVERGED: many starts do.
 * Source: Rabinovich & Fabrikant (1979), "Stochastic self-modulation of waves in nonequilibrium media", Sov. Phys. JETP 50(2).
 */
export function rabinovichFabrikant(steps: number, options: RabinovichFabrikantOptions = {}): Matrix64 {
  const checked = checkOptions(optionsSchema, options, 'rabinovichFabrikant');
  const { alpha, gamma } = checked;
  return sampled(
    (at, slope) => {
      const [x, y, z] = [at[0]!, at[1]!, at[2]!];
      slope[0] = y * (z - 1 + x * x) + gamma * x;
      slope[1] = x * (3 * z + 1 - x * x) + gamma * y;
      slope[2] = -2 * z * (alpha + x * y);
    },
    steps,
    checked,
  );
}

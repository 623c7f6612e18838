/** The double-scroll electronic circuit. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { type FlowOptions, flowShape, sampled } from './flow.js';
import { number, positive } from './options.js';

const optionsSchema = z.object({
  r1: positive(1.2),
  r2: positive(3.44),
  r4: number(0.193),
  ir: number(4.5e-5),
  beta: number(11.6),
  ...flowShape(0.25, [0.37926545, 0.058339, -0.08167691]),
});

/** Options of doubleScroll. Defaults of FlowOptions: dt 0.25, start [0.37926545, 0.058339, -0.08167691]. */
export interface DoubleScrollOptions extends FlowOptions {
  /** R1. Default 1.2. */
  r1?: number | undefined;
  /** R2. Default 3.44. */
  r2?: number | undefined;
  /** R4. Default 0.193. */
  r4?: number | undefined;
  /** Factor of sinh: 2 I_r of the paper, whose I_r is 2.25e-5. Default 4.5e-5. */
  ir?: number | undefined;
  /** β. Default 11.6. */
  beta?: number | undefined;
}

/**
 * The double-scroll electronic circuit, without dimensions.
 *
 *     V1' = V1/R1 - g      V2' = g - I      I' = V2 - R4 I      g = ΔV/R2 + ir sinh(β ΔV),   ΔV = V1 - V2
 *
 * Returns steps x 3 in f64: V1, V2 and I every `dt`. Largest Lyapunov time: about 7.8.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; DtesnError ERR_DTESN_DIVERGED.
 * Source: Chang, Socolar & Gauthier; as in Gauthier, Bollt, Griffith & Barbosa (2021), "Next generation reservoir computing",
 * Nature Communications 12.
 */
export function doubleScroll(steps: number, options: DoubleScrollOptions = {}): Matrix64 {
  const checked = checkOptions(optionsSchema, options, 'doubleScroll');
  const { r1, r2, r4, ir, beta } = checked;
  return sampled(
    (at, slope) => {
      const [v1, v2, current] = [at[0]!, at[1]!, at[2]!];
      const difference = v1 - v2;
      const g = difference / r2 + ir * Math.sinh(beta * difference);
      slope[0] = v1 / r1 - g;
      slope[1] = g - current;
      slope[2] = v2 - r4 * current;
    },
    steps,
    checked,
  );
}

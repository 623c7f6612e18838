/** The Lorenz-96 model. */
import { z } from 'zod';
import { checkOptions, shapeError } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import type { FlowOptions } from './flow.js';
import { sampled } from './flow.js';
import { discard, number, positive } from './options.js';

const optionsSchema = z.object({
  sites: z.int().min(4).max(100_000).default(36).describe('a whole number from 4 to 100000'),
  forcing: number(8),
  dt: positive(0.01),
  start: z.array(z.number()).optional().describe('an array of as many finite numbers as sites'),
  discard: discard(),
});

/** Options of lorenz96. Defaults of FlowOptions: dt 0.01, start F everywhere but F + 0.01 at the first site. */
export interface Lorenz96Options extends FlowOptions {
  /** N: sites on the ring, 4 or more. Default 36. */
  sites?: number | undefined;
  /** F. Default 8. */
  forcing?: number | undefined;
}

/**
 * The Lorenz-96 model, on a ring of N sites.
 *
 *     x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F
 *
 * Returns steps x sites in f64, a row every `dt`.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; RangeError ERR_DTESN_SHAPE for a start of another length.
 * Source: Lorenz (1996), "Predictability: a problem partly solved", ECMWF seminar on predictability.
 */
export function lorenz96(steps: number, options: Lorenz96Options = {}): Matrix64 {
  const { sites, forcing, ...checked } = checkOptions(optionsSchema, options, 'lorenz96');
  const start = checked.start ?? Array.from({ length: sites }, (_, i) => (i === 0 ? forcing + 0.01 : forcing));
  if (start.length !== sites) throw shapeError(`start with ${sites} elements (sites)`, start.length);
  return sampled(
    (x, slope) => {
      for (let i = 0; i < sites; i++) {
        const [before, next] = [x[(i + sites - 1) % sites]!, x[(i + 1) % sites]!];
        slope[i] = (next - x[(i + sites - 2) % sites]!) * before - x[i]! + forcing;
      }
    },
    steps,
    { ...checked, start },
  );
}

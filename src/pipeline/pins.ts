/**
 * Settings that a caller pins, so that they depend neither on the load of this host nor on the quality of the sources:
 * the same input and seed then give the same features on a loaded host and on an idle one.
 */
import { z } from 'zod';
import { standardisation } from './high-quality.js';
import type { ProcessingPipelines } from './schema.js';
import type { PlanTarget } from './target.js';

const number = z
  .union([z.int().min(1), z.literal('all')])
  .optional()
  .describe("a whole number, 1 or more, or 'all'");

export const pinsSchema = z.object({
  threads: number,
  membranes: number,
  standardise: z.boolean().optional().describe('true or false'),
});

/**
 * Settings that a caller pins, so that they depend neither on the load of this host nor on the quality of the sources:
 * the same input and seed then give the same features on a loaded host and on an idle one.
 *
 *     threads       series of a batch that run at the same time; 'all': every core
 *     membranes     membranes that are computed, the first ones in level order; 'all': every one
 *     standardise   whether features are standardised
 *
 * Settings left out stay as planned. A pin overrides every pipeline and every limit; sequential processing still runs
 * on one thread. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export interface PlanPins {
  /** Series of a batch that run at the same time, or every core. Default: as planned. */
  threads?: number | 'all' | undefined;
  /** Membranes that are computed, the first ones in level order, or every one. Default: as planned. */
  membranes?: number | 'all' | undefined;
  /** Whether features are standardised. Default: as planned. */
  standardise?: boolean | undefined;
}

/** The plan with the pins applied; the same where nothing is pinned. */
export function pinPlan(
  plan: ProcessingPipelines,
  { threads, membranes, standardise }: PlanPins,
  target: Pick<PlanTarget, 'cores' | 'membranes'>,
): ProcessingPipelines {
  const least = (most: number, pin: number | 'all') => (pin === 'all' ? most : Math.min(most, pin));
  const settings = {
    ...(threads !== undefined && { threads: least(target.cores, threads) }),
    ...(membranes !== undefined && { active_membranes: least(target.membranes, membranes) }),
  };
  if (Object.keys(settings).length === 0 && standardise === undefined) return plan;
  return {
    ...plan,
    pinned: { ...plan.pinned, ...settings },
    ...(standardise !== undefined && {
      high_quality_optimizations: standardisation(standardise, `pinned to ${standardise} by the option plan`),
    }),
  };
}

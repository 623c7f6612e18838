/**
 * Load that is expected, as a forecast hands it over: the plan counts it beside the load that was measured (load.ts).
 *
 *     waiting > running        more requests will wait than run now: high whatever the baseline
 *     KV usage > 0.95          the engine is about to queue or preempt: high whatever the baseline
 *
 * The bounds are those that no baseline of load.ts exceeds, so an engine that always has a short queue is not called loaded for
 * a short queue that is expected. What is not expected to be high changes nothing: load that was measured stays.
 */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import type { PerformanceSource } from '../sources/index.js';
import { MOST_KV } from './load.js';
import type { Aggregation } from './schema.js';

/** What the load of an engine will be, by a forecast. */
export interface ExpectedLoad {
  /** How far ahead, in seconds, above 0. Required. */
  seconds: number;
  /** Requests that will wait, 0 or more; null: not known. Default null. */
  waiting?: number | null | undefined;
  /** Share of the KV memory that will be in use, 0 to 1; null: not known. Default null. */
  kvUsage?: number | null | undefined;
}

export const expectedLoadSchema = z.strictObject({
  seconds: z.number().positive().max(86_400).describe('seconds above 0, at most 86400'),
  waiting: z.number().min(0).nullable().default(null).describe('a number, 0 or more, or null'),
  kvUsage: z.number().min(0).max(1).nullable().default(null).describe('a number from 0 to 1, or null'),
});

/**
 * The aggregation by which is planned when load is expected: high load is detected where the expected one is high, with the
 * reason. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a field of `expected`.
 */
export function withExpectedLoad(
  aggregation: Aggregation,
  expected: ExpectedLoad,
  { running }: Pick<PerformanceSource, 'running'>,
): Aggregation {
  const { seconds, waiting, kvUsage } = checkOptions(expectedLoadSchema, expected, 'expectedLoad');
  const reasons = [];
  if (waiting !== null && waiting > (running ?? 0)) {
    reasons.push(`in ${seconds} s ${Math.round(waiting)} requests are expected to wait in the engine's queue`);
  }
  if (kvUsage !== null && kvUsage > MOST_KV) {
    reasons.push(`in ${seconds} s the engine's KV memory is expected to be ${Math.round(kvUsage * 100)} % full`);
  }
  if (reasons.length === 0) return aggregation;
  const { optimization_hints: hints } = aggregation;
  const high_load_reasons = [...hints.high_load_reasons, ...reasons];
  return { ...aggregation, optimization_hints: { ...hints, high_load_detected: true, high_load_reasons } };
}

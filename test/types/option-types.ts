/** The documented interfaces of options are what their schemas take, in both directions; `npm run lint` compiles this. */
import type { z } from 'zod';
import type { QualityGateOptions, qualityGateOptionsSchema } from '../../src/aggregation/index.js';
import type {
  configOptionsSchema,
  DtesnConfig,
  DtesnConfigInput,
  DtesnConfigOptions,
  DtesnResult,
  DtesnResultJson,
  dtesnResultSchema,
  ProcessorOptions,
  processorOptionsSchema,
} from '../../src/processor/index.js';

/** A compile error unless each is assignable to the other and both have the same keys. */
type Same<A extends B, B extends C, C = A> = [keyof A, keyof B] extends [keyof B, keyof A] ? true : never;

export const checks: [
  Same<z.input<typeof processorOptionsSchema>, ProcessorOptions>,
  Same<z.input<typeof configOptionsSchema>, DtesnConfigOptions>,
  Same<z.input<typeof qualityGateOptionsSchema>, QualityGateOptions>,
  Same<z.output<typeof dtesnResultSchema>, DtesnResultJson>,
] = [true, true, true, true];

// @ts-expect-error an option less
export const less: Same<z.input<typeof processorOptionsSchema>, Omit<ProcessorOptions, 'engine'>> = true;
// @ts-expect-error an option more
export const more: Same<z.input<typeof processorOptionsSchema>, ProcessorOptions & { more?: 1 }> = true;

/** The names of 0.1 compile. */
export const olderConfig: DtesnConfigInput = { esn_reservoir_size: 64, max_membrane_depth: 2, units: 64 };
export const olderRead = (result: DtesnResult, config: DtesnConfig): number =>
  result.features.end_state.length + result.total_ms + config.esn_reservoir_size;

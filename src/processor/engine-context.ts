/** The engine context of one decision, which can be stored, sent and passed to later calls. */
import { z } from 'zod';
import { type Clock, systemClock, wallMs } from '../abort/index.js';
import { argumentError, rangeError, withOldNames } from '../errors/index.js';
import { type ExplainedPipeline, type MultiSourceData, multiSourceDataSchema } from '../pipeline/index.js';
import {
  type ModelConfigSource,
  modelConfigSchema,
  type PerformanceSource,
  performanceSchema,
  type SourceFetcher,
} from '../sources/index.js';

const CLOCKS_DIFFER_MS = 1000;

const originSchema = z.object({
  engine: z.string().nullable(),
  depth: z.int().positive(),
  units: z.int().positive(),
  inputs: z.int().positive(),
});

/** What a context was made for. */
export type ContextOrigin = z.infer<typeof originSchema>;

/**
 * The engine context of one decision, which can be stored, sent and passed to later calls.
 *
 *     engine_available    an engine is configured and at least one of its three sources answered
 *     engine_ready        as reported by the performance source; null where it is unknown
 *     model_config, performance_metrics    those sources of multi_source_data
 *     multi_source_data   the published format
 *     plan                the pipelines explained
 *     origin              the engine and the model that the context was made for
 *
 * `data`, the name of multi_source_data in dtesn 0.1, is readable in it and deprecated.
 *
 * A context is the caller's own copy: its flags and its order of pipelines may be changed. A given context is checked
 * at each use and used without a fetch. Its age is measured with the monotonic clock in the process that made it and
 * with wall time elsewhere. It is `old` when a source in it is past the maximum staleness that this processor gives it,
 * or when it is dated in the future, and `foreign` when it was made for another engine or model: the result names both.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a value that is not a context, naming the field.
 */
export interface EngineContext {
  engine_available: boolean;
  engine_ready: boolean | null;
  model_config: ModelConfigSource;
  performance_metrics: PerformanceSource;
  multi_source_data: MultiSourceData;
  plan: ExplainedPipeline[];
  origin: ContextOrigin;
}

/** The name of dtesn 0.1, readable for one more minor version; JSON does not have it. */
export interface DeprecatedContextData {
  /** @deprecated Use `multi_source_data`. */
  readonly data: MultiSourceData;
}

/** A context as fetchComprehensiveEngineContext() gives it. */
export interface FetchedContext extends EngineContext, DeprecatedContextData {}

const readable = withOldNames<DeprecatedContextData>({ data: 'multi_source_data' }, 'an engine context');

export const engineContextSchema = z
  .object({
    engine_available: z.boolean(),
    engine_ready: z.boolean().nullable(),
    model_config: modelConfigSchema,
    performance_metrics: performanceSchema,
    multi_source_data: multiSourceDataSchema,
    plan: z.array(z.looseObject({ name: z.string(), present: z.boolean() })),
    origin: originSchema,
  })
  .partial({
    model_config: true,
    performance_metrics: true,
    plan: true,
    engine_available: true,
    engine_ready: true,
    origin: true,
  })
  .loose();

/**
 * A context as a caller may pass it: decisions are taken from multi_source_data; a context without origin counts as
 * foreign.
 */
export type GivenContext = Pick<EngineContext, 'multi_source_data'> & Partial<Omit<EngineContext, 'multi_source_data'>>;

/** How an input used its context: where it came from, its age, and whether it was fresh. */
export interface ContextUse {
  /** Fetched, for this input or for one before it (`contextFreshMs`), or given by the caller. */
  origin: 'fetched' | 'given';
  ageMs: number;
  state: 'fresh' | 'old' | 'foreign';
  /** Why it is old or foreign; null for a fresh one. */
  note: string | null;
}

/** When a context was made here, in milliseconds of its clock. */
const made = new WeakMap<object, { clock: Clock; at: number }>();

export function engineContext(
  data: MultiSourceData,
  plan: ExplainedPipeline[],
  origin: ContextOrigin,
  clock: Clock = systemClock,
): FetchedContext {
  const { model_config, tokenizer, performance } = data.sources;
  const context = structuredClone({
    engine_available:
      origin.engine !== null && [model_config, tokenizer, performance].some(({ state }) => state !== 'error'),
    engine_ready: performance.engine_ready,
    model_config,
    performance_metrics: performance,
    multi_source_data: data,
    plan,
    origin,
  });
  made.set(context, { clock, at: clock.now() });
  return readable(context);
}

/** Whether the value is a context: options have no multi_source_data. */
export function isContext(given: object): given is GivenContext {
  return given !== null && ('multi_source_data' in given || 'data' in given);
}

/** Throws for a value that is not a context. */
export function checkContext(given: unknown): GivenContext {
  if (typeof given !== 'object' || given === null || !('multi_source_data' in given)) {
    throw argumentError('a context of fetchComprehensiveEngineContext()', 'context', given);
  }
  const result = engineContextSchema.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    const received = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], given);
    throw rangeError(
      `a context that matches its schema (${issue.message})`,
      ['context', ...issue.path].join('.'),
      received,
    );
  }
  return given as GivenContext;
}

/** The use of a given context by a processor: its age, and whether it is old or of another engine or model. */
export function useOf(context: GivenContext, here: ContextOrigin, freshness: SourceFetcher['freshness']): ContextUse {
  const ageMs = ageOf(context);
  const foreign = foreignness(context.origin, here);
  if (foreign !== null) return { origin: 'given', ageMs, state: 'foreign', note: foreign };
  const old = misdated(context) ?? outdated(context.multi_source_data, ageMs, freshness);
  return { origin: 'given', ageMs, state: old === null ? 'fresh' : 'old', note: old };
}

function ageOf(context: GivenContext): number {
  const here = made.get(context);
  if (here !== undefined) return here.clock.now() - here.at;
  return Math.max(0, wallMs() - 1000 * context.multi_source_data.timestamp);
}

function foreignness(origin: ContextOrigin | undefined, here: ContextOrigin): string | null {
  if (origin === undefined) return 'the context does not say which engine and model it was made for';
  const differing = (Object.keys(here) as (keyof ContextOrigin)[]).filter((key) => origin[key] !== here[key]);
  if (differing.length === 0) return null;
  return differing
    .map((key) => `the context was made for ${key} ${String(origin[key])}, this processor has ${String(here[key])}`)
    .join('; ');
}

/** Why its date does not give its age; clocks of two hosts may differ by a second. */
function misdated(context: GivenContext): string | null {
  const aheadMs = 1000 * context.multi_source_data.timestamp - wallMs();
  if (made.has(context) || aheadMs <= CLOCKS_DIFFER_MS) return null;
  return `it is dated ${(aheadMs / 1000).toFixed(1)} s in the future, so its age is unknown`;
}

function outdated({ sources }: MultiSourceData, ageMs: number, freshness: SourceFetcher['freshness']): string | null {
  const past = Object.entries(sources).flatMap(([name, { state, age_ms }]) => {
    if (!Object.hasOwn(freshness, name)) return [];
    const { maxStaleMs } = freshness[name]!;
    const age = age_ms + ageMs;
    if (state === 'error' || maxStaleMs === 0 || age <= maxStaleMs) return [];
    return [`${name} is ${(age / 1000).toFixed(1)} s old, more than ${maxStaleMs / 1000} s`];
  });
  return past.length === 0 ? null : past.join('; ');
}

/** The options of a SourceFetcher, checked: schema, defaults, and what they come to. See fetcher.ts. */
import { z } from 'zod';
import { type Clock, clockOption } from '../abort/index.js';
import { type Engine, type EngineSourceName, engineSourceNames } from '../engine/index.js';
import { argumentError, checkOptions, currentNames, rangeError } from '../errors/index.js';
import { type AdditionalSourceOptions, type DeclaredSource, declaredSources } from './additional-source.js';
import { chosenFreshness, type Freshness, type FreshnessOptions } from './freshness.js';
import { type SourceName, type SourceProviders, type SourceSet, sourceNames } from './types.js';

/** Another provider of what the main engine answers: a second address, a mirror of /metrics, files beside the server. */
export interface AlternativeEngine {
  /** [a-z][a-z0-9_-]*, at most 64 characters, none twice; 'engine' and 'disk' are taken. */
  name: string;
  engine: Engine;
  /** What it is asked for. Default: what it offers, or all three. */
  sources?: readonly EngineSourceName[] | undefined;
}

/** Options of SourceFetcher. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the option. */
export interface SourceFetcherOptions {
  /** Milliseconds for a whole fetch, in (0, 600,000]. Default 250. */
  deadlineMs?: number | undefined;
  /**
   * Milliseconds for each source, never more than the deadline. Default: three fifths of the deadline where the engine is on
   * this host, else all of it.
   */
  timeoutsMs?: { readonly [Name in SourceName]?: number | undefined } | undefined;
  /**
   * Name of 0.1; default: that of `timeoutsMs`.
   * @deprecated Use `timeoutsMs`.
   */
  timeouts?: { readonly [Name in SourceName]?: number | undefined } | undefined;
  /** What the processor says of itself. Default: nothing. */
  providers?: SourceProviders | undefined;
  /** Sources that the host declares, at most 64, fetched in the same round. Default: none. */
  sources?: readonly AdditionalSourceOptions[] | undefined;
  /** How long the answers of each source serve. Default: the table of `freshness`. */
  freshness?: FreshnessOptions | undefined;
  /** Further providers of what the engine answers, at most 16. Default: none. */
  alternatives?: readonly AlternativeEngine[] | undefined;
  /**
   * A folder where facts of model and tokenizer outlive the process (kept-facts.ts): what it holds is served as `stale` while
   * the engine is asked. Reading it may take the first fetch a fifth of the deadline more. Default: none.
   */
  keepIn?: string | undefined;
  /** What waits and ages are measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

/** An alternative, and what it is asked for. */
export interface ChosenAlternative {
  name: string;
  engine: Engine;
  sources: readonly EngineSourceName[];
}

export interface CheckedOptions {
  deadlineMs: number;
  timeoutMs: Record<SourceName, number>;
  providers: SourceProviders;
  declared: DeclaredSource[];
  freshness: Record<SourceName, Freshness>;
  alternatives: ChosenAlternative[];
  keepIn: string | null;
  clock: Clock;
}

const milliseconds = z.number().positive().max(600_000);
const isFunction = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function').optional();
export const optionsSchema = z.object({
  deadlineMs: milliseconds.default(250).describe('milliseconds in (0, 600000]'),
  timeoutsMs: z
    .strictObject(Object.fromEntries(sourceNames.map((name) => [name, milliseconds.optional()])))
    .default({})
    .describe('milliseconds in (0, 600000] by source name'),
  providers: z
    .strictObject({ processingState: isFunction, resources: isFunction })
    .default({})
    .describe('functions processingState and resources'),
  sources: z.array(z.unknown()).max(64).default([]).describe('an array of at most 64 additional sources'),
  freshness: z.record(z.string(), z.unknown()).default({}).describe('freshMs, maxStaleMs and retryMs by source name'),
  alternatives: z.array(z.unknown()).max(16).default([]).describe('an array of at most 16 providers'),
  keepIn: z.string().min(1).optional().describe('the path of a folder'),
  clock: clockOption,
});

const alternativeSchema = z.object({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,63}$/)
    .describe('a name of a-z, 0-9, _ and - that begins with a letter, at most 64 characters,'),
  engine: z.custom<Engine>(isEngine).describe('an Engine'),
  sources: z
    .array(z.enum(engineSourceNames))
    .min(1)
    .optional()
    .describe(`some of ${engineSourceNames.join(', ')}`),
});

const oldNames = { timeouts: 'timeoutsMs' };

const localShare = 0.6;

export function checkedOptions(engine: Engine | null, options: SourceFetcherOptions): CheckedOptions {
  if (engine !== null && !isEngine(engine)) throw argumentError('an Engine or null', 'engine', engine);
  const checked = checkOptions(optionsSchema, currentNames(options, oldNames, 'SourceFetcher'), 'SourceFetcher');
  const { deadlineMs, timeoutsMs } = checked;
  const defaultLimit = deadlineMs * (engine === null || isLocal(engine) ? localShare : 1);
  const limits = sourceNames.map((name) => [name, Math.min(timeoutsMs[name] ?? defaultLimit, deadlineMs)]);
  return {
    deadlineMs,
    timeoutMs: Object.fromEntries(limits) as Record<SourceName, number>,
    providers: checked.providers as SourceProviders,
    declared: declaredSources(checked.sources, deadlineMs),
    freshness: chosenFreshness(checked.freshness),
    alternatives: checkedAlternatives(checked.alternatives),
    keepIn: checked.keepIn ?? null,
    clock: checked.clock,
  };
}

function checkedAlternatives(given: readonly unknown[]): ChosenAlternative[] {
  const taken = ['engine', 'disk'];
  return given.map((options, index) => {
    const { name, engine, sources } = checkOptions(alternativeSchema, options, `alternatives[${index}]`);
    if (taken.includes(name))
      throw rangeError('a name that no other provider has', `alternatives[${index}].name`, name);
    taken.push(name);
    return { name, engine, sources: sources ?? engine.offers ?? engineSourceNames };
  });
}

function isEngine(value: unknown): value is Engine {
  return typeof (value as Partial<Engine> | null | undefined)?.models === 'function';
}

function isLocal(engine: Engine): boolean {
  return /https?:\/\/(localhost|127\.[\d.]+|\[::1\])(?=[:/]|$)| on unix:/.test(engine.label);
}

export const subscriptionSchema = z.object({
  intervalMs: z.number().min(10).max(3_600_000).default(1000).describe('milliseconds in [10, 3600000]'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  onError: z
    .custom<(error: unknown) => void>((value) => typeof value === 'function')
    .optional()
    .describe('a function'),
});

/** Options of SourceFetcher.subscribe: the interval, a signal, and where errors of the listener go. */
export interface SubscribeOptions {
  /** Milliseconds between two fetches, in [10, 3,600,000]. Default 1000. */
  intervalMs?: number | undefined;
  /** Ends the subscription. Default: none. */
  signal?: AbortSignal | undefined;
  /** Called with the first error of the listener. Default: a warning of the process. */
  onError?: ((error: unknown) => void) | undefined;
}

/** Receives each set of sources of a subscription; what it returns is awaited, and its errors stop nothing. */
export type SourceListener = (set: SourceSet) => unknown;

export function checkedSubscription(listener: SourceListener, options: SubscribeOptions) {
  if (typeof listener !== 'function') throw argumentError('a function', 'listener', listener);
  return checkOptions(subscriptionSchema, options, 'subscribe');
}

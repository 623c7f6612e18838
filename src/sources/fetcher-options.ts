/** The options of a SourceFetcher, checked: schema, defaults, and what they come to. See fetcher.ts. */
import { z } from 'zod';
import { type Engine, type EngineSourceName, engineSourceNames } from '../engine/index.js';
import { argumentError, checkOptions, rangeError } from '../errors/index.js';
import { type AdditionalSourceOptions, type DeclaredSource, declaredSources } from './additional-source.js';
import { chosenFreshness, type Freshness, type FreshnessOptions } from './freshness.js';
import { type SourceName, type SourceProviders, type SourceSet, sourceNames } from './types.js';

/** Another provider of what the main engine answers: a second address, a mirror of /metrics, files beside the server. */
export interface AlternativeEngine {
  name: string;
  engine: Engine;
  /** What it is asked for; what it offers when left out, or all three. */
  sources?: readonly EngineSourceName[];
}

export interface SourceFetcherOptions {
  deadlineMs?: number;
  timeouts?: Partial<Record<SourceName, number>>;
  providers?: SourceProviders;
  sources?: readonly AdditionalSourceOptions[];
  freshness?: FreshnessOptions;
  alternatives?: readonly AlternativeEngine[];
  keepIn?: string;
}

export interface CheckedOptions {
  deadlineMs: number;
  timeoutMs: Record<SourceName, number>;
  providers: SourceProviders;
  declared: DeclaredSource[];
  freshness: Record<SourceName, Freshness>;
  alternatives: Required<AlternativeEngine>[];
  keepIn: string | null;
}

const milliseconds = z.number().positive().max(600_000);
const isFunction = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function').optional();
const optionsSchema = z.object({
  deadlineMs: milliseconds.default(250).describe('milliseconds in (0, 600000]'),
  timeouts: z
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

const localShare = 0.6;

export function checkedOptions(engine: Engine | null, options: SourceFetcherOptions): CheckedOptions {
  if (engine !== null && !isEngine(engine)) throw argumentError('an Engine or null', 'engine', engine);
  const checked = checkOptions(optionsSchema, options, 'SourceFetcher');
  const { deadlineMs, timeouts } = checked;
  const usual = deadlineMs * (engine === null || isLocal(engine) ? localShare : 1);
  const limits = sourceNames.map((name) => [name, Math.min(timeouts[name] ?? usual, deadlineMs)]);
  return {
    deadlineMs,
    timeoutMs: Object.fromEntries(limits) as Record<SourceName, number>,
    providers: checked.providers as SourceProviders,
    declared: declaredSources(checked.sources, deadlineMs),
    freshness: chosenFreshness(checked.freshness),
    alternatives: checkedAlternatives(checked.alternatives),
    keepIn: checked.keepIn ?? null,
  };
}

function checkedAlternatives(given: readonly unknown[]): Required<AlternativeEngine>[] {
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

const subscriptionSchema = z.object({
  intervalMs: z.number().min(10).max(3_600_000).default(1000).describe('milliseconds in [10, 3600000]'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  onError: z
    .custom<(error: unknown) => void>((value) => typeof value === 'function')
    .optional()
    .describe('a function'),
});
export type SubscribeOptions = z.input<typeof subscriptionSchema>;
export type SourceListener = (set: SourceSet) => unknown;

export function checkedSubscription(listener: SourceListener, options: SubscribeOptions) {
  if (typeof listener !== 'function') throw argumentError('a function', 'listener', listener);
  return checkOptions(subscriptionSchema, options, 'subscribe');
}

/** A source that a host declares and fetches itself, in the same round and under the same deadline as the five. */
import { z } from 'zod';
import { systemClock, untilAborted, wallMs } from '../abort/index.js';
import type { Engine } from '../engine/index.js';
import { argumentError, checkOptions, DtesnError, describe, rangeError } from '../errors/index.js';
import { additionalFreshness, additionalFreshnessOf, type Freshness, type FreshnessOfSource } from './freshness.js';
import { failure, type SourceOptions, underLimit } from './observation.js';
import { type PlainObject, plainObject } from './plain-json.js';
import { type AdditionalSource, sourceNames } from './types.js';

/** What checks data as a zod schema does. */
export interface DataSchema {
  safeParse(data: unknown): { success: boolean; data?: unknown; error?: unknown };
}

/**
 * A source that a host declares and fetches itself, in the same round and under the same deadline as the five.
 *
 * The data is a frozen copy (plain-json.ts). Whatever goes wrong is a record with state 'error' and the source's name in
 * `error`: ERR_DTESN_SOURCE_TIMEOUT, ERR_DTESN_SOURCE_INVALID for what is not as declared, or the code of what was thrown.
 */
export interface AdditionalSourceOptions extends FreshnessOfSource {
  /** Name of the source, unique and none of the five: [a-z][a-z0-9_]*, at most 64 characters. Required. */
  name: string;
  /**
   * Returns, or resolves to, a plain object of JSON. `signal` aborts at the time limit and on close; `engine` is the fetcher's
   * main engine behind its guard, or null. Required.
   */
  fetch: (signal: AbortSignal, engine: Engine | null) => unknown;
  /** Milliseconds for one fetch, never more than the deadline; one that does not heed its signal costs no more. Default: the deadline. */
  timeoutMs?: number | undefined;
  /**
   * What has safeParse as zod does, and answers at once; what it makes of the data is what is kept. Default: no check.
   */
  schema?: DataSchema | undefined;
  /** Weight in the graded quality, in [0, 1]. Default 1. */
  weight?: number | undefined;
  /** Keys of the data that are limits: a finite number that is not negative, or null. Default: none. */
  constraints?: readonly string[] | undefined;
  /** Keys of the data that are advice: a boolean, or null. Default: none. */
  hints?: readonly string[] | undefined;
}

/** The options with every default, checked. */
export interface DeclaredSource {
  name: string;
  fetch: AdditionalSourceOptions['fetch'];
  freshness: Freshness;
  timeoutMs: number;
  schema: DataSchema | null;
  weight: number;
  constraints: readonly string[];
  hints: readonly string[];
}

const expectedName = 'a name of a-z, 0-9 and _ that begins with a letter, at most 64 characters,';
const names = z.array(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/)).default([]);
const optionsSchema = z.object({
  name: z.string().describe(expectedName),
  fetch: z.custom<AdditionalSourceOptions['fetch']>((value) => typeof value === 'function').describe('a function'),
  ...additionalFreshness,
  timeoutMs: z.number().positive().max(600_000).optional().describe('milliseconds in (0, 600000]'),
  schema: z.custom<DataSchema>(hasSafeParse).optional().describe('a schema with safeParse'),
  weight: z.number().min(0).max(1).default(1).describe('a number in [0, 1]'),
  constraints: names.describe('an array of keys of a-z, 0-9 and _'),
  hints: names.describe('an array of keys of a-z, 0-9 and _'),
});

/** The declared sources in their order. */
export function declaredSources(given: readonly unknown[], deadlineMs: number): DeclaredSource[] {
  const declared: DeclaredSource[] = [];
  for (const [index, options] of given.entries()) {
    const owner = `sources[${index}]`;
    if (typeof options !== 'object' || options === null) throw argumentError('an object', owner, options);
    const { name } = options as { name?: unknown };
    if (typeof name !== 'string') throw argumentError(expectedName, `${owner}.name`, name);
    const taken = [...sourceNames, ...declared.map((source) => source.name)];
    if (taken.includes(name)) throw rangeError('a name that no other source has', `${owner}.name`, name);
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(name) || name in {}) throw rangeError(expectedName, `${owner}.name`, name);
    declared.push(declare(options, `source ${name}`, deadlineMs));
  }
  return declared;
}

function declare(options: object, owner: string, deadlineMs: number): DeclaredSource {
  const {
    name,
    fetch,
    schema = null,
    weight,
    constraints,
    hints,
    ...said
  } = checkOptions(optionsSchema, options, owner);
  const twice = hints.find((key) => constraints.includes(key));
  if (twice !== undefined) throw rangeError('keys that are not also constraints', `hints of ${owner}`, twice);
  const timeoutMs = Math.min(said.timeoutMs ?? deadlineMs, deadlineMs);
  const freshness = additionalFreshnessOf(said, owner);
  return { name, fetch, freshness, timeoutMs, schema, weight, constraints, hints };
}

export async function fetchAdditionalSource(
  source: DeclaredSource,
  engine: Engine | null,
  { timeoutMs = source.timeoutMs, signal, clock = systemClock }: SourceOptions,
): Promise<AdditionalSource> {
  const start = clock.now();
  const said = (outcome: Pick<AdditionalSource, 'data' | 'state' | 'unknown' | 'constraints' | 'hints'> & object) => {
    const now = wallMs() / 1000;
    const times = { latency_ms: clock.now() - start, age_ms: 0, fetch_timestamp: now, fresh_until: now };
    return { ...outcome, source_type: source.name, ...times, cache: 'miss' as const, weight: source.weight };
  };
  try {
    return await underLimit(source.name, "the host's fetch", { timeoutMs, signal, clock }, async (limit) => {
      // A turn later: a fetch that reads the sources again finds this question under way. It may throw, too.
      const answered = Promise.resolve().then(() => source.fetch(limit, engine));
      const data = checkedData(source, await untilAborted(limit, answered));
      const unknown = Object.keys(data).filter((key) => data[key] === null);
      return said({ data, state: 'ok', unknown, ...contributions(source, data) });
    });
  } catch (error) {
    signal?.throwIfAborted();
    const nothing = { data: null, state: 'error' as const, unknown: [], constraints: {}, hints: {} };
    const { error: why, error_code } = failure(error);
    const named = error_code === 'ERR_DTESN_SOURCE_TIMEOUT' ? why : `${source.name} source: ${why}`;
    return said({ ...nothing, ...{ error: named, error_code } });
  }
}

function checkedData({ schema }: DeclaredSource, answer: unknown): PlainObject {
  if (schema === null) return plainObject(answer);
  const checked = schema.safeParse(answer);
  if (checked?.success === true) return plainObject(checked.data);
  throw invalid(`the schema rejects the data: ${refusal(checked?.error)}`);
}

/** The first issue of a zod error, or what the error says. */
function refusal(error: unknown): string {
  const { issues } = (error ?? {}) as { issues?: { path?: PropertyKey[]; message?: string }[] };
  const first = Array.isArray(issues) ? issues[0] : undefined;
  if (first === undefined) return failure(error).error;
  return `${(first.path ?? []).map(String).join('.') || 'data'}: ${first.message}`;
}

/** What the data has of the keys that were declared. */
function contributions(source: DeclaredSource, data: PlainObject): Pick<AdditionalSource, 'constraints' | 'hints'> {
  const isLimit = (value: unknown): value is number => typeof value === 'number' && value >= 0;
  const isAdvice = (value: unknown): value is boolean => typeof value === 'boolean';
  return {
    constraints: declaredKeys(data, source.constraints, isLimit, 'a number that is not negative, or null,'),
    hints: declaredKeys(data, source.hints, isAdvice, 'a boolean or null'),
  };
}

function declaredKeys<T>(
  data: PlainObject,
  keys: readonly string[],
  accept: (value: unknown) => value is T,
  expected: string,
): Record<string, T | null> {
  const present = keys.filter((key) => Object.hasOwn(data, key));
  const entries = present.map((key) => {
    const value = data[key];
    if (value !== null && !accept(value))
      throw invalid(`Expected ${expected} for ${key} but received ${describe(value)}`);
    return [key, value] as const;
  });
  return Object.fromEntries(entries);
}

function invalid(message: string): DtesnError {
  return new DtesnError('ERR_DTESN_SOURCE_INVALID', message);
}

function hasSafeParse(value: unknown): boolean {
  return typeof (value as Partial<DataSchema> | null | undefined)?.safeParse === 'function';
}

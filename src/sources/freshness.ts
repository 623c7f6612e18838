/** How long an answer of a source serves, in milliseconds of the monotonic clock. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { type SourceName, sourceNames } from './types.js';

/**
 * How long an answer of a source serves, in milliseconds of the monotonic clock.
 *
 *     age <= fresh                  served as it is
 *     fresh < age <= max stale      served at once as `stale`, and refetched in the background
 *     age > max stale, or no answer refetched, and waited for
 *
 * A failure is remembered for `retry`, so that retries cannot overload a failing engine. Gauges mislead when they are old:
 * performance is served 10 s at most by default, and 60 s whatever the option says. What the processor says of itself is
 * not kept unless the option asks for it.
 *
 *     source            fresh     at most   max stale   at most   retry   at most
 *     model_config      5 min     24 h      24 h        7 d       1 s     1 min
 *     tokenizer         10 min    24 h      24 h        7 d       1 s     1 min
 *     performance       0.5 s     10 s      10 s        60 s      0.5 s   1 min
 *     processing_state  0         10 s      0           60 s      0       1 min
 *     resources         2 s       60 s      30 s        10 min    0       1 min
 *     additional        1 s       24 h      fresh x 10  7 d       1 s     1 min
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT for what is out of bounds, or a maxStaleMs below freshMs.
 */
export interface Freshness {
  /** Milliseconds for which an answer is served as it is. Default: see Freshness. */
  freshMs: number;
  /**
   * Age in milliseconds up to which it is served at once and refetched in the background. At least freshMs.
   * Default: see Freshness.
   */
  maxStaleMs: number;
  /** Milliseconds for which a failure is remembered. Default: see Freshness. */
  retryMs: number;
}

/** Some of it; what is left out is as `freshness` says. */
export type FreshnessOfSource = { [Key in keyof Freshness]?: Freshness[Key] | undefined };

/** Of one or more sources; what is left out is as `freshness` says. */
export interface FreshnessOptions {
  /** Default 5 min, 24 h and 1 s; at most 24 h, 7 d and 1 min. */
  model_config?: FreshnessOfSource | undefined;
  /** Default 10 min, 24 h and 1 s; at most 24 h, 7 d and 1 min. */
  tokenizer?: FreshnessOfSource | undefined;
  /** Default 0.5 s, 10 s and 0.5 s; at most 10 s, 1 min and 1 min: gauges mislead when they are old. */
  performance?: FreshnessOfSource | undefined;
  /** Default 0, 0 and 0; at most 10 s, 1 min and 1 min. */
  processing_state?: FreshnessOfSource | undefined;
  /** Default 2 s, 30 s and 0; at most 1 min, 10 min and 1 min. */
  resources?: FreshnessOfSource | undefined;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export const freshness: Readonly<Record<SourceName, Freshness>> = {
  model_config: { freshMs: 5 * minute, maxStaleMs: day, retryMs: second },
  tokenizer: { freshMs: 10 * minute, maxStaleMs: day, retryMs: second },
  performance: { freshMs: second / 2, maxStaleMs: 10 * second, retryMs: second / 2 },
  processing_state: { freshMs: 0, maxStaleMs: 0, retryMs: 0 },
  resources: { freshMs: 2 * second, maxStaleMs: 30 * second, retryMs: 0 },
};

const lasting = { freshMs: day, maxStaleMs: 7 * day, retryMs: minute };
const bounds: Readonly<Record<SourceName, Freshness>> = {
  model_config: lasting,
  tokenizer: lasting,
  performance: { freshMs: 10 * second, maxStaleMs: minute, retryMs: minute },
  processing_state: { freshMs: 10 * second, maxStaleMs: minute, retryMs: minute },
  resources: { freshMs: minute, maxStaleMs: 10 * minute, retryMs: minute },
};

/** The options `freshMs`, `maxStaleMs` and `retryMs` within bounds, for a schema. */
function boundedBy({ freshMs, maxStaleMs, retryMs }: Freshness) {
  const within = (most: number) => z.number().min(0).max(most).optional().describe(`milliseconds in [0, ${most}]`);
  return { freshMs: within(freshMs), maxStaleMs: within(maxStaleMs), retryMs: within(retryMs) };
}

export const additionalFreshness = boundedBy(lasting);

/** The freshness of all five, some of it as the options say. */
export function chosenFreshness(options: Record<string, unknown>): Record<SourceName, Freshness> {
  const known = z.object(Object.fromEntries(sourceNames.map((name) => [name, z.unknown().optional()])) as never);
  const given = checkOptions(known, options, 'freshness') as Partial<Record<SourceName, unknown>>;
  const chosen = sourceNames.map((name) => {
    const said = checkOptions(z.object(boundedBy(bounds[name])), given[name] ?? {}, `freshness.${name}`);
    return [name, completed(said, freshness[name], `freshness.${name}`)] as const;
  });
  return Object.fromEntries(chosen) as Record<SourceName, Freshness>;
}

/** The freshness of an additional source. */
export function additionalFreshnessOf(said: FreshnessOfSource, owner: string): Freshness {
  const freshMs = said.freshMs ?? second;
  return completed(said, { freshMs, maxStaleMs: Math.min(10 * freshMs, lasting.maxStaleMs), retryMs: second }, owner);
}

function completed(said: FreshnessOfSource, defaults: Freshness, owner: string): Freshness {
  const freshMs = said.freshMs ?? defaults.freshMs;
  const maxStaleMs = said.maxStaleMs ?? Math.max(defaults.maxStaleMs, freshMs);
  if (maxStaleMs >= freshMs) return { freshMs, maxStaleMs, retryMs: said.retryMs ?? defaults.retryMs };
  throw rangeError(`at least freshMs, ${freshMs},`, `${owner}.maxStaleMs`, maxStaleMs);
}

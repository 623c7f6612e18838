/** What an engine does in a second, out of two scrapes of its metrics. */
import { z } from 'zod';
import { checkOptions, currentNames, rangeError, withOldNames } from '../../errors/index.js';
import type { MetricFamilies } from '../prometheus/index.js';
import { figuresOf, unknownOf } from './engine-metrics.js';
import { type EngineReading, readEngines } from './engine-readings.js';
import { histogramQuantile } from './histogram-quantile.js';
import { type CounterName, type HistogramName, REASON_LABEL } from './metric-names.js';
import { engineReset, processReset } from './rate-reset.js';
import { ReadingDeltas } from './reading-deltas.js';

export const scrapeSchema = z.object({
  metrics: z.custom<MetricFamilies>((value) => value instanceof Map).describe('what parsePrometheus returned'),
  timeSeconds: z.number().describe('a monotonic time in seconds'),
});

/** One scrape. `timeSeconds` is of a clock that never steps; `time` is its name in dtesn 0.1. */
export type Scrape = {
  /** What parsePrometheus returned. */
  metrics: MetricFamilies;
} & (
  | {
      /** When it was scraped: seconds of a clock that never steps. */
      timeSeconds: number;
    }
  | {
      /** @deprecated Use `timeSeconds`. */
      time: number;
    }
);

const oldScrapeNames = { time: 'timeSeconds' };

/** Seconds; the quantiles are of the requests (or tokens) of the window. */
export interface Latency {
  count: number;
  mean: number | null;
  p50: number | null;
  p90: number | null;
  p99: number | null;
}

/** Rates of one engine between two scrapes: see deriveRates for the formulas. Null where a rate is unknown. */
export interface EngineRates {
  reset: boolean;
  /** What says so. */
  resetReason: string | null;
  promptTokensPerSecond: number | null;
  generationTokensPerSecond: number | null;
  finishesPerSecond: number | null;
  finishesPerSecondByReason: Record<string, number> | null;
  preemptionsPerSecond: number | null;
  arrivalsPerSecond: number | null;
  prefixHitRatio: number | null;
  cachedShare: number | null;
  stepsPerSecond: number | null;
  tokensPerStep: number | null;
  specAcceptance: number | null;
  timeToFirstTokenSeconds: Latency | null;
  interTokenSeconds: Latency | null;
  queueSeconds: Latency | null;
  e2eSeconds: Latency | null;
  kvTokensFree: number | null;
  kvTokensGrowthPerSecond: number | null;
  drainSeconds: number | null;
  heartbeat: boolean | null;
  unknown: string[];
  /** @deprecated Use `timeToFirstTokenSeconds`. */
  readonly timeToFirstToken?: Latency | null;
  /** @deprecated Use `interTokenSeconds`. */
  readonly interTokenLatency?: Latency | null;
  /** @deprecated Use `queueSeconds`. */
  readonly queueTime?: Latency | null;
  /** @deprecated Use `e2eSeconds`. */
  readonly e2eLatency?: Latency | null;
}

const readable = withOldNames(
  {
    timeToFirstToken: 'timeToFirstTokenSeconds',
    interTokenLatency: 'interTokenSeconds',
    queueTime: 'queueSeconds',
    e2eLatency: 'e2eSeconds',
  },
  'rates',
);

/** Rates of all engines of two scrapes together, and of each data-parallel engine. */
export interface Rates extends EngineRates {
  /** Between the scrapes. */
  seconds: number;
  /** Of each engine of the second scrape by its label; '' where the metrics have none. */
  engines: ({ engine: string } & EngineRates)[];
}

/**
 * What an engine does in a second, out of two scrapes of its metrics. With d x = x after - x before over s seconds:
 *
 *     tokens, finishes, preemptions, steps      d x / s
 *     arrivals                                  (d finishes + d (running + waiting)) / s, at least 0: there is no counter
 *     prefix hit ratio, cached share            d hits / d queries, d cached prompt tokens / d prompt tokens
 *     tokens a step, acceptance                 d tokens of steps / d steps, d accepted / d drafted
 *     means and quantiles                       d sum / d count, histogramQuantile of d buckets
 *     KV tokens free, their growth              (1 - usage) x capacity, d (usage x capacity) / s
 *     drain time                                waiting / (finishes a second); 0 when no request waits
 *     heartbeat                                 steps (or tokens) moved: true; none while requests ran in both scrapes: false;
 *                                               of all engines: false when it is of one
 *
 * Reset (rate-reset.ts): `reset` is true with the reason, and every figure that needs two scrapes is null, for that engine
 * and for all together; the next pair begins a new segment. So no rate is ever negative. Levels after stay known.
 * Null, and named in `unknown`: what the engine does not expose; a ratio, mean or quantile of a window in which nothing
 * was counted; a drain time without finishes; every rate when no time has passed.
 * Units: seconds, tokens. Means may be negative where the engine's wall clock stepped back.
 * Errors: TypeError for what is no scrape, RangeError when the second was taken before the first.
 */
export function deriveRates(before: Scrape, after: Scrape): Rates {
  const first = checkedScrape(before, 'before');
  const second = checkedScrape(after, 'after');
  const seconds = second.timeSeconds - first.timeSeconds;
  if (seconds < 0) {
    throw rangeError(
      `a time of at least ${first.timeSeconds} (before.timeSeconds)`,
      'after.timeSeconds',
      second.timeSeconds,
    );
  }
  return ratesBetween(first, second);
}

/** The rates of scrapes that were checked, in their order. */
export function ratesBetween(before: CheckedScrape, after: CheckedScrape): Rates {
  const seconds = after.timeSeconds - before.timeSeconds;
  const [old, now] = [readEngines(before.metrics), readEngines(after.metrics)];
  const processReason = processReset(old, now);
  const engines = now.engines.map((reading) => {
    const earlier = old.engines.find(({ engine }) => engine === reading.engine);
    const reason = processReason ?? (earlier === undefined ? null : engineReset(earlier, reading));
    const pair = { before: earlier === undefined ? [] : [earlier], after: [reading] };
    return readable({ engine: reading.engine, ...ratesOf(pair, seconds, reason) });
  });
  const sick = engines.find(({ reset }) => reset);
  const reason = processReason ?? (sick === undefined ? null : `engine ${sick.engine}: ${sick.resetReason}`);
  const isLone = engines.length === 1 && old.engines.length === 1 && reason === null;
  const { engine: _, ...lone } = { ...engines[0]! };
  const all: EngineRates = isLone ? lone : ratesOf({ before: old.engines, after: now.engines }, seconds, reason);
  // One engine that stands still is not hidden by another that moves.
  const hung = engines.some(({ heartbeat }) => heartbeat === false);
  return readable({
    seconds,
    ...all,
    ...(hung ? { heartbeat: false, unknown: all.unknown.filter((name) => name !== 'heartbeat') } : {}),
    engines,
  });
}

type CheckedScrape = z.output<typeof scrapeSchema>;

function checkedScrape(scrape: Scrape, name: string): CheckedScrape {
  return checkOptions(scrapeSchema, currentNames(scrape, oldScrapeNames, 'a scrape'), name);
}

interface Pair {
  before: readonly EngineReading[];
  after: readonly EngineReading[];
}

function ratesOf({ before, after }: Pair, seconds: number, resetReason: string | null): EngineRates {
  const comparable = resetReason === null && seconds > 0;
  const window = comparable ? new Window(new ReadingDeltas(before, after), seconds) : null;
  const kv = kvTokens(after);
  const kvBefore = kvTokens(before);
  const grown = kv === null || kvBefore === null || kv.capacity !== kvBefore.capacity ? null : kv.used - kvBefore.used;
  const finishesPerSecond = window?.perSecond('finished') ?? null;
  const rates = {
    promptTokensPerSecond: window?.perSecond('promptTokens') ?? null,
    generationTokensPerSecond: window?.perSecond('generationTokens') ?? null,
    finishesPerSecond,
    finishesPerSecondByReason: window?.finishesByReason() ?? null,
    preemptionsPerSecond: window?.perSecond('preemptions') ?? null,
    arrivalsPerSecond: window?.arrivals() ?? null,
    prefixHitRatio: window?.ratio('prefixHits', 'prefixQueries') ?? null,
    cachedShare: window?.ratio('promptTokensCached', 'promptTokens') ?? null,
    ...(window?.steps() ?? { stepsPerSecond: null, tokensPerStep: null }),
    specAcceptance: window?.ratio('acceptedTokens', 'draftTokens') ?? null,
    timeToFirstTokenSeconds: window?.latency('timeToFirstToken') ?? null,
    interTokenSeconds: window?.interTokenLatency() ?? null,
    queueSeconds: window?.latency('queueTime') ?? null,
    e2eSeconds: window?.latency('e2eLatency') ?? null,
    kvTokensFree: kv === null ? null : kv.capacity - kv.used,
    kvTokensGrowthPerSecond: !comparable || grown === null ? null : grown / seconds,
    drainSeconds: drainSeconds(figuresOf(after).waiting, finishesPerSecond),
    heartbeat: window?.heartbeat() ?? null,
  };
  return { reset: resetReason !== null, resetReason, ...rates, unknown: unknownOf(rates) };
}

/** Differences over a time that is not empty. */
class Window {
  readonly #deltas: ReadingDeltas;
  readonly #seconds: number;

  constructor(deltas: ReadingDeltas, seconds: number) {
    this.#deltas = deltas;
    this.#seconds = seconds;
  }

  perSecond(counter: CounterName): number | null {
    const delta = this.#deltas.counter(counter);
    return delta === null ? null : delta / this.#seconds;
  }

  ratio(part: CounterName, whole: CounterName): number | null {
    return quotient(this.#deltas.counter(part), this.#deltas.counter(whole));
  }

  finishesByReason(): Record<string, number> | null {
    const deltas = this.#deltas.counterBy('finished', REASON_LABEL);
    if (deltas === null) return null;
    return Object.fromEntries(Object.entries(deltas).map(([reason, delta]) => [reason, delta / this.#seconds]));
  }

  /** Gauges and counters are not read at one instant, so a request may be seen leaving before it is seen finished. */
  arrivals(): number | null {
    const finished = this.#deltas.counter('finished');
    const inside = this.#requestsInside();
    return finished === null || inside === null
      ? null
      : Math.max(0, finished + inside.after - inside.before) / this.#seconds;
  }

  steps(): { stepsPerSecond: number | null; tokensPerStep: number | null } {
    const steps = this.#deltas.histogram('iterationTokens');
    return {
      stepsPerSecond: steps === null ? null : steps.count / this.#seconds,
      tokensPerStep: quotient(steps?.sum ?? null, steps?.count ?? null),
    };
  }

  latency(name: HistogramName): Latency | null {
    const delta = this.#deltas.histogram(name);
    if (delta === null) return null;
    const { count, sum, buckets } = delta;
    const at = (q: number) => (buckets === null ? null : histogramQuantile(q, buckets.bounds, buckets.counts));
    return { count, mean: quotient(sum, count), p50: at(0.5), p90: at(0.9), p99: at(0.99) };
  }

  /** Where there is no histogram: the mean of llama.cpp, which counts the seconds of its tokens. */
  interTokenLatency(): Latency | null {
    const histogram = this.latency('interTokenLatency');
    const [spent, tokens] = [this.#deltas.counter('decodeSeconds'), this.#deltas.counter('generationTokens')];
    if (histogram !== null || spent === null || tokens === null) return histogram;
    return { count: tokens, mean: quotient(spent, tokens), p50: null, p90: null, p99: null };
  }

  heartbeat(): boolean | null {
    const steps = this.#deltas.histogram('iterationTokens')?.count ?? this.#deltas.counter('generationTokens');
    if (steps === null || steps > 0) return steps === null ? null : true;
    const [before, after] = [this.#deltas.gaugeBefore('running'), this.#deltas.gauge('running')];
    return before !== null && after !== null && before > 0 && after > 0 ? false : null;
  }

  #requestsInside(): { before: number; after: number } | null {
    const [running, waiting] = [this.#deltas.gauge('running'), this.#deltas.gauge('waiting')];
    const [ranBefore, waitedBefore] = [this.#deltas.gaugeBefore('running'), this.#deltas.gaugeBefore('waiting')];
    if (running === null || waiting === null || ranBefore === null || waitedBefore === null) return null;
    return { before: ranBefore + waitedBefore, after: running + waiting };
  }
}

/** Tokens of the KV caches of these engines; each is as large as its own blocks. */
function kvTokens(engines: readonly EngineReading[]): { used: number; capacity: number } | null {
  const caches = engines.map((reading) => {
    const { kvUsageMean, kvTokensCapacity } = figuresOf([reading]);
    return kvUsageMean === null || kvTokensCapacity === null
      ? null
      : { usage: kvUsageMean, capacity: kvTokensCapacity };
  });
  if (caches.length === 0) return null;
  let [used, capacity] = [0, 0];
  for (const cache of caches) {
    if (cache === null) return null;
    used += cache.usage * cache.capacity;
    capacity += cache.capacity;
  }
  return { used, capacity };
}

function drainSeconds(waiting: number | null, finishesPerSecond: number | null): number | null {
  if (waiting === 0) return 0;
  return waiting === null || finishesPerSecond === null || finishesPerSecond === 0 ? null : waiting / finishesPerSecond;
}

/** Null where either is unknown, or nothing was counted. */
function quotient(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : part / whole;
}

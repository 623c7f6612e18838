/** The figures that telemetry keeps of an engine, with their units, and how a sample of them is made of an observation. */
import type { Latency, Rates } from './derive-rates.js';
import type { EngineMetrics } from './engine-metrics.js';

/**
 * Figures that a TelemetryRing keeps, in the order of its columns.
 *
 *     running, waiting                          requests
 *     kvUsage                                   share of the KV cache, 0 to 1; of the fullest data-parallel engine
 *     promptTokensPerSecond, generationTokensPerSecond          tokens a second
 *     timeToFirstTokenP50Seconds, ...P99Seconds                 seconds, of the requests of the interval
 *     interTokenSeconds, e2eSeconds, queueSeconds               seconds, means of the interval
 *     arrivalsPerSecond, finishesPerSecond, preemptionsPerSecond         requests a second
 *     stepsPerSecond, tokensPerStep             steps a second, tokens
 *     intervalSeconds                           since the scrape before: a rate times it is the difference of the counter
 */
export const telemetryColumns = [
  'running',
  'waiting',
  'kvUsage',
  'promptTokensPerSecond',
  'generationTokensPerSecond',
  'timeToFirstTokenP50Seconds',
  'timeToFirstTokenP99Seconds',
  'interTokenSeconds',
  'e2eSeconds',
  'queueSeconds',
  'arrivalsPerSecond',
  'finishesPerSecond',
  'preemptionsPerSecond',
  'stepsPerSecond',
  'tokensPerStep',
  'intervalSeconds',
] as const;
/** Name of a figure that a TelemetryRing keeps. */
export type TelemetryColumn = (typeof telemetryColumns)[number];

export function sampleOf(figures: EngineMetrics | null, rates: Rates | null): Record<TelemetryColumn, number | null> {
  const mean = (latency: Latency | null | undefined) => latency?.mean ?? null;
  return {
    running: figures?.running ?? null,
    waiting: figures?.waiting ?? null,
    kvUsage: figures?.kvUsageMax ?? null,
    promptTokensPerSecond: rates?.promptTokensPerSecond ?? null,
    generationTokensPerSecond: rates?.generationTokensPerSecond ?? null,
    timeToFirstTokenP50Seconds: rates?.timeToFirstTokenSeconds?.p50 ?? null,
    timeToFirstTokenP99Seconds: rates?.timeToFirstTokenSeconds?.p99 ?? null,
    interTokenSeconds: mean(rates?.interTokenSeconds),
    e2eSeconds: mean(rates?.e2eSeconds),
    queueSeconds: mean(rates?.queueSeconds),
    arrivalsPerSecond: rates?.arrivalsPerSecond ?? null,
    finishesPerSecond: rates?.finishesPerSecond ?? null,
    preemptionsPerSecond: rates?.preemptionsPerSecond ?? null,
    stepsPerSecond: rates?.stepsPerSecond ?? null,
    tokensPerStep: rates?.tokensPerStep ?? null,
    intervalSeconds: rates?.seconds ?? null,
  };
}

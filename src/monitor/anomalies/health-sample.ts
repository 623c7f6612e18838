/**
 * One scrape as the rules of anomalies read it: levels and rates of an engine, null where it does not say.
 */
import type { EngineMetrics, EngineRates } from '../../engine/index.js';

/** The rates of an engine that a HealthSample is made of. */
export type HealthRates = Pick<
  EngineRates,
  | 'arrivalsPerSecond'
  | 'finishesPerSecond'
  | 'promptTokensPerSecond'
  | 'generationTokensPerSecond'
  | 'preemptionsPerSecond'
> & {
  /** Of the window: mean and number of the times between tokens, seconds. */
  interTokenSeconds: { mean: number | null } | null;
};

/** One scrape as the rules read it; null where a figure is unknown or not finite. */
export interface HealthSample {
  running: number | null;
  waiting: number | null;
  /** Share of the KV memory, mean over the ranks. */
  kvUsage: number | null;
  arrivalsPerSecond: number | null;
  finishesPerSecond: number | null;
  promptTokensPerSecond: number | null;
  generationTokensPerSecond: number | null;
  preemptionsPerSecond: number | null;
  /** Mean time between two tokens of a request in the window, seconds. */
  interTokenSeconds: number | null;
}

/** The sample of one scrape; null without the rates since the one before. */
export function healthSample(figures: EngineMetrics, rates: HealthRates | null): HealthSample | null {
  if (rates === null) return null;
  return {
    running: finite(figures.running),
    waiting: finite(figures.waiting),
    kvUsage: finite(figures.kvUsageMean),
    arrivalsPerSecond: finite(rates.arrivalsPerSecond),
    finishesPerSecond: finite(rates.finishesPerSecond),
    promptTokensPerSecond: finite(rates.promptTokensPerSecond),
    generationTokensPerSecond: finite(rates.generationTokensPerSecond),
    preemptionsPerSecond: finite(rates.preemptionsPerSecond),
    interTokenSeconds: finite(rates.interTokenSeconds?.mean),
  };
}

function finite(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

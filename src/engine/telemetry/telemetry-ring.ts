/**
 * Figures of an engine over time: the last `capacity` samples, one column of numbers a figure, and the times of its
 * restarts.
 */
import { z } from 'zod';
import { checkOptions, rangeError } from '../../errors/index.js';
import type { Latency, Rates } from './derive-rates.js';
import type { EngineMetrics } from './engine-metrics.js';

export const optionsSchema = z.object({
  capacity: z.int().min(1).max(1_000_000).default(3600).describe('a whole number from 1 to 1000000'),
});

/** Options of TelemetryRing: how many samples it keeps. */
export interface TelemetryRingOptions {
  /** Samples kept, 1 to 1,000,000. Default 3600. */
  capacity?: number | undefined;
}

/** Figures that a TelemetryRing keeps, in the order of its columns. Times are seconds, usage is in [0, 1]. */
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
] as const;
/** Name of a figure that a TelemetryRing keeps. */
export type TelemetryColumn = (typeof telemetryColumns)[number];

/** Series of one length, the oldest sample first. */
export type TelemetrySeries = Record<TelemetryColumn, (number | null)[]> & {
  /** Seconds. */
  time: number[];
  /** Seconds, when the engine was seen to have started again. */
  restarts: number[];
};

/**
 * Figures of an engine over time: the last `capacity` samples, one column of numbers a figure, and the times of its restarts.
 *
 *     const ring = new TelemetryRing({ capacity: 3600 });          // an hour at one sample a second, 350 KB
 *     ring.add(seconds, figures, rates);
 *     ring.markRestart(seconds);
 *     ring.since(seconds - 600)      // { time: [...], running: [...], ..., restarts: [...] }: ready for JSON
 *
 * Times are seconds as the caller counts them and must not step back. A figure that is not known is null in the series. A restart
 * is kept as long as the samples about it.
 * Errors: RangeError ERR_DTESN_ARGUMENT for a time before the last one.
 */
export class TelemetryRing {
  readonly #capacity: number;
  readonly #time: Float64Array;
  readonly #columns: Record<TelemetryColumn, Float64Array>;
  /** Where the next sample goes. */
  #next = 0;
  #size = 0;
  #restarts: number[] = [];

  constructor(options: TelemetryRingOptions = {}) {
    const { capacity } = checkOptions(optionsSchema, options, 'TelemetryRing');
    this.#capacity = capacity;
    this.#time = new Float64Array(capacity);
    const columns = telemetryColumns.map((name) => [name, new Float64Array(capacity)]);
    this.#columns = Object.fromEntries(columns) as Record<TelemetryColumn, Float64Array>;
  }

  /** Samples kept now. */
  get size(): number {
    return this.#size;
  }

  /** The time of the oldest sample; null without one. */
  get oldestSeconds(): number | null {
    return this.#size === 0 ? null : this.#time[this.#index(0)]!;
  }

  /** Adds a sample; without figures or rates, one in which they are not known. */
  add(timeSeconds: number, figures: EngineMetrics | null, rates: Rates | null): void {
    const last = this.#size === 0 ? Number.NEGATIVE_INFINITY : this.#time[this.#index(this.#size - 1)]!;
    if (!(timeSeconds >= last)) throw rangeError(`a time of at least ${last}`, 'timeSeconds', timeSeconds);
    this.#time[this.#next] = timeSeconds;
    const sample = sampleOf(figures, rates);
    for (const name of telemetryColumns) this.#columns[name][this.#next] = sample[name] ?? Number.NaN;
    this.#next = (this.#next + 1) % this.#capacity;
    this.#size = Math.min(this.#size + 1, this.#capacity);
    const oldest = this.oldestSeconds!;
    if (this.#restarts[0]! < oldest) this.#restarts = this.#restarts.filter((time) => time >= oldest);
  }

  /** Records a restart of the engine. Errors: RangeError ERR_DTESN_ARGUMENT for a time before the last one. */
  markRestart(timeSeconds: number): void {
    this.#restarts.push(timeSeconds);
    // Restarts come with observations, so there are not more of them than samples.
    if (this.#restarts.length > this.#capacity) this.#restarts.shift();
  }

  /** The samples later than a time; all of them when left out. */
  since(timeSeconds = Number.NEGATIVE_INFINITY): TelemetrySeries {
    let first = this.#size;
    while (first > 0 && this.#time[this.#index(first - 1)]! > timeSeconds) first--;
    const indices = Array.from({ length: this.#size - first }, (_, i) => this.#index(first + i));
    const column = (values: Float64Array) => indices.map((i) => (Number.isFinite(values[i]!) ? values[i]! : null));
    return {
      time: indices.map((i) => this.#time[i]!),
      ...(Object.fromEntries(telemetryColumns.map((name) => [name, column(this.#columns[name])])) as Record<
        TelemetryColumn,
        (number | null)[]
      >),
      restarts: this.#restarts.filter((time) => time > timeSeconds),
    };
  }

  /** Of the i-th oldest sample. */
  #index(i: number): number {
    return (this.#next - this.#size + i + this.#capacity) % this.#capacity;
  }
}

function sampleOf(figures: EngineMetrics | null, rates: Rates | null): Record<TelemetryColumn, number | null> {
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
  };
}

/**
 * Figures of an engine over time: the last `capacity` samples, one column of numbers a figure, the times of its restarts, and
 * the gaps between samples.
 */
import { z } from 'zod';
import { argumentError, checkOptions, rangeError } from '../../errors/index.js';
import type { Rates } from './derive-rates.js';
import type { EngineMetrics } from './engine-metrics.js';
import { joinTelemetry, splitTelemetry } from './telemetry-bytes.js';
import { sampleOf, type TelemetryColumn, telemetryColumns } from './telemetry-columns.js';

export const optionsSchema = z.object({
  capacity: z.int().min(1).max(1_000_000).default(3600).describe('a whole number from 1 to 1000000'),
  gapSeconds: z.number().gt(0).max(86_400).default(15).describe('a number of seconds in (0, 86400]'),
});

/** Options of TelemetryRing: how many samples it keeps, and what a gap is. */
export interface TelemetryRingOptions {
  /** Samples kept, 1 to 1,000,000. Default 3600. */
  capacity?: number | undefined;
  /** More seconds than this between two samples are a gap, up to 86,400. Default 15. */
  gapSeconds?: number | undefined;
}

/** Series of one length, the oldest sample first. */
export type TelemetrySeries = Record<TelemetryColumn, (number | null)[]> & {
  /** Seconds. */
  time: number[];
  /** Seconds, when the engine was seen to have started again. */
  restarts: number[];
  /** Seconds, [last sample before, first sample after] of each gap. */
  gaps: [number, number][];
};

/**
 * Figures of an engine over time: the last `capacity` samples, one column of numbers a figure, the times of its restarts, and
 * the gaps between samples.
 *
 *     const ring = new TelemetryRing({ capacity: 3600 });          // an hour at one sample a second, 490 KB
 *     ring.add(seconds, figures, rates);
 *     ring.markRestart(seconds);
 *     ring.since(seconds - 600)      // { time: [...], running: [...], ..., restarts: [...], gaps: [...] }: ready for JSON
 *     ring.restore(ring.snapshot())  // bytes, for a file
 *
 * Times are seconds as the caller counts them and must not step back; give UTC where series are kept over restarts of the process
 * or trained on. A figure that is not known is null in the series. A restart is kept as long as the samples about it.
 * Memory: one SharedArrayBuffer of capacity x (columns + 1) f64, which `buffer` gives: time, then the columns, in any thread.
 * Errors: RangeError ERR_DTESN_ARGUMENT for a time before the last one.
 */
export class TelemetryRing {
  readonly #capacity: number;
  readonly #gapSeconds: number;
  readonly #buffer: SharedArrayBuffer;
  readonly #time: Float64Array;
  readonly #columns: Record<TelemetryColumn, Float64Array>;
  /** Where the next sample goes. */
  #next = 0;
  #size = 0;
  #restarts: number[] = [];

  constructor(options: TelemetryRingOptions = {}) {
    const { capacity, gapSeconds } = checkOptions(optionsSchema, options, 'TelemetryRing');
    this.#capacity = capacity;
    this.#gapSeconds = gapSeconds;
    this.#buffer = new SharedArrayBuffer(8 * capacity * (telemetryColumns.length + 1));
    const part = (index: number) => new Float64Array(this.#buffer, 8 * capacity * index, capacity);
    this.#time = part(0);
    const columns = telemetryColumns.map((name, i) => [name, part(i + 1)]);
    this.#columns = Object.fromEntries(columns) as Record<TelemetryColumn, Float64Array>;
  }

  /** Samples kept now. */
  get size(): number {
    return this.#size;
  }

  /** The memory of the samples: `capacity` f64 of times, then as many of each column in the order of telemetryColumns. */
  get buffer(): SharedArrayBuffer {
    return this.#buffer;
  }

  /** The time of the oldest sample; null without one. */
  get oldestSeconds(): number | null {
    return this.#size === 0 ? null : this.#time[this.#index(0)]!;
  }

  /** The time of the newest sample; null without one. */
  get newestSeconds(): number | null {
    return this.#size === 0 ? null : this.#time[this.#index(this.#size - 1)]!;
  }

  /** Adds a sample; without figures or rates, one in which they are not known. */
  add(timeSeconds: number, figures: EngineMetrics | null, rates: Rates | null): void {
    this.#add(timeSeconds, sampleOf(figures, rates));
  }

  #add(timeSeconds: number, sample: Partial<Record<TelemetryColumn, number | null>>): void {
    const last = this.newestSeconds ?? Number.NEGATIVE_INFINITY;
    if (!(timeSeconds >= last)) throw rangeError(`a time of at least ${last}`, 'timeSeconds', timeSeconds);
    this.#time[this.#next] = timeSeconds;
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
    const time = indices.map((i) => this.#time[i]!);
    return {
      time,
      ...(Object.fromEntries(telemetryColumns.map((name) => [name, column(this.#columns[name])])) as Record<
        TelemetryColumn,
        (number | null)[]
      >),
      restarts: this.#restarts.filter((at) => at > timeSeconds),
      gaps: time.flatMap((at, i): [number, number][] =>
        i > 0 && at - time[i - 1]! > this.#gapSeconds ? [[time[i - 1]!, at]] : [],
      ),
    };
  }

  /** All samples and restarts as bytes, for a file; restore() reads them on any platform. */
  snapshot(): Uint8Array {
    const order = Array.from({ length: this.#size }, (_, i) => this.#index(i));
    const ordered = (values: Float64Array) => Float64Array.from(order, (i) => values[i]!);
    return joinTelemetry({
      time: ordered(this.#time),
      columns: new Map(telemetryColumns.map((name) => [name as string, ordered(this.#columns[name])])),
      restarts: [...this.#restarts],
    });
  }

  /**
   * Takes the samples of a snapshot in place of its own: the last ones where it is smaller. A column that one side does not know
   * is null, or left out.
   * Errors: TypeError ERR_DTESN_ARGUMENT for bytes that are no whole snapshot; nothing is changed then.
   */
  restore(bytes: Uint8Array): void {
    const saved = splitTelemetry(bytes);
    if (saved === null) throw argumentError('the bytes of a snapshot of a TelemetryRing', 'bytes', bytes);
    const { time, columns, restarts } = saved;
    this.#next = 0;
    this.#size = 0;
    this.#restarts = restarts;
    for (let i = Math.max(0, time.length - this.#capacity); i < time.length; i++) {
      this.#add(time[i]!, Object.fromEntries(telemetryColumns.map((name) => [name, columns.get(name)?.[i] ?? null])));
    }
  }

  /** Of the i-th oldest sample. */
  #index(i: number): number {
    return (this.#next - this.#size + i + this.#capacity) % this.#capacity;
  }
}

/**
 * Whether the counters of two readings may be subtracted: series by series, what the restart law (restart-law.ts) says of
 * the whole, and whether both readings have the same series. They may not when
 *
 *     process_start_time_seconds is known in both and differs,        all engines are reset
 *     the kind or the set of engines changed
 *     a counter, a bucket or a count fell, or is gone;                that engine is reset
 *     the KV capacity is known in both and differs;
 *     a `_created` time changed, or is gone; the bounds of a histogram changed
 *
 * Sums may decrease: an engine's wall clock can step back during a request.
 */
import { figuresOf } from './engine-metrics.js';
import type { CreatedTimes, EngineReading, EngineReadings, HistogramSeries } from './engine-readings.js';
import { counters, type HistogramName, histograms } from './metric-names.js';
import { sameBounds, sameSeries } from './reading-deltas.js';
import { differs, fell } from './restart-law.js';

/** What says that all engines were reset; null when nothing does. */
export function processReset(before: EngineReadings, after: EngineReadings): string | null {
  if (before.kind !== after.kind) return 'the engine is of another kind';
  if (differs(before.processStartTime, after.processStartTime)) return 'process_start_time_seconds changed';
  const [old, now] = [before, after].map(({ engines }) => engines.map(({ engine }) => engine).join());
  return old === now ? null : `the engines changed from ${old || 'none'} to ${now || 'none'}`;
}

/** What says that this engine was reset; null when nothing does. */
export function engineReset(before: EngineReading, after: EngineReading): string | null {
  for (const name of counters) {
    const now = after.series.get(name) ?? [];
    const old = before.series.get(name) ?? [];
    for (let i = 0; i < old.length; i++) {
      const { key, value } = old[i]!;
      const same = sameSeries(now, key, i)?.value;
      if (isLess(same, value)) return decrease(`${name}{${key}}`, value, same);
    }
  }
  for (const name of histograms) {
    const now = after.histograms.get(name) ?? [];
    const old = before.histograms.get(name) ?? [];
    for (let i = 0; i < old.length; i++) {
      const why = histogramReset(name, old[i]!, sameSeries(now, old[i]!.key, i));
      if (why !== null) return why;
    }
  }
  const capacity = (reading: EngineReading) => figuresOf([reading]).kvTokensCapacity;
  if (differs(capacity(before), capacity(after))) return 'the capacity of the KV cache changed';
  return createdReset(before.created, after.created);
}

function createdReset(before: CreatedTimes, after: CreatedTimes): string | null {
  for (let i = 0; i < before.names.length; i++) {
    const name = before.names[i]!;
    const same = after.names[i] === name ? i : after.names.indexOf(name);
    if (after.times[same] !== before.times[i]) return `${name} changed`;
  }
  return null;
}

function histogramReset(
  figure: HistogramName,
  before: HistogramSeries,
  after: HistogramSeries | undefined,
): string | null {
  const name = `${figure}{${before.key}}`;
  if (after === undefined) return `${name} is gone`;
  if (!sameBounds(before.bounds, after.bounds)) return `the buckets of ${name} changed`;
  for (let i = 0; i < before.counts.length; i++) {
    const [count, same] = [before.counts[i]!, after.counts[i]];
    if (isLess(same, count)) return decrease(`the bucket le=${before.bounds[i]} of ${name}`, count, same);
  }
  return isLess(after.count, before.count) ? decrease(`the count of ${name}`, before.count, after.count) : null;
}

function isLess(after: number | undefined, before: number): boolean {
  return after === undefined || fell(before, after);
}

function decrease(what: string, before: number, after: number | undefined): string {
  return after === undefined ? `${what} is gone` : `${what} decreased from ${before} to ${after}`;
}

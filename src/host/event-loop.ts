/**
 * How late this process' event loop was since it was last asked, milliseconds: median and 99th percentile of the delay of a
 * timer beyond its RESOLUTION_MS. The first call begins to measure and says null. The timer does not keep the process alive.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

let histogram: IntervalHistogram | null = null;

export function eventLoopDelay(): { p50: number; p99: number } | null {
  if (histogram === null) {
    histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    return null;
  }
  if (histogram.count === 0) return null;
  const late = (percentile: number) => Math.max(0, histogram!.percentile(percentile) / 1e6 - RESOLUTION_MS);
  const delay = { p50: late(50), p99: late(99) };
  histogram.reset();
  return delay;
}

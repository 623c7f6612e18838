/**
 * What a bridge says of its own process: its version, and how late its event loop is.
 *
 *     dtesn_build_info{version} 1
 *     dtesn_event_loop_delay_seconds{percentile="50" | "99" | "100"}     delay of a timer beyond its RESOLUTION_MS
 *
 * The percentiles are of the time since WINDOW_MS or more before the page, so two readers of the page do not halve each other's
 * window to nothing.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import type { MetricsRegistry } from './metrics-registry.js';

export interface ProcessMetricsOptions {
  /** Version of the package. */
  version: string;
  /** What the window is measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const RESOLUTION_MS = 10;
const WINDOW_MS = 10_000;

const optionsSchema = z.strictObject({
  version: z.string().describe('the version of the package'),
  clock: clockOption,
});

/** Begins to measure; `close` ends it. */
export function processMetrics(metrics: MetricsRegistry, options: ProcessMetricsOptions): { close(): void } {
  const { version, clock } = checkOptions(optionsSchema, options, 'processMetrics');
  metrics.gauge('dtesn_build_info', 'The version that runs; always 1.', ['version']).set({ version }, 1);
  const delay = metrics.gauge(
    'dtesn_event_loop_delay_seconds',
    'Delay of the event loop in the last seconds, by percentile.',
    ['percentile'],
  );
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let begun = clock.now();
  const end = metrics.collect(() => {
    if (histogram.count === 0) return;
    for (const percentile of [50, 99, 100]) {
      const lateMs = histogram.percentile(percentile) / 1e6 - RESOLUTION_MS;
      delay.set({ percentile: String(percentile) }, Math.max(0, lateMs) / 1000);
    }
    if (clock.now() - begun < WINDOW_MS) return;
    histogram.reset();
    begun = clock.now();
  });
  return {
    close() {
      end();
      histogram.disable();
    },
  };
}

/**
 * How much of the control group's memory is used, and whether it is so much that new sessions and bodies are refused.
 *
 *     share = 1 - free / limit        free counts what the kernel gives back first, see host/cgroup.ts
 *     tight above TIGHT               read again after FRESH_MS
 *
 * Without a limit there is no share and nothing is tight: the memory of the whole host is also the engine's.
 * Metric: dtesn_memory_used_ratio, absent without a limit.
 */
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import { type CgroupLimits, cgroupLimits } from '../../host/index.js';
import type { MetricsRegistry } from '../metrics/index.js';

type MemoryLimits = Pick<CgroupLimits, 'memoryBytes' | 'memoryFreeBytes'>;

export interface MemoryBudgetOptions {
  metrics: MetricsRegistry;
  /** Reads the limits. Default: those of the control groups of this process. */
  read?: (() => MemoryLimits) | undefined;
  /** What the age of a reading is measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const TIGHT = 0.85;
const FRESH_MS = 250;

const optionsSchema = z.strictObject({
  metrics: z.custom<MetricsRegistry>((value) => typeof value === 'object').describe('a MetricsRegistry'),
  read: z
    .custom<() => MemoryLimits>((value) => typeof value === 'function')
    .default(() => cgroupLimits)
    .describe('a function'),
  clock: clockOption,
});

export class MemoryBudget {
  readonly #read: () => MemoryLimits;
  readonly #clock: Clock;
  #share: number | null = null;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(options: MemoryBudgetOptions) {
    const { metrics, read, clock } = checkOptions(optionsSchema, options, 'MemoryBudget');
    this.#read = read;
    this.#clock = clock;
    const ratio = metrics.gauge('dtesn_memory_used_ratio', "Used share of the control group's memory limit.");
    metrics.collect(() => {
      const share = this.share();
      if (share === null) ratio.remove({});
      else ratio.set({}, share);
    });
  }

  /** In [0, 1]; null without a limit. */
  share(): number | null {
    const now = this.#clock.now();
    if (now - this.#readAt < FRESH_MS) return this.#share;
    const { memoryBytes, memoryFreeBytes } = this.#read();
    this.#share =
      memoryBytes === null || memoryFreeBytes === null ? null : 1 - Math.min(1, memoryFreeBytes / memoryBytes);
    this.#readAt = now;
    return this.#share;
  }

  isTight(): boolean {
    return (this.share() ?? 0) > TIGHT;
  }
}

/**
 * How much tasks want the CPUs of this host, as the resources tell of the last seconds:
 *
 *     cpu_pressure         share of the last 10 s in which some task waited for a CPU    calm < 0.25, high >= 0.5, overload >= 0.9
 *     run_queue_per_cpu    tasks that want to run, a CPU, where there is no pressure      calm < 0.8, high >= 1, overload >= 2
 *
 * Null where the host tells neither (no Linux). The tasks of this process count as all others do.
 */
import type { Sources } from '../sources/index.js';

const PRESSURE = { calm: 0.25, high: 0.5, overload: 0.9 };
const RUN_QUEUE = { calm: 0.8, high: 1, overload: 2 };

export interface CpuContention {
  isCalm: boolean;
  isHigh: boolean;
  isOverload: boolean;
  /** What was measured, for a reason. */
  sentence: string;
}

export function cpuContention({ current_processing_load: load }: Sources['resources']): CpuContention | null {
  const pressure = load?.['cpu_pressure'] ?? null;
  if (pressure !== null) {
    return judged(pressure, PRESSURE, `tasks waited for a CPU in ${Math.round(100 * pressure)} % of the last 10 s`);
  }
  const queue = load?.['run_queue_per_cpu'] ?? null;
  return queue === null ? null : judged(queue, RUN_QUEUE, `${queue.toFixed(2)} tasks want to run on each CPU`);
}

function judged(value: number, { calm, high, overload }: typeof PRESSURE, sentence: string): CpuContention {
  return { isCalm: value < calm, isHigh: value >= high, isOverload: value >= overload, sentence };
}

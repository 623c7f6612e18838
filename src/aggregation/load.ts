/**
 * Whether load is high. One request in flight is no load; these are:
 *
 *     waiting > 0                      the engine has requests it cannot serve now
 *     KV usage > 0.9 (fullest rank)    the engine is about to queue or preempt
 *     1-minute load average >= CPUs    processes that want to run fill every CPU of this host
 *
 * True with the reasons; false when some figure is known and none is high; null when none is known.
 */
import type { Sources } from '../sources/index.js';

const HIGH_KV_USAGE = 0.9;

export interface Load {
  high: boolean | null;
  reasons: string[];
}

export function detectLoad({ performance, resources }: Sources): Load {
  const { waiting, kv_cache_usage_max: usage } = performance;
  const cpuLoad = resources.current_processing_load?.['cpu_load_1m'] ?? null;
  const cpus = resources.cpu_count;
  const reasons: string[] = [];
  if (waiting !== null && waiting > 0) reasons.push(`${waiting} requests wait in the engine's queue`);
  if (usage !== null && usage > HIGH_KV_USAGE) {
    reasons.push(`the engine's KV memory is ${Math.round(usage * 100)} % full`);
  }
  if (cpuLoad !== null && cpus !== null && cpuLoad >= cpus) {
    reasons.push(`this host's load average is ${cpuLoad.toFixed(2)} on ${cpus} CPUs`);
  }
  const known = waiting !== null || usage !== null || (cpuLoad !== null && cpus !== null);
  return { high: known ? reasons.length > 0 : null, reasons };
}

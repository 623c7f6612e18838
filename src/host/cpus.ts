/**
 * How many CPUs this process may use, the one rule:
 *
 *     max(1, floor(min(affinity, quota)))        affinity: availableParallelism(); quota: of its control groups, if any
 *
 * A quota below one CPU still runs one thread. It may be changed while the process runs: it is read again after FRESH_MS.
 */
import { availableParallelism } from 'node:os';
import { systemClock } from '../abort/index.js';
import { cgroupCpus } from './cgroup.js';

const FRESH_MS = 10_000;

let known: { cpus: number; at: number } | null = null;

export function usableCpus(): number {
  const now = systemClock.now();
  if (known === null || now - known.at >= FRESH_MS) {
    known = { cpus: cpusOf(availableParallelism(), cgroupCpus()), at: now };
  }
  return known.cpus;
}

/** The rule itself; `quota` is null where there is none. */
export function cpusOf(affinity: number, quota: number | null): number {
  return Math.max(1, Math.floor(Math.min(affinity, quota ?? affinity)));
}

/**
 * How much of the host the model may use: all CPUs but one, which stays free for the event loop and the probes, and a part of that
 * one while many requests wait (batch-runner.ts).
 *
 *     lanes = max(1, usable CPUs - 1)        batches that begin as soon as requests wait, each on one thread
 *
 * One thread a batch has the most throughput: the series of a batch are columns of one product, whose weights are read once
 * for all of them; threads would divide the columns and read the weights once each.
 */
import { usableCpus } from '../../host/index.js';

export interface Pace {
  /** Batches that begin as soon as requests wait; the option `lanes` of a BatchRunner. */
  lanes: number;
  /** Threads of each; the pin `threads` of the processor's option `plan`. */
  threads: number;
}

export function paceOf(cpus: number = usableCpus()): Pace {
  return { lanes: Math.max(1, cpus - 1), threads: 1 };
}

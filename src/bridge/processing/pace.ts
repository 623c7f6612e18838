/**
 * How much of the host the model may use: all CPUs but one, which stays free for the event loop and the probes.
 *
 *     lanes = max(1, usable CPUs - 1)        batches in the model at the same time, each on one thread
 *
 * One thread a batch has the most throughput: the series of a batch are columns of one product, whose weights are read once
 * for all of them; threads would divide the columns and read the weights once each.
 */
import { usableCpus } from '../../host/index.js';

export interface Pace {
  /** Batches in the model at the same time; the option `lanes` of the processor. */
  lanes: number;
  /** Threads of each; the pin `threads` of the processor's option `plan`. */
  threads: number;
}

export function paceOf(cpus: number = usableCpus()): Pace {
  return { lanes: Math.max(1, cpus - 1), threads: 1 };
}

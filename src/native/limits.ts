/**
 * Limits of one core of this machine, measured once a process: the reference of every benchmark.
 *
 * - `gflops`: 10^9 operations a second of independent multiply-adds in registers (a multiply-add counts as two), by dtype
 * - `reads`: 10^9 bytes a second that the core loads from working sets that ordinarily lie in L1 (24 KiB), L2 (1 MiB),
 *   L3 (16 MiB) and memory (256 MiB)
 * - `bandwidthAt(bytes)`: the same for a working set of exactly that size (rounded up to 512 bytes), measured at each call
 *
 * Each figure is the best of several runs of a few milliseconds, by the instruction set in use. The first call takes
 * about half a second, most of it to allocate memory; later calls return the same figures.
 * Errors: RangeError ERR_DTESN_ARGUMENT for bytes beyond 4 GiB, ERR_DTESN_MEMORY when they cannot be allocated.
 */
import { checkWhole } from '../errors/index.js';
import { addon } from './addon.js';

/** Rate at which one core reads a working set of so many bytes, in 10^9 bytes a second. */
export interface ReadRate {
  bytes: number;
  gigabytesPerSecond: number;
}

/**
 * Limits of one core of this machine, measured once a process (half a second): the reference of every benchmark.
 *
 * Units: `gflops` 10^9 operations a second (a multiply-add counts as two), `reads` 10^9 bytes a second.
 */
export interface Limits {
  isa: string;
  gflops: { f32: number; f64: number };
  reads: readonly ReadRate[];
  bandwidthAt(bytes: number): number;
}

const KIB = 1024;
const workingSets = [24 * KIB, KIB ** 2, 16 * KIB ** 2, 256 * KIB ** 2];
const MOST_BYTES = 4 * KIB ** 3;

let measured: Limits | undefined;

export function limits(): Limits {
  measured ??= Object.freeze({
    isa: addon().isa,
    gflops: Object.freeze(addon().measureGflops()),
    reads: Object.freeze(workingSets.map((bytes) => Object.freeze({ bytes, gigabytesPerSecond: bandwidthAt(bytes) }))),
    bandwidthAt,
  });
  return measured;
}

function bandwidthAt(bytes: number): number {
  checkWhole(bytes, 'bytes', 1, MOST_BYTES, 'bytes');
  return addon().measureReadGigabytesPerSecond(bytes);
}

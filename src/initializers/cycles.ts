/** Deterministic reservoirs: cycles and delay lines, with jumps, feedback and self-loops. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { type DenseInitializer, finite, number, square } from './initializer.js';

/** Options of cycle: weights along the ring, back, and of each unit to itself. */
export interface CycleOptions {
  /** Weight from each unit to the next, and from the last to the first: the spectral radius of a plain cycle. Default 0.9. */
  weight?: number | undefined;
  /** Weight from each unit to the one before, and from the first to the last. Default 0. */
  feedback?: number | undefined;
  /** Weight from each unit to itself. Default 0. */
  selfLoop?: number | undefined;
}

const cycleSchema = z.object({ weight: number(0.9), feedback: number(0), selfLoop: number(0) });

/**
 * A simple cycle reservoir, with feedback a double cycle, with self-loops a self-loop cycle.
 *
 *     W[i, i-1] = weight,   W[i, i+1] = feedback,   W[i, i] = selfLoop          indices modulo the units
 *
 *      0  0  0  0 .9
 *     .9  0  0  0  0
 *      0 .9  0  0  0
 *      0  0 .9  0  0
 *      0  0  0 .9  0
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; of the initializer RangeError ERR_DTESN_SHAPE for a matrix that
 * is not square.
 * Source: Rodan & Tiňo (2011), "Minimum complexity echo state network", IEEE Trans. Neural Networks 22(1); Fu et al. (2023), "A double-cycle
 * echo state network topology", Chaos 33(9); Elsarraj et al. (2019), "Demystifying echo state network with deterministic simple topologies".
 */
export function cycle(options: CycleOptions = {}): DenseInitializer {
  const checked = checkOptions(cycleSchema, options, 'cycle');
  return (rows, cols) => line(square(rows, cols), checked, true);
}

/** Options of delayLine: weights along the line, back, and of each unit to itself. */
export interface DelayLineOptions {
  /** Weight from each unit to the next. Default 0.9. */
  weight?: number | undefined;
  /** Weight from each unit to the one before. Default 0. */
  feedback?: number | undefined;
  /** Weight from each unit to itself. Default 0. */
  selfLoop?: number | undefined;
}

/**
 * A delay line reservoir, with feedback DLRB: the cycle without its weight from the last unit to the first.
 *
 *     W[i, i-1] = weight for i > 0,   W[i-1, i] = feedback,   W[i, i] = selfLoop
 *
 *      0 .1  0  0  0
 *     .9  0 .1  0  0
 *      0 .9  0 .1  0
 *      0  0 .9  0 .1          feedback 0.1
 *      0  0  0 .9  0
 *
 * Errors: as cycle's.
 * Source: Rodan & Tiňo (2011), "Minimum complexity echo state network", IEEE Trans. Neural Networks 22(1).
 */
export function delayLine(options: DelayLineOptions = {}): DenseInitializer {
  const checked = checkOptions(cycleSchema, options, 'delayLine');
  return (rows, cols) => line(square(rows, cols), checked, false);
}

/** Options of cycleWithJumps: weights of the ring and of its jumps, and their length. */
export interface CycleWithJumpsOptions {
  /** Weight of the cycle. Default 0.9. */
  weight?: number | undefined;
  /** Weight of the jumps, in both directions. Default 0.1. */
  jumpWeight?: number | undefined;
  /** Units from the start of a jump to its end, from 2 to the units - 2: others would be weights of the cycle. Default 3. */
  jump?: number | undefined;
}

const jumpsSchema = z.object({
  weight: number(0.9),
  jumpWeight: number(0.1),
  jump: z.int().min(2).default(3).describe('a whole number, 2 or more'),
});

/**
 * A cycle reservoir with regular jumps: units 0, l, 2 l, ... are joined in both directions. The last jump goes back to unit 0 where l
 * divides the units, else it is left out.
 *
 *      0  0 .1 .1 .9
 *     .9  0  0  0  0
 *     .1 .9  0  0 .1          jump 2: 0-2, 2-4
 *      0  0 .9  0  0
 *      0  0 .1 .9  0
 *
 * Errors: as cycle's; of the initializer RangeError ERR_DTESN_ARGUMENT for a jump of more than the units - 2.
 * Source: Rodan & Tiňo (2012), "Simple deterministically constructed cycle reservoirs with regular jumps", Neural Computation 24(7).
 */
export function cycleWithJumps(options: CycleWithJumpsOptions = {}): DenseInitializer {
  const { weight, jumpWeight, jump } = checkOptions(jumpsSchema, options, 'cycleWithJumps');
  return (rows, cols) => {
    const weights = line(square(rows, cols), { weight, feedback: 0, selfLoop: 0 }, true);
    if (jump > rows - 2) throw rangeError(`at most ${rows - 2} in a cycle of ${rows} units`, 'jump', jump);
    for (let from = 0; from + jump <= rows; from += jump) {
      const to = (from + jump) % rows;
      if (to === 0 && rows % jump !== 0) break;
      weights.data[to * rows + from] = jumpWeight;
      weights.data[from * rows + to] = jumpWeight;
    }
    return weights;
  };
}

function line(weights: Matrix64, { weight, feedback, selfLoop }: CycleParts, closed: boolean): Matrix64 {
  const { rows: n, data } = weights;
  for (let i = 0; i < n; i++) {
    const before = (i + n - 1) % n;
    data[i * n + i] = selfLoop;
    if (i === 0 && !closed) continue;
    data[before * n + i]! += feedback;
    data[i * n + before]! += weight;
  }
  return finite(weights);
}

interface CycleParts {
  weight: number;
  feedback: number;
  selfLoop: number;
}

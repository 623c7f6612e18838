/** Nested readouts: those of the first so many features each, from one factor. */
import type { LongRunOptions } from '../native/index.js';
import type { LinearReadout } from './linear-readout.js';
import { foldErrors, foldsOf, NO_READOUT } from './ridge-path.js';
import type { RidgeSums, Solved } from './sums.js';

/** The readout of the first so many features, and what it leaves. */
export interface NestedReadout {
  /** How many features it reads. */
  features: number;
  /** The readout of these features. */
  readout: LinearReadout;
  /** Sum of squares over the rows, one an output; null where the solver does not know it ('cholesky'). */
  errors: Float64Array | null;
  /**
   * The error over the folds, each by the readout of these features from all others, in the units of `validate`; null with one
   * fold or all rows in one, and for 'cholesky'.
   */
  error: number | null;
}

/** Readouts of the first so many features, and the condition number of the system. */
export interface NestedSolution {
  readouts: NestedReadout[];
  condition: number;
}

export function solveNested(sums: RidgeSums, features: readonly number[], ridge: number): NestedSolution {
  const solved = sums.solve(ridge, features);
  return solution(sums, features, solved, isValidated(sums) ? sums.validate([ridge, NO_READOUT], features) : null);
}

/** The same off the JavaScript thread. */
export async function solveNestedAsync(
  sums: RidgeSums,
  features: readonly number[],
  ridge: number,
  run: LongRunOptions,
): Promise<NestedSolution> {
  const solved = await sums.solveAsync(ridge, run, features);
  const left = isValidated(sums) ? await sums.validateAsync([ridge, NO_READOUT], run, features) : null;
  return solution(sums, features, solved, left);
}

function isValidated({ solver, folds }: RidgeSums): boolean {
  return solver === 'qr' && folds > 1;
}

/** `left` is folds x 2 x prefixes x outputs: by the ridge, and by the one that leaves the variance. */
function solution(
  sums: RidgeSums,
  features: readonly number[],
  { readouts, errors, condition }: Solved,
  left: Float64Array | null,
): NestedSolution {
  const validated = left && foldErrors(features.length, foldsOf(sums, left, 2 * features.length));
  return {
    readouts: readouts.map((readout, i) => ({
      features: features[i]!,
      readout,
      errors: errors?.[i] ?? null,
      error: validated?.[i] ?? null,
    })),
    condition,
  };
}

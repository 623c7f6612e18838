/**
 * What the precision of sums and states can carry.
 *
 *     Cholesky loses ε κ² of the weights, κ the condition number of [X; sqrt(λ) I] and ε = 2^-53
 *     states in f32 carry noise of 2^-24 of their size, which acts as a ridge of about 2^-48 s², s the largest singular value
 */
import type { Solver } from './sums.js';

const MOST_LOST = 1e-3;

export interface Precision {
  ridge: number;
  condition: number;
  solver: Solver;
  isNarrow: boolean;
}

/** One sentence about what is lost, or null. */
export function precisionLimit({ ridge, condition, solver, isNarrow }: Precision): string | null {
  const lost = 2 ** -53 * condition * condition;
  if (solver === 'cholesky' && lost > MOST_LOST) {
    const share = Math.min(1, lost).toExponential(0);
    return `Cholesky loses about ${share} of the weights with ridge ${ridge} (condition number ${condition.toExponential(0)}): use the solver 'qr', or a larger ridge`;
  }
  // With a ridge that reaches the smallest singular values, s² is about ridge κ².
  if (isNarrow && ridge > 0 && condition > 2 ** 24) {
    return `States in f32 carry more noise than ridge ${ridge} removes (condition number ${condition.toExponential(0)}): use a network with dtype 'f64', or a larger ridge`;
  }
  return null;
}

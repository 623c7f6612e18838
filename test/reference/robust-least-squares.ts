/**
 * Robust recursive least squares by its normal equations, solved after each row: no covariance is carried along.
 *
 *     A <- λ A + v x x',  b <- λ b + v x target,  w = A^-1 b       A begins as ridge I;  v = min(1, s/|target - w'x|)
 */
export function robustLeastSquares(
  rows: readonly { x: readonly number[]; target: number }[],
  { ridge, forgetting, scale: first, step }: { ridge: number; forgetting: number; scale: number; step: number },
): number[] {
  const size = rows[0]!.x.length;
  const a = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? ridge : 0)));
  const b = new Array<number>(size).fill(0);
  let weights = new Array<number>(size).fill(0);
  let scale = first;
  for (const { x, target } of rows) {
    const error = Math.abs(target - x.reduce((sum, value, i) => sum + value * weights[i]!, 0));
    const v = Math.min(1, scale / error);
    scale *= error > scale ? 1 + step : 1 - step;
    for (let i = 0; i < size; i++) {
      b[i] = forgetting * b[i]! + v * x[i]! * target;
      for (let j = 0; j < size; j++) a[i]![j] = forgetting * a[i]![j]! + v * x[i]! * x[j]!;
    }
    weights = solved(a, b);
  }
  return weights;
}

/** Gaussian elimination with partial pivoting. */
function solved(a: readonly number[][], b: readonly number[]): number[] {
  const size = b.length;
  const rows = a.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < size; k++) {
    const pivot = rows.findIndex(
      (row, i) => i >= k && rows.slice(k).every((other) => Math.abs(row[k]!) >= Math.abs(other[k]!)),
    );
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = k + 1; i < size; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= size; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  const x = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    let rest = rows[i]![size]!;
    for (let j = i + 1; j < size; j++) rest -= rows[i]![j]! * x[j]!;
    x[i] = rest / rows[i]![i]!;
  }
  return x;
}

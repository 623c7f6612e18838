/** Ridge regression in the plainest loops: centred normal equations and Gaussian elimination, in f64. */
export interface Plain {
  weights: Float64Array;
  bias: Float64Array;
}

export interface PlainProblem {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  steps: number;
  ridge: number;
  intercept: boolean;
  /** One a row; 1 where left out. */
  importance?: (row: number) => number;
}

export function plainRidge({ x, y, steps, ridge, intercept, importance = () => 1 }: PlainProblem): Plain {
  const features = x.length / steps;
  const outputs = y.length / steps;
  const total = Array.from({ length: steps }, (_, t) => importance(t)).reduce((a, b) => a + b, 0);
  const mean = (values: ArrayLike<number>, columns: number, i: number) => {
    let sum = 0;
    for (let t = 0; t < steps; t++) sum += importance(t) * values[t * columns + i]!;
    return intercept ? sum / total : 0;
  };
  const xMeans = Array.from({ length: features }, (_, i) => mean(x, features, i));
  const yMeans = Array.from({ length: outputs }, (_, m) => mean(y, outputs, m));
  const system = Array.from({ length: features }, (_, i) => {
    const row = new Float64Array(features + outputs);
    for (let t = 0; t < steps; t++) {
      const a = importance(t) * (x[t * features + i]! - xMeans[i]!);
      for (let k = 0; k < features; k++) row[k] = row[k]! + a * (x[t * features + k]! - xMeans[k]!);
      for (let m = 0; m < outputs; m++) row[features + m] = row[features + m]! + a * (y[t * outputs + m]! - yMeans[m]!);
    }
    row[i] = row[i]! + ridge;
    return row;
  });
  const solution = eliminated(system, outputs);
  const weights = Float64Array.from(solution.flatMap((row) => [...row]));
  const bias = Float64Array.from(yMeans, (value, m) =>
    xMeans.reduce((sum, center, i) => sum - center * weights[i * outputs + m]!, value),
  );
  return { weights, bias };
}

/** The solution of a system that stands beside its right sides, one row an equation. */
export function eliminated(rows: Float64Array[], outputs: number): Float64Array[] {
  const n = rows.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j < n + outputs; j++) rows[i]![j] = rows[i]![j]! - factor * rows[k]![j]!;
    }
  }
  return rows.map((row, i) => row.slice(n).map((value) => value / row[i]!));
}

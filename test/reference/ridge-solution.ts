/** The weights of weighted ridge regression by Gauss-Jordan elimination of the normal equations. */

interface Sample {
  f: readonly number[];
  y: number;
}

/** argmin Σ forgetting^(n - i) (y_i - w'f_i)² + forgetting^n ridge ||w||², i = 1 ... n. */
export function ridgeSolution(
  samples: readonly Sample[],
  { ridge, forgetting }: { ridge: number; forgetting: number },
): number[] {
  const size = samples[0]!.f.length;
  const n = samples.length;
  const rows = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_, j) => (i === j ? ridge * forgetting ** n : 0)),
  );
  for (const [s, { f, y }] of samples.entries()) {
    const weight = forgetting ** (n - 1 - s);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) rows[i]![j]! += weight * f[i]! * f[j]!;
      rows[i]![size]! += weight * f[i]! * y;
    }
  }
  for (let i = 0; i < size; i++) {
    const pivot = rows[i]![i]!;
    rows[i] = rows[i]!.map((value) => value / pivot);
    for (let j = 0; j < size; j++) {
      const factor = rows[j]![i]!;
      if (j !== i) rows[j] = rows[j]!.map((value, k) => value - factor * rows[i]![k]!);
    }
  }
  return rows.map((row) => row[size]!);
}

/**
 * The spectral radius by Gelfand's formula, ρ(A) = lim ||A^m||^(1/m), with m = 2^k by repeated squaring: no eigenvalue is
 * ever computed. An error δ of one squaring enters log ρ as δ / 2^k, and the last norm as log ||.|| / 2^30.
 */
export function gelfandRadius(matrix: ArrayLike<number>, n: number): number {
  let power = Float64Array.from(matrix);
  let logScale = 0;
  for (let k = 0; k < 30; k++) {
    const norm = Math.hypot(...rowNorms(power, n));
    if (norm === 0) return 0;
    logScale += Math.log(norm) / 2 ** k;
    for (let i = 0; i < power.length; i++) power[i] = power[i]! / norm;
    power = square(power, n);
  }
  return Math.exp(logScale);
}

function rowNorms(a: Float64Array, n: number): number[] {
  return Array.from({ length: n }, (_, i) => Math.hypot(...a.subarray(i * n, (i + 1) * n)));
}

function square(a: Float64Array, n: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = result.subarray(i * n, (i + 1) * n);
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k]!;
      if (factor === 0) continue;
      const other = a.subarray(k * n, (k + 1) * n);
      for (let j = 0; j < n; j++) row[j]! += factor * other[j]!;
    }
  }
  return result;
}

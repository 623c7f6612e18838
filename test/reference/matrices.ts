/** Square matrices for tests: Float64Array, row-major. */

/** Numbers on [-1, 1) from a linear congruential generator (Numerical Recipes' constants). */
export function uniform(seed: number): () => number {
  let word = seed >>> 0;
  return () => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return word / 2 ** 31 - 1;
  };
}

export function square(n: number, entry: (i: number, k: number) => number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n));
}

/** Q A Q' for a product Q of Householder reflections: other entries, the same eigenvalues. */
export function rotated(a: Float64Array<ArrayBuffer>, n: number, random: () => number): Float64Array<ArrayBuffer> {
  let result = a;
  for (let pass = 0; pass < 3; pass++) {
    const v = Float64Array.from({ length: n }, random);
    const scale = 2 / v.reduce((sum, x) => sum + x * x, 0);
    result = reflectedRows(transposed(reflectedRows(transposed(result, n), n, v, scale), n), n, v, scale);
  }
  return result;
}

export function transposed(a: Float64Array, n: number): Float64Array<ArrayBuffer> {
  return square(n, (i, k) => a[k * n + i]!);
}

/** (I - scale v v') A */
function reflectedRows(a: Float64Array, n: number, v: Float64Array, scale: number): Float64Array<ArrayBuffer> {
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) sums[k]! += v[i]! * a[i * n + k]!;
  return square(n, (i, k) => a[i * n + k]! - scale * v[i]! * sums[k]!);
}

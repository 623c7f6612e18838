/**
 * The singular values of a matrix, descending: one-sided Jacobi rotations, to rounding.
 *
 * Pairs of columns are turned until all are orthogonal; their lengths are then the singular values. O(rows cols²) a sweep, some eight
 * sweeps: for matrices of a few hundred columns.
 * Source: Hestenes (1958), J. SIAM 6; Demmel & Veselić (1992), "Jacobi's method is more accurate than QR".
 */
import type { Matrix } from './matrix.js';

const SWEEPS = 40;
const ORTHOGONAL = 1e-15;

export function singularValues(m: Matrix): Float64Array {
  const columns = shortColumns(m);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let turned = false;
    for (let i = 0; i < columns.length; i++) {
      for (let k = i + 1; k < columns.length; k++) turned = turn(columns[i]!, columns[k]!) || turned;
    }
    if (!turned) break;
  }
  return Float64Array.from(columns, (column) => Math.sqrt(dot(column, column)))
    .sort()
    .reverse();
}

/** Columns of the matrix, or of its transpose where that has fewer. */
function shortColumns({ rows, cols, data }: Matrix): Float64Array[] {
  const [count, length] = cols <= rows ? [cols, rows] : [rows, cols];
  return Array.from({ length: count }, (_, k) =>
    Float64Array.from({ length }, (_, i) => (cols <= rows ? data[i * cols + k]! : data[k * cols + i]!)),
  );
}

/** Σ a_i b_i. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Makes two columns orthogonal; whether they were not. */
function turn(a: Float64Array, b: Float64Array): boolean {
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
  if (Math.abs(ab) <= ORTHOGONAL * Math.sqrt(aa * bb)) return false;
  const zeta = (bb - aa) / (2 * ab);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = cosine * tangent;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
  return true;
}

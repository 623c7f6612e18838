/** The spectral radius of a real square matrix: the largest modulus of its eigenvalues. */
import { argumentError, checkKeys, DtesnError, rangeError, shapeError } from '../errors/index.js';
import { addon, checkView, type Floats, longRun } from '../native/index.js';
import type { Matrix } from './matrix.js';

/**
 * The spectral radius of a real square matrix: the largest modulus of its eigenvalues.
 *
 *     ρ(A) = max |λ|,   A v = λ v
 *
 * Correct for non-symmetric matrices, whose dominant eigenvalues mostly come as complex pairs. The matrix is split into
 * its irreducible blocks, and a periodic block (a ring, say) is replaced by its product once around. Blocks of up to
 * 400 rows give all their eigenvalues (balanced, Hessenberg, double-shift QR), larger ones their dominant one by
 * Arnoldi to a residual ||A v - λ v|| / (|λ| ||v||) of 1e-8, or all by QR when Arnoldi does not converge (up to 2000
 * rows).
 *
 * Accuracy: some 1e-12 relative for well-conditioned eigenvalues; about (1e-16)^(1/k) for a defective one of index k.
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT for a value that is not a matrix; RangeError ERR_DTESN_SHAPE for one that is not
 * square or is empty; RangeError ERR_DTESN_ARGUMENT for NaN and infinities; DtesnError ERR_DTESN_CONVERGENCE for a
 * block beyond 2000 rows whose eigenvalues have nearly one modulus (an orthogonal matrix, say), which no iteration
 * separates.
 * Source: Golub & Van Loan (2013), Matrix Computations, sections 7.5 and 10.5.
 */
export function spectralRadius(m: Matrix): number {
  const data = checkSquare(m);
  const { radius, residual, converged } = addon().spectralRadius(Float64Array.from(data), m.rows);
  if (converged) return radius;
  throw notConverged(m, residual);
}

/**
 * The same off the JavaScript thread, to the same bits. The matrix is copied before the call returns. An abort rejects
 * with the signal's reason within a few matrix-vector products.
 */
export async function spectralRadiusAsync(
  m: Matrix,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<number> {
  checkKeys(options, ['signal'], 'spectralRadiusAsync');
  options.signal?.throwIfAborted();
  const data = Float64Array.from(checkSquare(m));
  const found = new Float64Array(3);
  const start = (control: Int32Array) => addon().spectralRadiusAsync(data, m.rows, found, control);
  await longRun(start, options, { stage: 'spectral radius', total: null });
  const [radius, residual, converged] = found;
  if (converged === 1) return radius!;
  throw notConverged(m, residual!);
}

function notConverged({ rows, cols }: Matrix, residual: number): DtesnError {
  return new DtesnError(
    'ERR_DTESN_CONVERGENCE',
    `Expected the spectral radius of ${rows} x ${cols} to converge but the residual is ${residual.toExponential(1)}`,
  );
}

function checkSquare(m: Matrix): Floats {
  if (typeof m !== 'object' || m === null || !('data' in m)) {
    throw argumentError('a matrix {rows, cols, data}', 'm', m);
  }
  const data = checkView(m.data, 'm.data', ['Float32Array', 'Float64Array']);
  if (!(Number.isSafeInteger(m.rows) && m.rows > 0 && m.rows === m.cols)) {
    throw shapeError('a square matrix', `${String(m.rows)} x ${String(m.cols)}`);
  }
  if (data.length !== m.rows * m.cols) throw shapeError(`m.data with ${m.rows} x ${m.cols} elements`, data.length);
  const bad = data.findIndex((value: number) => !Number.isFinite(value));
  if (bad >= 0) throw rangeError('finite numbers', `m.data (element ${bad})`, data[bad]);
  return data;
}

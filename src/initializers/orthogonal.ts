/** Random orthogonal weights. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import { type DenseInitializer, number, randomOf, square } from './initializer.js';

/** Options of orthogonal: the radius of the matrix. */
export interface OrthogonalOptions {
  /** Factor of the matrix, which is its spectral radius. Default 1. */
  scale?: number | undefined;
}

const optionsSchema = z.object({ scale: number(1) });

/**
 * A random orthogonal W, uniform over all of them (Haar), times `scale`: W W' = scale² I.
 *
 * Q of a normal matrix, whose columns Gram and Schmidt make orthogonal, twice; R then has a positive diagonal. About 4 n³ operations.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; of the initializer RangeError ERR_DTESN_SHAPE for a matrix that
 * is not square.
 * Source: White, Lee & Sompolinsky (2004), "Short-term memory in orthogonal neural networks", Physical Review Letters 92; Mezzadri (2007),
 * "How to generate random matrices from the classical compact groups", Notices of the AMS 54.
 */
export function orthogonal(options: OrthogonalOptions = {}): DenseInitializer {
  const { scale } = checkOptions(optionsSchema, options, 'orthogonal');
  return (rows, cols, seed = 0) => {
    const weights = square(rows, cols);
    const random = randomOf(seed);
    const basis: Float64Array[] = [];
    for (let i = 0; i < rows; i++) {
      const row = weights.data.subarray(i * cols, (i + 1) * cols);
      for (let k = 0; k < cols; k++) row[k] = random.normal();
      for (const before of [...basis, ...basis]) removePart(row, before);
      const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
      for (let k = 0; k < cols; k++) row[k]! /= length;
      basis.push(row);
    }
    for (let i = 0; i < weights.data.length; i++) weights.data[i]! *= scale;
    return weights;
  };
}

function removePart(row: Float64Array, unit: Float64Array): void {
  let along = 0;
  for (let k = 0; k < row.length; k++) along += row[k]! * unit[k]!;
  for (let k = 0; k < row.length; k++) row[k]! -= along * unit[k]!;
}

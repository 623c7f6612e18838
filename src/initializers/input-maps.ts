/** Input weights without chance: chaotic maps along the units. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import { type DenseInitializer, finite, number, zeros } from './initializer.js';

/** Options of chebyshevInput: the first row, and the order of the map. */
export interface ChebyshevInputOptions {
  /** p: factor of the first row, in (0, 1]. Default 0.3. */
  amplitude?: number | undefined;
  /** q: divisor of the angle of the first row, above 0. Default 5.9. */
  divisor?: number | undefined;
  /** k: order of the map, chaotic from 2 on. Default 2. */
  order?: number | undefined;
}

const positive = (fallback: number) => z.number().gt(0).default(fallback).describe('a number above 0');

const chebyshevSchema = z.object({
  amplitude: z.number().gt(0).lte(1).default(0.3).describe('a number in (0, 1]'),
  divisor: positive(5.9),
  order: number(2),
});

/**
 * Input weights by the Chebyshev map: each row is the map of the row before.
 *
 *     W[0, j] = p sin((j + 1) π / (q D)),      W[i, j] = cos(k arccos W[i-1, j])          D the inputs
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: Xie, Wang & Yu (2024), "Time series prediction of ESN based on Chebyshev mapping and strongly connected topology", Neural
 * Processing Letters 56.
 */
export function chebyshevInput(options: ChebyshevInputOptions = {}): DenseInitializer {
  const { amplitude, divisor, order } = checkOptions(chebyshevSchema, options, 'chebyshevInput');
  return mapped(amplitude, divisor, (w) => Math.cos(order * Math.acos(w)));
}

/** Options of logisticInput: the first row, and the parameter of the map. */
export interface LogisticInputOptions {
  /** p: factor of the first row, in (0, 1]. Default 0.3. */
  amplitude?: number | undefined;
  /** q: divisor of the angle of the first row, 1 or more: the map leaves [0, 1] otherwise. Default 5.9. */
  divisor?: number | undefined;
  /** r: parameter of the logistic map, in (0, 4]. Default 3.7. */
  r?: number | undefined;
}

const logisticSchema = z.object({
  amplitude: z.number().gt(0).lte(1).default(0.3).describe('a number in (0, 1]'),
  divisor: z.number().min(1).default(5.9).describe('a number, 1 or more'),
  r: z.number().gt(0).lte(4).default(3.7).describe('a number in (0, 4]'),
});

/**
 * Input weights by the logistic map: each row is the map of the row before.
 *
 *     W[0, j] = p sin((j + 1) π / (q D)),      W[i, j] = r W[i-1, j] (1 - W[i-1, j])          D the inputs
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option.
 * Source: Wang et al. (2022), "Echo state network with logistic mapping and bias dropout for time series prediction", Neurocomputing 489.
 */
export function logisticInput(options: LogisticInputOptions = {}): DenseInitializer {
  const { amplitude, divisor, r } = checkOptions(logisticSchema, options, 'logisticInput');
  return mapped(amplitude, divisor, (w) => r * w * (1 - w));
}

function mapped(amplitude: number, divisor: number, next: (weight: number) => number): DenseInitializer {
  return (rows, cols) => {
    const weights = zeros(rows, cols);
    for (let j = 0; j < cols; j++) {
      let weight = amplitude * Math.sin(((j + 1) * Math.PI) / (divisor * cols));
      for (let i = 0; i < rows; i++) {
        weights.data[i * cols + j] = weight;
        weight = next(weight);
      }
    }
    return finite(weights);
  };
}

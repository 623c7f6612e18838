/**
 * Features along their principal components, each of variance 1, on which a penalty of the weights is one number a component:
 *
 *     X - 1 m' = J S U'      Z = sqrt(rows) (X - 1 m') U / S      W = sqrt(rows) U A / S,   ‖W‖² = Σ_i rows / s_i² |a_i|²
 *
 * Components that are lost in rounding are left out: without a penalty, W is the shortest of the best then. With an intercept the last
 * column of Z is 1, and without a penalty.
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT for features whose squares are not finite; of `penalty` where it is not finite, and where a
 * feature beside others of far larger units is lost and the ridge would not hold its weight at 0. A scale of each feature would not
 * help: ‖W‖² is not one number a component then.
 */
import { rangeError } from '../errors/index.js';
import { matrix } from '../numeric/index.js';
import { largestOf, product } from './cross-entropy.js';
import { LinearReadout } from './linear-readout.js';
import { RidgeSums } from './sums.js';

/** Singular values below this share of the largest, times the features, are those of rounding. */
const ROUNDING = 2.3e-16;

/** Share of the ridge up to which the squares of a lost feature are too small to matter: the mean loss is less by half of it at most. */
const HARMLESS = 1e-9;

/** The least number of all digits. */
const LEAST_NORMAL = 2.3e-308;

export interface Components {
  /** Z, rows x columns. */
  values: Float64Array;
  columns: number;
  /** The penalty of each column for a ridge. */
  penalty: (ridge: number) => Float64Array;
  /** The readout in units of the features, of A, columns x outputs. */
  readout: (weights: Float64Array, outputs: number) => LinearReadout;
}

/** Of rows in parts, each rows x features. */
export function principalComponents(parts: readonly Float64Array[], features: number, intercept: boolean): Components {
  const x = joined(parts);
  const rows = x.length / features;
  const norms = normsOf(x, features, intercept);
  const { vectors, squares, means } = spectrumOf(x, features, intercept);
  const floor = (ROUNDING * Math.max(features, rows)) ** 2 * squares.reduce((most, s) => Math.max(most, s), 0);
  const kept = [...squares.keys()].filter((i) => squares[i]! > Math.max(floor, LEAST_NORMAL));
  const rank = kept.length;
  const lost = lostOf(norms, vectors, kept);
  const columns = rank + Number(intercept);
  const scale = kept.map((i) => Math.sqrt(rows) / squares[i]!); // the vectors have the length s
  const back = new Float64Array(features * rank);
  for (const [k, i] of kept.entries()) {
    for (let j = 0; j < features; j++) back[j * rank + k] = scale[k]! * vectors[i * features + j]!;
  }
  for (let at = 0; at < x.length; at++) x[at]! -= means[at % features]!;
  const values = new Float64Array(rows * columns).fill(1);
  const along = rank > 0 ? product(x, features, back, rank) : new Float64Array(0);
  for (let t = 0; t < rows; t++) values.set(along.subarray(t * rank, (t + 1) * rank), t * columns);
  return {
    values,
    columns,
    penalty: (ridge) => {
      const column = lost.find((j) => norms[j]! > Math.sqrt(HARMLESS * ridge));
      if (column !== undefined) {
        throw rangeError(
          'a deviation that is not lost beside the other features (scale the features)',
          `features, column ${column},`,
          norms[column]! / Math.sqrt(rows),
        );
      }
      const penalties = Float64Array.from({ length: columns }, (_, k) =>
        k < rank ? (ridge * rows) / squares[kept[k]!]! : 0,
      );
      if (!penalties.every(Number.isFinite)) {
        throw rangeError('a finite penalty along each component (scale the features)', 'ridge', ridge);
      }
      return penalties;
    },
    readout: (a, outputs) => {
      const weights =
        rank > 0 ? product(back, rank, a.slice(0, rank * outputs), outputs) : new Float64Array(features * outputs);
      const bias = Float64Array.from({ length: outputs }, (_, k) => (intercept ? a[rank * outputs + k]! : 0));
      for (let at = 0; at < weights.length; at++)
        bias[at % outputs]! -= means[Math.floor(at / outputs)]! * weights[at]!;
      return new LinearReadout({ states: features, weights: matrix(features, outputs, weights), bias });
    },
  };
}

/** Of each feature less its mean, the root of the sum of squares; 0 where it varies by no more than rounding. */
function normsOf(x: Float64Array, features: number, intercept: boolean): Float64Array {
  const rows = x.length / features;
  const norms = new Float64Array(features);
  for (let j = 0; j < features; j++) {
    const values = Float64Array.from({ length: rows }, (_, t) => x[t * features + j]!);
    const mean = intercept ? meanOf(values, meanOf(values, 0)) : 0;
    const size = largestOf(values);
    for (let t = 0; t < rows; t++) values[t]! -= mean;
    const spread = largestOf(values);
    if (spread <= 8 * Number.EPSILON * size && intercept) continue;
    norms[j] = spread && spread * Math.sqrt(values.reduce((sum, value) => sum + (value / spread) ** 2, 0));
    if (!Number.isFinite(norms[j]! ** 2 * features)) {
      throw rangeError('features with a finite square (scale the features)', `features, column ${j},`, size);
    }
  }
  return norms;
}

function meanOf(values: Float64Array, from: number): number {
  return values.reduce((sum, value) => sum + (value - from) / values.length, from);
}

/** Features of which the kept components hold less than half of the sum of squares. */
function lostOf(norms: Float64Array, vectors: Float64Array, kept: readonly number[]): number[] {
  const held = new Float64Array(norms.length);
  for (const i of kept) for (let j = 0; j < held.length; j++) held[j]! += vectors[i * held.length + j]! ** 2;
  return [...norms.keys()].filter((j) => Math.sqrt(held[j]!) < Math.SQRT1_2 * norms[j]!);
}

function spectrumOf(x: Float64Array, features: number, intercept: boolean) {
  const rows = x.length / features;
  const shape = { states: features, inputs: 0, outputs: 1, intercept };
  const sums = new RidgeSums(shape, features >= rows ? 'dual' : 'svd', 'Softmax');
  sums.add({ states: x, inputs: undefined, steps: rows }, new Float64Array(rows));
  const [vectors, squares, , , means] = sums.spectrum().parts;
  sums.close();
  return { vectors, squares, means };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const x = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    x.set(part, at);
    at += part.length;
  }
  return x;
}

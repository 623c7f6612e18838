/** Softmax regression by plain Newton steps: the whole matrix of second derivatives, solved by elimination. */
import { eliminated } from './ridge.js';

export interface PlainSoftmaxOptions {
  x: number[][];
  classOf: number[];
  classes: number;
  ridge: number;
  intercept?: boolean;
}

/** W, features x classes row by row, and b; each sums to 0 over the classes. */
export function plainSoftmax({ x, classOf, classes, ridge, intercept = true }: PlainSoftmaxOptions) {
  const rows = x.map((row) => (intercept ? [...row, 1] : row));
  const features = x[0]!.length;
  const columns = rows[0]!.length;
  const size = columns * classes;
  let weights = new Array<number>(size).fill(0);
  const probabilitiesOf = (row: number[], a: number[]) => {
    const outputs = Array.from({ length: classes }, (_, k) =>
      row.reduce((sum, z, j) => sum + z * a[j * classes + k]!, 0),
    );
    const most = Math.max(...outputs);
    const powers = outputs.map((y) => Math.exp(y - most));
    const sum = powers.reduce((all, one) => all + one, 0);
    return powers.map((one) => one / sum);
  };
  const penaltyOf = (at: number) => (at < features * classes ? ridge : 0);
  const loss = (a: number[]) =>
    rows.reduce((sum, row, t) => sum - Math.log(probabilitiesOf(row, a)[classOf[t]!]!), 0) +
    a.reduce((sum, w, at) => sum + (penaltyOf(at) * w * w) / 2, 0);
  for (let iteration = 0; iteration < 60; iteration++) {
    const gradient = weights.map((w, at) => penaltyOf(at) * w);
    const second = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    for (const [t, row] of rows.entries()) {
      const p = probabilitiesOf(row, weights);
      for (let a = 0; a < size; a++) {
        const [i, k] = [Math.floor(a / classes), a % classes];
        gradient[a]! += row[i]! * (p[k]! - Number(classOf[t] === k));
        for (let b = 0; b < size; b++) {
          const [j, m] = [Math.floor(b / classes), b % classes];
          second[a]![b]! += row[i]! * row[j]! * p[k]! * (Number(k === m) - p[m]!);
        }
      }
    }
    // A constant on all classes changes no probability: its curvature is set to 1, and the step has none of it.
    for (let a = 0; a < size; a++) {
      second[a]![a]! += penaltyOf(a);
      for (let k = 0; k < classes; k++) second[a]![a - (a % classes) + k]! += 1;
    }
    const step = eliminated(
      second.map((row, a) => Float64Array.of(...row, gradient[a]!)),
      1,
    ).map(([value]) => value!);
    let length = 1;
    const after = () => weights.map((w, at) => w - length * step[at]!);
    while (length > 1e-6 && loss(after()) > loss(weights) + 1e-12) length /= 2;
    weights = after();
  }
  return {
    weights: weights.slice(0, features * classes),
    bias: intercept ? weights.slice(-classes) : new Array<number>(classes).fill(0),
  };
}

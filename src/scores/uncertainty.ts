/** Scores of forecasts that say how sure they are. */
import { argumentError, rangeError } from '../errors/index.js';
import { asMatrix, type Matrix64, type SeriesInput } from '../numeric/index.js';
import { pairOf } from './series-pair.js';

/**
 * Continuous ranked probability score of an ensemble, the mean over all numbers; in the unit of the targets, 0 is exact. For one member
 * it is the mean absolute error.
 *
 *     CRPS = mean_i |x_i - y| - 1/(2 m²) Σ_i Σ_j |x_i - x_j|          x_i the m members, y the target
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT for no list, RangeError for none in it; RangeError ERR_DTESN_SHAPE for members of other shapes.
 * Source: Gneiting & Raftery (2007), "Strictly proper scoring rules, prediction, and estimation", J. American Statistical Ass. 102, eq. 21.
 */
export function crps(targets: SeriesInput, members: readonly SeriesInput[]): number {
  if (!Array.isArray(members)) throw argumentError('an array of series', 'members', members);
  if (members.length === 0) throw rangeError('at least one member', 'members', 0);
  const all = members.map((member) => pairOf(targets, member).outputs.data);
  const { data } = asMatrix(targets, 'targets');
  const m = all.length;
  let total = 0;
  for (let i = 0; i < data.length; i++) {
    const values = Float64Array.from(all, (member) => member[i]!).sort();
    // Σ_i Σ_j |x_i - x_j| = 2 Σ_k (2 k - m + 1) x_k of ascending x.
    let [error, spread] = [0, 0];
    for (let k = 0; k < m; k++) {
      error += Math.abs(values[k]! - data[i]!);
      spread += (2 * k - m + 1) * values[k]!;
    }
    total += error / m - spread / (m * m);
  }
  return total / data.length;
}

/**
 * Continuous ranked probability score of normal distributions with these means and standard deviations, the mean over all numbers.
 *
 *     CRPS = σ (z (2 Φ(z) - 1) + 2 φ(z) - 1/√π)          z = (y - μ) / σ
 *
 * Where σ is 0 it is |y - μ|. Φ is exact to 1e-7.
 * Errors: RangeError ERR_DTESN_ARGUMENT for a deviation below 0; RangeError ERR_DTESN_SHAPE for shapes that differ.
 * Source: Gneiting & Raftery (2007), section 4.2.
 */
export function crpsNormal(targets: SeriesInput, means: SeriesInput, deviations: SeriesInput): number {
  const pair = pairOf(targets, means);
  const sigma = pairOf(targets, deviations).outputs.data;
  const negative = sigma.findIndex((one) => one < 0);
  if (negative >= 0) throw rangeError('deviations of 0 or more', `deviations (element ${negative})`, sigma[negative]);
  const { data } = pair.targets;
  let total = 0;
  for (let i = 0; i < data.length; i++) {
    const [error, deviation] = [data[i]! - pair.outputs.data[i]!, sigma[i]!];
    const z = error / deviation;
    total +=
      deviation === 0
        ? Math.abs(error)
        : deviation *
          (z * errorFunction(z / Math.SQRT2) +
            Math.sqrt(2 / Math.PI) * Math.exp((-z * z) / 2) -
            1 / Math.sqrt(Math.PI));
  }
  return total / data.length;
}

/** erf. Source: Abramowitz & Stegun (1964), 7.1.26, error below 1.5e-7. */
function errorFunction(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - tail * Math.exp(-x * x));
}

/** How often targets lie in their intervals, and how wide those are. */
export interface Coverage {
  /** Share of targets from lower to upper, both included. */
  readonly share: number;
  /** Mean of upper - lower, in the unit of the targets. */
  readonly width: number;
}

/**
 * The share of targets in their prediction intervals, and the mean width of these: right intervals of 90 % have a share of 0.9, and the
 * narrower of two right ones is better.
 *
 * Errors: RangeError ERR_DTESN_SHAPE for shapes that differ; RangeError ERR_DTESN_ARGUMENT for an upper bound below its lower one.
 */
export function coverage(targets: SeriesInput, lower: SeriesInput, upper: SeriesInput): Coverage {
  const low: Matrix64 = pairOf(targets, lower).outputs;
  const { targets: wanted, outputs: high } = pairOf(targets, upper);
  let [inside, width] = [0, 0];
  for (let i = 0; i < wanted.data.length; i++) {
    const [value, from, to] = [wanted.data[i]!, low.data[i]!, high.data[i]!];
    if (from > to) throw rangeError(`at least ${from} (lower)`, `upper (element ${i})`, to);
    if (value >= from && value <= to) inside++;
    width += to - from;
  }
  return { share: inside / wanted.data.length, width: width / wanted.data.length };
}

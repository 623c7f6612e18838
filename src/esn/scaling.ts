/**
 * Scaling of columns, learned from the first series that a model is fitted to.
 *
 *     'standard'   (u - mean) / standard deviation        'range'   2 (u - min) / (max - min) - 1        'none'   u
 *
 * A column that does not vary is only shifted.
 */
import type { Floats } from '../native/index.js';

/** How inputs are scaled before the network reads them. */
export type Scale = 'none' | 'standard' | 'range';

/** (u - offset) / factor of each column. */
export interface Scaling {
  offset: Float64Array;
  factor: Float64Array;
}

export function scalingOf(kind: Exclude<Scale, 'none'>, series: readonly Floats[], columns: number): Scaling {
  return kind === 'standard' ? standard(series, columns) : range(series, columns);
}

function standard(series: readonly Floats[], columns: number): Scaling {
  const rows = series.reduce((sum, one) => sum + one.length, 0) / columns;
  const meanOf = (value: (u: number, column: number) => number) => {
    const sums = new Float64Array(columns);
    for (const one of series) {
      for (let i = 0; i < one.length; i++) sums[i % columns]! += value(one[i]!, i % columns);
    }
    return sums.map((sum) => sum / rows);
  };
  const offset = meanOf((u) => u);
  const variance = meanOf((u, column) => (u - offset[column]!) ** 2);
  return { offset, factor: variance.map((square) => Math.sqrt(square) || 1) };
}

function range(series: readonly Floats[], columns: number): Scaling {
  const least = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
  for (const one of series) {
    for (let i = 0; i < one.length; i++) {
      const column = i % columns;
      least[column] = Math.min(least[column]!, one[i]!);
      most[column] = Math.max(most[column]!, one[i]!);
    }
  }
  return {
    offset: least.map((value, i) => (value + most[i]!) / 2),
    factor: least.map((value, i) => (most[i]! - value) / 2 || 1),
  };
}

/** Rows in the units of the network, into `out`; `first`: the column of the scaling that the rows begin with. */
export function scaled(
  values: ArrayLike<number>,
  { offset, factor }: Scaling,
  out: Floats,
  columns: number,
  first = 0,
) {
  for (let i = 0; i < values.length; i++) {
    const column = first + (i % columns);
    out[i] = (values[i]! - offset[column]!) / factor[column]!;
  }
  return out;
}

/** Rows in the units of the data, in place. */
export function unscale(values: Float64Array, { offset, factor }: Scaling, columns: number): void {
  for (let i = 0; i < values.length; i++) {
    const column = i % columns;
    values[i] = values[i]! * factor[column]! + offset[column]!;
  }
}

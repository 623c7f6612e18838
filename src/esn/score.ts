/** Coefficient of determination over all rows of some series whose target is a number. */
export function determination(
  all: readonly { predicted: ArrayLike<number>; wanted: ArrayLike<number> }[],
  outputs: number,
): number {
  const [rows, means] = [new Float64Array(outputs), new Float64Array(outputs)];
  /** Σ (y - mean y)², kept up row by row, and Σ (y - ŷ)². */
  const [spreads, left] = [new Float64Array(outputs), new Float64Array(outputs)];
  for (const { predicted, wanted } of all) {
    for (let i = 0; i < wanted.length; i++) {
      const [o, y] = [i % outputs, wanted[i]!];
      if (Number.isNaN(y)) continue;
      rows[o]!++;
      const off = y - means[o]!;
      means[o]! += off / rows[o]!;
      spreads[o]! += off * (y - means[o]!);
      left[o]! += (y - predicted[i]!) ** 2;
    }
  }
  return left.reduce((sum, square, o) => sum + 1 - square / spreads[o]!, 0) / outputs;
}

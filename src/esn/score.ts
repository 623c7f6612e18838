/** Coefficient of determination over all rows of some series whose target is a number. */
export function determination(
  all: readonly { predicted: ArrayLike<number>; wanted: ArrayLike<number> }[],
  outputs: number,
): number {
  let sum = 0;
  for (let o = 0; o < outputs; o++) {
    const pairs = all.flatMap(({ predicted, wanted }) =>
      Array.from(wanted)
        .map((y, i) => [y, predicted[i]!, i % outputs] as const)
        .filter(([y, , column]) => column === o && !Number.isNaN(y)),
    );
    const mean = pairs.reduce((total, [y]) => total + y / pairs.length, 0);
    const left = pairs.reduce((total, [y, p]) => total + (y - p) ** 2, 0);
    const spread = pairs.reduce((total, [y]) => total + (y - mean) ** 2, 0);
    sum += 1 - left / spread;
  }
  return sum / outputs;
}

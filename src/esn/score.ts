/** Coefficients of determination: of outputs, and of what an Esn predicts. */
import { shapeError } from '../errors/index.js';
import type { Floats } from '../native/index.js';
import type { Network, State } from '../network/index.js';
import type { SeriesInput } from '../numeric/index.js';
import type { OpenLevels } from './levels.js';
import { checkAsMany, listOf } from './lists.js';
import type { PredictOptions } from './options.js';
import type { Runner } from './runner.js';
import { readWanted } from './training.js';

/** What predicts. */
export interface Scored extends Pick<OpenLevels, 'trained' | 'open'> {
  runner: Runner;
  network: Network;
  /** The own state of the Esn. */
  own: State;
}

/** That of series, by their targets; without these, of the next step. States are copied, so that none moves. */
export function scoreOf(
  x: SeriesInput | readonly SeriesInput[],
  y: SeriesInput | readonly SeriesInput[] | undefined,
  options: PredictOptions,
  { own, ...scored }: Scored,
): number {
  const copy = own.copy();
  try {
    const begun = scored.runner.series(x, options, { call: 'score', own: copy });
    const targets = y === undefined ? undefined : listOf<SeriesInput>(y as SeriesInput, begun.isMany);
    const onCopy = <R>(i: number, run: (state: State) => R): R => {
      const state = begun.begin(i);
      if (state === copy) return run(copy);
      const moved = state.copy();
      try {
        return run(moved);
      } finally {
        moved.close();
      }
    };
    return ofSeries(begun.series, targets, onCopy, scored);
  } finally {
    copy.close();
  }
}

function ofSeries(
  series: readonly Floats[],
  targets: readonly SeriesInput[] | undefined,
  onCopy: <R>(i: number, run: (state: State) => R) => R,
  { trained, open, runner, network }: Omit<Scored, 'own'>,
): number {
  const { inputs } = network;
  if (targets) checkAsMany(targets, series.length, 'targets');
  else if (trained.outputs !== inputs) {
    throw shapeError(`targets of the ${trained.outputs} outputs (the next step has ${inputs} inputs)`, 'none');
  }
  return determination(
    series.map((values, i) => {
      if (!targets && values.length < 2 * inputs) throw shapeError('a series with at least 2 steps', 1);
      const seen = targets ? values : values.subarray(0, -inputs);
      const predicted = onCopy(i, (state) => open(state, (opened) => runner.outputs(trained, seen, opened)));
      const wanted = targets
        ? readWanted(targets[i]!, predicted.rows, trained.outputs, null, network)
        : Float64Array.from(values.subarray(inputs));
      if (!targets) trained.toData(wanted);
      return { predicted: predicted.data, wanted };
    }),
    trained.outputs,
  );
}

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

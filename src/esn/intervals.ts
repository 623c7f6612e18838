/** Prediction intervals of an Esn, from what it leaves of rows that it has not learned. */
import { z } from 'zod';
import { argumentError, checkKeys, checkOptions, DtesnError, rangeError, shapeError } from '../errors/index.js';
import type { Floats } from '../native/index.js';
import { asMatrix, checkMemory, type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { isRidge, Ridge } from '../readout/index.js';
import { type Esn, isEsn } from './esn.js';
import { isList, listOf } from './lists.js';
import type { PredictOptions } from './options.js';
import { readWanted } from './training.js';

export const intervalsSchema = z.object({
  esn: z.custom<Esn>(isEsn).describe('an Esn'),
  folds: z.int().min(2).max(100).default(5).describe('a whole number from 2 to 100'),
});

/** Options of PredictionIntervals: the model, and in how many parts its series are taken. */
export interface PredictionIntervalsOptions {
  /** The model, whose readout is a Ridge; `fit` trains it. Required. */
  esn: Esn;
  /** Parts of the rows, each predicted by a readout of the others; of whole series in a list. Default 5. */
  folds?: number | undefined;
}

/** Options of PredictionIntervals.predict: how sure, and where the series starts. */
export interface IntervalOptions extends PredictOptions {
  /** Share of the targets that the interval is to hold, in (0, 1). Default 0.9. */
  coverage?: number | undefined;
}

/** Outputs and the bounds of their intervals, each steps x outputs. */
export interface PredictionInterval {
  /** What the model predicts. */
  mean: Matrix;
  /** Lower bounds. */
  lower: Matrix;
  /** Upper bounds. */
  upper: Matrix;
}

/**
 * Prediction intervals of an Esn, from what it leaves of rows that it has not learned.
 *
 *     const intervals = new PredictionIntervals({ esn }).fit(x, y);      // trains esn too
 *     const { mean, lower, upper } = intervals.predict(next, { coverage: 0.9 });
 *
 *     lower(t) = y(t) + r_(⌊(n + 1) α / 2⌋)      upper(t) = y(t) + r_(⌈(n + 1) (1 - α / 2)⌉)      α = 1 - coverage
 *
 * r_(1) ≤ r_(2) ≤ ... are the n residuals of each output, target less prediction, of rows predicted by readouts of the other folds. For targets
 * whose errors are as those of the training, whatever their distribution; errors that grow as a series drifts are not foreseen.
 * It takes as many fits as there are folds. The network runs twice over the series: once to train the model, and once for the rows of the
 * folds, whose features are held in memory.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option, a readout that is no Ridge, or a coverage that needs more rows; as those of
 * Esn.fit and Esn.predict; DtesnError ERR_DTESN_EMPTY before a fit.
 * Sources: Barber, Candès, Ramdas, Tibshirani (2021), "Predictive inference with the jackknife+", Annals of Statistics 49(1) (CV+);
 * Vovk, Gammerman, Shafer (2005), "Algorithmic Learning in a Random World".
 */
export class PredictionIntervals {
  /** The model. */
  readonly esn: Esn;
  /** Parts of the rows. */
  readonly folds: number;
  /** For each output, the residuals of each fold. */
  #residuals: Float64Array[][] | null = null;

  constructor(options: PredictionIntervalsOptions) {
    const { esn, folds } = checkOptions(intervalsSchema, options, 'PredictionIntervals');
    this.esn = esn;
    this.folds = folds;
  }

  /** Trains the model on a series, or on a list of them, and collects the residuals. Returns this object. */
  fit(x: SeriesInput | readonly SeriesInput[], y?: SeriesInput | readonly SeriesInput[]): this {
    const { esn } = this;
    esn.fit(x, y);
    const { learner } = esn;
    if (learner === null || !isRidge(learner)) throw argumentError('a model with a Ridge', 'esn', esn);
    const rows = rowsOf(esn, x, y, this.folds);
    const outputs = esn.readout.outputs;
    this.#residuals = Array.from({ length: outputs }, () => []);
    for (let fold = 0; fold < this.folds; fold++) {
      const { ridge, solver, intercept } = learner;
      const others = new Ridge({ ridge, solver, intercept });
      for (const part of rows) if (part.fold !== fold) others.add(part.features, part.targets);
      const readout = others.solve();
      const left = rows
        .filter((part) => part.fold === fold)
        .map(({ features, targets }) => {
          const out = readout.apply(features).data;
          return targets.data.map((target, i) => target - out[i]!) as Float64Array;
        });
      others.close();
      this.#residuals.forEach((of, o) => {
        of.push(
          Float64Array.from(left.flatMap((all) => [...all].filter((r, i) => i % outputs === o && !Number.isNaN(r)))),
        );
      });
    }
    return this;
  }

  /** Residuals of one output of the model, in ascending order: what the intervals are made of. */
  residuals(output = 0): Float64Array {
    const all = this.#ready();
    if (all[output] === undefined) throw rangeError(`an output from 0 to ${all.length - 1}`, 'output', output);
    return sorted(all[output]);
  }

  /** Predictions of a series with the bounds of their intervals, as Esn.predict: from the own state, which moves on. */
  predict(x: SeriesInput, options: IntervalOptions = {}): PredictionInterval {
    checkKeys(options, ['coverage', 'state'], 'predict');
    const { coverage = 0.9, ...more } = options;
    const bounds = this.#ready().map((folds) => boundsOf(sorted(folds), coverage));
    const mean = this.esn.predict(x, more);
    const { rows, cols, data } = mean;
    const shifted = (side: 0 | 1) =>
      matrix(
        rows,
        cols,
        Float64Array.from(data, (value, i) => value + bounds[i % cols]![side]),
      );
    return { mean, lower: shifted(0), upper: shifted(1) };
  }

  /**
   * The share of the targets of each fold that intervals made of the other folds hold, the mean over folds and outputs: far from
   * `coverage` where the errors change along the series.
   */
  measured(coverage = 0.9): number {
    const shares = this.#ready().flatMap((folds) =>
      folds.map((own, fold) => {
        const [lower, upper] = boundsOf(sorted(folds.filter((_, other) => other !== fold)), coverage);
        return own.filter((r) => r >= lower && r <= upper).length / own.length;
      }),
    );
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  #ready(): Float64Array[][] {
    if (this.#residuals !== null) return this.#residuals;
    throw new DtesnError('ERR_DTESN_EMPTY', 'Expected trained PredictionIntervals: call fit first');
  }
}

interface FoldRows {
  fold: number;
  features: Matrix;
  /** In the units of the data. */
  targets: Matrix;
}

/** Features and targets of every row after the washout, in their folds. */
function rowsOf(
  esn: Esn,
  x: SeriesInput | readonly SeriesInput[],
  y: SeriesInput | readonly SeriesInput[] | undefined,
  folds: number,
): FoldRows[] {
  const { featured, washout, readout } = esn;
  const { inputs, featureSize } = featured;
  const { outputs } = readout;
  const isMany = isList(x);
  const series = listOf<SeriesInput>(x as SeriesInput, isMany);
  if (isMany && series.length < folds) throw shapeError(`${folds} series or more (folds)`, series.length);
  const targets = y === undefined ? null : listOf<SeriesInput>(y as SeriesInput, isMany);
  const state = featured.createState();
  const parts = series.flatMap((raw, i) => {
    const values = esn.toNetwork(raw);
    const wanted = targets
      ? readWanted(targets[i]!, values.length / inputs, outputs, null, featured)
      : ownRows(raw, inputs).data.subarray(inputs);
    const steps = wanted.length / outputs;
    checkMemory(8 * steps * featureSize, `features of ${steps} rows`);
    state.reset();
    const { data } = featured.run(values.subarray(0, steps * inputs), { state });
    const piece = (fold: number, from: number, to: number): FoldRows => ({
      fold,
      features: matrix(to - from, featureSize, (data as Floats).subarray(from * featureSize, to * featureSize)),
      targets: matrix(to - from, outputs, wanted.subarray(from * outputs, to * outputs)),
    });
    if (isMany) return [piece(Math.floor((i * folds) / series.length), washout, steps)];
    if (steps - washout < folds) throw shapeError(`${washout + folds} rows or more (washout and folds)`, steps);
    const place = (fold: number) => washout + Math.floor((fold * (steps - washout)) / folds);
    return Array.from({ length: folds }, (_, fold) => piece(fold, place(fold), place(fold + 1)));
  });
  state.close();
  return parts;
}

/** The rows of a series in the units of the data. */
function ownRows(raw: SeriesInput, inputs: number): Matrix {
  const isView = raw instanceof Float32Array || raw instanceof Float64Array;
  return asMatrix(isView ? matrix(raw.length / inputs, inputs, raw) : raw, 'x');
}

function sorted(folds: readonly Float64Array[]): Float64Array {
  return Float64Array.from(folds.flatMap((fold) => [...fold])).sort();
}

function boundsOf(residuals: Float64Array, coverage: number): [lower: number, upper: number] {
  if (!(coverage > 0 && coverage < 1)) throw rangeError('a number in (0, 1)', 'coverage', coverage);
  const n = residuals.length;
  const low = Math.floor(((n + 1) * (1 - coverage)) / 2 + 1e-9);
  if (low < 1)
    throw rangeError(`a coverage that ${n} residuals can carry, up to ${1 - 2 / (n + 1)},`, 'coverage', coverage);
  return [residuals[low - 1]!, residuals[n - low]!];
}

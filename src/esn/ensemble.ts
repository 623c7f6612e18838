/** Ensembles of models that differ by their seeds: the mean of what they say, and how far they are apart. */
import { argumentError, checkKeys, checkWhole, DtesnError, shapeError } from '../errors/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import type { EsnClassifier } from './classifier.js';
import type { Esn } from './esn.js';
import { accuracyOf, type Label } from './labels.js';
import { checkAsMany } from './lists.js';
import { indexOfLargest } from './probabilities.js';
import { determination } from './score.js';

/** Options of an ensemble: how many models, and how each is made. */
export interface EnsembleOptions<Member> {
  /** Models, 1 to 10,000. Required. */
  members: number;
  /** Makes a model of a seed: 0, 1, ... Required. */
  make: (seed: number) => Member;
}

/** What the members of an ensemble say of one series: their mean, and their standard deviation. */
export interface EnsemblePrediction {
  /** Mean of the members, steps x outputs. */
  mean: Matrix;
  /** Standard deviation of the members, steps x outputs: an uncertainty of the model, without that of the data. */
  spread: Matrix;
}

function made<Member>(options: EnsembleOptions<Member>, owner: string): Member[] {
  checkKeys(options, ['members', 'make'], owner);
  checkWhole(options.members, 'members', 1, 10_000);
  if (typeof options.make !== 'function') throw argumentError('a function (seed) => model', 'make', options.make);
  return Array.from({ length: options.members }, (_, seed) => options.make(seed));
}

/**
 * An ensemble of Esn that differ by their seeds.
 *
 *     new Ensemble({ members: 10, make: (seed) => new Esn({ network: { units: 100, inputs: 1, seed } }) }).fit(series)
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option; as those of Esn; DtesnError ERR_DTESN_DIVERGED where every
 * forecast becomes infinite or NaN.
 * Source: Lakshminarayanan, Pritzel, Blundell (2017), NeurIPS 30.
 */
export class Ensemble {
  /** The models. */
  readonly members: readonly Esn[];

  constructor(options: EnsembleOptions<Esn>) {
    this.members = made(options, 'Ensemble');
  }

  /** Trains every model as Esn.fit does; returns this object. */
  fit(x: SeriesInput | readonly SeriesInput[], y?: SeriesInput | readonly SeriesInput[]): this {
    for (const member of this.members) member.fit(x, y);
    return this;
  }

  /** Mean outputs of a series, each model going on from its own state. */
  predict(x: SeriesInput): Matrix {
    return this.predictSpread(x).mean;
  }

  /** The same with the spread of the models. */
  predictSpread(x: SeriesInput): EnsemblePrediction {
    return summary(this.members.map((member) => member.predict(x)));
  }

  /** Mean forecast of the next steps, each model in its own closed loop. */
  forecast(options: { steps: number }): Matrix {
    return this.forecastSpread(options).mean;
  }

  /** The same with the spread of the models; one whose forecast becomes infinite or NaN is left out. */
  forecastSpread(options: { steps: number }): EnsemblePrediction {
    checkKeys(options, ['steps'], 'forecast');
    const all = this.members.map((member) => member.forecast({ ...options, starts: [member.state] })[0]!);
    const whole = all.filter(({ rows }) => rows === options.steps);
    if (whole.length > 0) return summary(whole);
    throw new DtesnError('ERR_DTESN_DIVERGED', 'Every forecast of the ensemble became infinite or NaN');
  }

  /** R² of the mean, as Esn.score. */
  score(x: SeriesInput, y: Matrix): number {
    const states = this.members.map(({ state }) => state.copy());
    const { mean } = summary(this.members.map((member, i) => member.predict(x, { state: states[i]! })));
    if (mean.data.length !== y.data.length)
      throw shapeError(`targets with ${mean.data.length} elements`, y.data.length);
    return determination([{ predicted: mean.data, wanted: y.data }], mean.cols);
  }

  /** Closes every model. */
  close(): void {
    for (const member of this.members) member.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/**
 * An ensemble of EsnClassifier that differ by their seeds: the mean of their probabilities.
 *
 * Errors: as those of EsnClassifier and of Ensemble.
 */
export class ClassifierEnsemble {
  /** The models. */
  readonly members: readonly EsnClassifier[];

  constructor(options: EnsembleOptions<EsnClassifier>) {
    this.members = made(options, 'ClassifierEnsemble');
  }

  /** The classes, in the order in which their labels came first. */
  get labels(): readonly Label[] {
    return this.members[0]!.labels;
  }

  /** Trains every model; returns this object. */
  fit(series: readonly SeriesInput[], labels: readonly Label[]): this {
    for (const member of this.members) member.fit(series, labels);
    return this;
  }

  /** Mean probabilities of the classes, series x classes in the order of `labels`. */
  predictProba(series: readonly SeriesInput[]): Matrix {
    return summary(this.members.map((member) => member.predictProba(series))).mean;
  }

  /** The most likely label of each series. */
  predict(series: readonly SeriesInput[]): Label[] {
    const { rows, cols, data } = this.predictProba(series);
    const { labels } = this;
    return Array.from({ length: rows }, (_, i) => labels[indexOfLargest(data.subarray(i * cols, (i + 1) * cols))]!);
  }

  /** Share of the series whose label is predicted. */
  score(series: readonly SeriesInput[], labels: readonly Label[]): number {
    checkAsMany(labels, series.length, 'labels');
    return accuracyOf(this.predict(series), labels);
  }

  /** Closes every model. */
  close(): void {
    for (const member of this.members) member.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** Mean and standard deviation of matrices of one shape. */
function summary(all: readonly Matrix[]): EnsemblePrediction {
  const { rows, cols } = all[0]!;
  const mean = new Float64Array(rows * cols);
  const spread = new Float64Array(rows * cols);
  for (let i = 0; i < mean.length; i++) {
    for (const { data } of all) mean[i]! += data[i]! / all.length;
    for (const { data } of all) spread[i]! += (data[i]! - mean[i]!) ** 2 / all.length;
    spread[i] = Math.sqrt(spread[i]!);
  }
  return { mean: matrix(rows, cols, mean), spread: matrix(rows, cols, spread) };
}

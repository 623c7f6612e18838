/** Classification of series while they arrive: a label after every step, and a decision once it is sure enough. */
import { z } from 'zod';
import { argumentError, checkKeys, checkOptions, DtesnError, rangeError, shapeError } from '../errors/index.js';
import { type Floats, floats } from '../native/index.js';
import { type DrawnReservoirOptions, type Feature, Featured, type Network, type State } from '../network/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { isSoftmax, type LinearReadout, Ridge, ridgePath, type Softmax, softmax } from '../readout/index.js';
import { accuracyOf, classesOf, type Label, stratifiedFolds, targetsOf } from './labels.js';
import { checkAsMany } from './lists.js';
import { esnFields, networkOf } from './options.js';
import { indexOfLargest, sharpnessOf } from './probabilities.js';
import type { Scale, Scaling } from './scaling.js';
import { seriesRows } from './series-features.js';
import { readInputs } from './training.js';

export const earlySchema = z.object({
  network: esnFields.network,
  inputFeatures: esnFields.features,
  prefixes: z
    .array(z.number().gt(0).lte(1))
    .min(1)
    .default([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1])
    .describe('an array of shares in (0, 1]'),
  ridge: z.number().min(0).optional().describe('a finite number, 0 or more'),
  readout: z.custom<Softmax>(isSoftmax).optional().describe('a Softmax'),
  washout: esnFields.washout,
  scale: esnFields.scale,
});

/** Options of EarlyClassifier: the network, and after which shares of a series it learns its label. */
export interface EarlyClassifierOptions {
  /** Any kind of network; or the options of a Reservoir, whose dtype is then 'f64' unless it is given. Required. */
  network: Network | DrawnReservoirOptions;
  /** What is read of each step. Default ['states', 'inputs']. */
  inputFeatures?: readonly Feature[] | undefined;
  /**
   * Shares of each series after which its label is learned, in (0, 1]; without small ones, the first steps of a stream are unlike anything
   * that was learned, and their probabilities are wrong. Default [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1].
   */
  prefixes?: number[] | undefined;
  /**
   * λ of ridge regression. Default: the ridge of 1e-14 to 1e2 with the least error over 5 folds of whole series. A Softmax has its own.
   */
  ridge?: number | undefined;
  /** A Softmax, which each fit resets and trains, whole series in a fold. Default: ridge regression. */
  readout?: Softmax | undefined;
  /** First steps of each series after which nothing is learned. Default 0. */
  washout?: number | undefined;
  /** How inputs are scaled; learned by the fit. Default 'none'. */
  scale?: Scale | undefined;
}

/** Options of EarlyClassifier.stream: how sure a label must be before it is decided. */
export interface DecisionOptions {
  /** Probability from which a label is decided, in (0, 1]. Default 0.9. */
  confidence?: number | undefined;
}

/** What is known of a series after some steps. */
export interface EarlyLabel {
  /** The decided label; before the decision, the most likely one. */
  label: Label;
  /** Probability of `label`. */
  probability: number;
  /** Steps that the decision took; null before it. */
  decidedAfter: number | null;
}

interface Fitted {
  labels: Label[];
  readout: LinearReadout;
  ridge: number;
  sharpness: number;
  /** How the inputs of this fit were scaled; null where they were not. */
  scaling: Scaling | null;
}

const FOLDS = 5;

/**
 * Classification of series while they arrive. One readout, by ridge regression or a Softmax, reads the features of any step; it has learned the
 * labels after some shares of each series, so that a half of one is as familiar as the whole.
 *
 *     const classifier = new EarlyClassifier({ network: { units: 300, inputs: 12 } }).fit(listOfSeries, labels);
 *     const stream = classifier.stream({ confidence: 0.95 });
 *     const { label, probability, decidedAfter } = stream.step(row);
 *
 *     p_k = exp(s y_k) / Σ exp(s y_j)      s from outputs of readouts that have not learned the series (least log loss);
 *                                          1 for a Softmax, which learns the p_k themselves
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option; as those of the readout; RangeError ERR_DTESN_SHAPE for series that do not fit, other than one
 * label a series, or fewer than two classes or five series; DtesnError ERR_DTESN_EMPTY before a fit.
 * Source: Mori, Mendiburu, Dasgupta, Lozano (2017), "Early classification of time series by simultaneously optimizing the accuracy and
 * earliness", IEEE Trans. Neural Networks and Learning Systems 29(10) (the decision by confidence).
 */
export class EarlyClassifier {
  /** The network, whose own state is not used. */
  readonly network: Network;
  /** Shares of each series after which its label is learned. */
  readonly prefixes: readonly number[];
  /** First steps of each series after which nothing is learned. */
  readonly washout: number;
  readonly #featured: Network;
  readonly #scale: Scale;
  readonly #ridge: number | undefined;
  readonly #softmax: Softmax | undefined;
  #fitted: Fitted | null = null;

  constructor(options: EarlyClassifierOptions) {
    const checked = checkOptions(earlySchema, options, 'EarlyClassifier');
    const { network, inputFeatures = ['states', 'inputs'], prefixes, ridge, readout, washout, scale } = checked;
    if (readout !== undefined && ridge !== undefined) throw argumentError('a ridge in the Softmax', 'ridge', ridge);
    this.network = networkOf(network);
    this.prefixes = prefixes;
    this.washout = washout;
    this.#featured = new Featured({ network: this.network, features: inputFeatures });
    this.#scale = scale;
    this.#ridge = ridge;
    this.#softmax = readout;
  }

  /** The classes, in the order in which their labels came first. */
  get labels(): readonly Label[] {
    return this.#ready().labels;
  }

  /** λ of the readout. */
  get ridge(): number {
    return this.#ready().ridge;
  }

  /** Trains on whole series and their labels; returns this object. */
  fit(series: readonly SeriesInput[], labels: readonly Label[]): this {
    if (!Array.isArray(series)) throw argumentError('an array of series', 'series', series);
    checkAsMany(labels, series.length, 'labels');
    if (series.length < FOLDS) throw shapeError(`${FOLDS} series or more`, series.length);
    const classes = classesOf(labels);
    const { series: values, scaling } = this.#read(series, null);
    const rows = this.prefixes.map((share) => this.#rowsAfter(values, share));
    const trained = this.#softmax
      ? softmaxed(rows, classes.places, this.#softmax)
      : learned(rows, classes.places, classes.labels.length, this.#ridge);
    this.#fitted = { labels: classes.labels, ...trained, scaling };
    return this;
  }

  /** The most likely label after what is given of each series. */
  predict(series: readonly SeriesInput[]): Label[] {
    const { labels } = this.#ready();
    const { rows, cols, data } = this.predictProba(series);
    return Array.from({ length: rows }, (_, i) => labels[indexOfLargest(data.subarray(i * cols, (i + 1) * cols))]!);
  }

  /** Probabilities of the classes after what is given of each series, series x classes in the order of `labels`. */
  predictProba(series: readonly SeriesInput[]): Matrix {
    const { readout, sharpness, scaling } = this.#ready();
    if (!Array.isArray(series)) throw argumentError('an array of series', 'series', series);
    const { rows, cols, data } = readout.apply(this.#rowsAfter(this.#read(series, scaling).series, 1));
    return matrix(rows, cols, softmax(data as Float64Array, cols, sharpness));
  }

  /** Share of the series, or of parts of them, whose label is predicted. */
  score(series: readonly SeriesInput[], labels: readonly Label[]): number {
    checkAsMany(labels, series.length, 'labels');
    return accuracyOf(this.predict(series), labels);
  }

  /** One series whose steps arrive one at a time, from rest. */
  stream(options: DecisionOptions = {}): EarlyStream {
    return new EarlyStream(this, options);
  }

  /**
   * What a stream reads with.
   * @internal
   */
  streamed(): StreamedClasses {
    const fitted = this.#ready();
    const toNetwork = (row: SeriesInput) => this.#read([row], fitted.scaling).series[0]!;
    return { ...fitted, network: this.#featured, washout: this.washout, toNetwork };
  }

  /** Frees the features; the network that was given stays open. */
  close(): void {
    this.#featured.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #ready(): Fitted {
    if (this.#fitted !== null) return this.#fitted;
    throw new DtesnError('ERR_DTESN_EMPTY', 'Expected a trained EarlyClassifier: call fit first');
  }

  #read(series: readonly SeriesInput[], scaling: Scaling | null) {
    return readInputs(series, { network: this.#featured, scale: this.#scale, scaling, shared: false });
  }

  /** Features after a share of each series, at least one step after the washout. */
  #rowsAfter(series: readonly Floats[], share: number): Matrix {
    const { inputs } = this.#featured;
    const parts = series.map((one) => {
      const steps = Math.max(Math.round((share * one.length) / inputs), this.washout + 1);
      return one.subarray(0, steps * inputs);
    });
    return seriesRows(this.#featured, parts, 'last', this.washout);
  }
}

/** What a stream reads with. */
interface StreamedClasses {
  network: Network;
  /** First steps of a series after which nothing is decided. */
  washout: number;
  labels: readonly Label[];
  readout: LinearReadout;
  sharpness: number;
  toNetwork: (row: SeriesInput) => Floats;
}

/**
 * One series whose steps arrive one at a time; `classifier.stream()` makes one. A fit of the classifier does not change its streams.
 */
export class EarlyStream {
  /** The state of this stream. */
  readonly state: State;
  /** Probability from which a label is decided. */
  readonly confidence: number;
  readonly #model: StreamedClasses;
  readonly #row: Floats;
  #steps = 0;
  #decided: EarlyLabel | null = null;

  /** `classifier.stream()` makes one. */
  constructor(classifier: EarlyClassifier, options: DecisionOptions = {}) {
    checkKeys(options, ['confidence'], 'stream');
    const { confidence = 0.9 } = options;
    if (!(confidence > 0 && confidence <= 1)) throw rangeError('a number in (0, 1]', 'confidence', confidence);
    this.confidence = confidence;
    const model = classifier.streamed();
    this.#model = model;
    this.state = model.network.createState();
    this.#row = floats(model.network.dtype, model.network.featureSize);
  }

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** What is known after one more step; nothing is decided within the washout. Once a label is decided it stays. */
  step(input: ArrayLike<number>): EarlyLabel {
    const { labels, readout, sharpness, washout, toNetwork } = this.#model;
    this.state.native.run(toNetwork(matrix(1, input.length, new Float64Array(input))), this.#row);
    this.#steps++;
    if (this.#decided !== null) return this.#decided;
    const outputs = new Float64Array(labels.length);
    readout.applyInto(this.#row, undefined, outputs);
    const probabilities = softmax(outputs, labels.length, sharpness);
    const place = indexOfLargest(probabilities);
    const probability = probabilities[place]!;
    const known = { label: labels[place]!, probability };
    if (probability < this.confidence || this.#steps <= washout) return { ...known, decidedAfter: null };
    this.#decided = { ...known, decidedAfter: this.#steps };
    return this.#decided;
  }

  /** Puts the stream to rest: the next step is the first one of another series. */
  reset(): void {
    this.state.reset();
    this.#steps = 0;
    this.#decided = null;
  }

  /** Frees the state. */
  close(): void {
    this.state.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** A Softmax of the rows of all prefixes; whole series are in one fold. */
function softmaxed(rows: readonly Matrix[], places: readonly number[], learner: Softmax) {
  const foldOf = stratifiedFolds(places, learner.folds);
  learner.reset();
  for (const { cols, data } of rows) {
    for (const [i, place] of places.entries()) {
      learner.add(matrix(1, cols, data.subarray(i * cols, (i + 1) * cols)), [place], { fold: foldOf[i] });
    }
  }
  return { readout: learner.solve(), ridge: learner.ridge, sharpness: 1 };
}

/** Rows of all prefixes, the class of each series, and its fold. */
interface Folded {
  rows: readonly Matrix[];
  places: readonly number[];
  classes: number;
  foldOf: readonly number[];
}

/** A readout of the rows of all prefixes; whole series are in one fold. What no other series could tell is not measured. */
function learned(rows: readonly Matrix[], places: readonly number[], classes: number, given: number | undefined) {
  const foldOf = stratifiedFolds(places, FOLDS);
  const folded = { rows, places, classes, foldOf };
  const counts = new Int32Array(classes);
  for (const place of places) counts[place]!++;
  const isAlone = (i: number) => counts[places[i]!] === 1;
  const folds = Math.max(...foldOf) + 1;
  if (folds < 2) throw shapeError('2 series or more of a label', 1);
  const all = new Ridge({ folds });
  for (let fold = 0; fold < folds; fold++) {
    addTo(all, folded, (i) => foldOf[i] === fold && !isAlone(i), fold);
  }
  const ridge = given ?? all.validate(ridgePath).best;
  addTo(all, folded, isAlone, 0);
  const readout = all.solve(ridge);
  all.close();
  const measured = [...places.keys()].filter((i) => !isAlone(i));
  const left = leftOut(folded, ridge);
  const outputs = rows.flatMap((_, p) =>
    measured.flatMap((i) => {
      const from = (p * places.length + i) * classes;
      return [...left.subarray(from, from + classes)];
    }),
  );
  const own = rows.flatMap(() => measured.map((i) => places[i]!));
  return { readout, ridge, sharpness: sharpnessOf(Float64Array.from(outputs), own, classes) };
}

/** Adds the rows of some series, after each prefix. */
function addTo(sums: Ridge, { rows, places, classes }: Folded, isMember: (i: number) => boolean, fold?: number): void {
  const members = [...places.keys()].filter(isMember);
  if (members.length === 0) return;
  const own = members.map((i) => places[i]!);
  for (const { cols, data } of rows) {
    const some = new Float64Array(members.length * cols);
    for (const [k, i] of members.entries()) some.set(data.subarray(i * cols, (i + 1) * cols), k * cols);
    sums.add(matrix(members.length, cols, some), targetsOf(own, classes), undefined, { fold });
  }
}

/** Outputs of readouts that have not learned the series, prefixes x series x classes. */
function leftOut(folded: Folded, ridge: number): Float64Array {
  const { rows, places, classes, foldOf } = folded;
  const left = new Float64Array(rows.length * places.length * classes);
  for (const fold of new Set(foldOf)) {
    const sums = new Ridge({ ridge });
    addTo(sums, folded, (i) => foldOf[i] !== fold);
    const own = sums.solve();
    sums.close();
    for (const [p, prefix] of rows.entries()) {
      const outputs = own.apply(prefix).data;
      for (const i of places.keys()) {
        if (foldOf[i] !== fold) continue;
        left.set(outputs.subarray(i * classes, (i + 1) * classes), (p * places.length + i) * classes);
      }
    }
  }
  return left;
}

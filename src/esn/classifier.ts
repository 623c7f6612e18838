/** Classification of whole series: one row of features each, and a readout of the labels by ridge or softmax regression. */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError } from '../errors/index.js';
import { checkLongRun, type Floats, type LongRunOptions } from '../native/index.js';
import { type DrawnReservoirOptions, type Feature, Featured, type Network } from '../network/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import {
  isSoftmax,
  type LinearReadout,
  Ridge,
  type RidgeOptions,
  ridgePath,
  Softmax,
  type SoftmaxOptions,
  softmax,
} from '../readout/index.js';
import { featuresOf, loadModel, saveModel } from './files.js';
import { accuracyOf, type Classes, classesOf, type Label, targetsOf } from './labels.js';
import { checkAsMany } from './lists.js';
import { esnFields, networkOf } from './options.js';
import { indexOfLargest, sharpnessOf } from './probabilities.js';
import { readFit } from './saved-classifier.js';
import type { Scale, Scaling } from './scaling.js';
import { type SeriesFeatures, seriesRows, seriesRowsAsync, snapshotsOf } from './series-features.js';
import { readInputs } from './training.js';

export const classifierSchema = z.object({
  network: esnFields.network,
  inputFeatures: esnFields.features,
  features: z
    .custom<SeriesFeatures>(
      (value) => value === 'last' || value === 'mean' || (typeof value === 'object' && value !== null),
    )
    .default('last')
    .describe("'last', 'mean' or { snapshots }"),
  readout: z
    .custom<RidgeOptions | Softmax>((value) => typeof value === 'object' && value !== null)
    .optional()
    .describe('options of a Ridge, or a Softmax'),
  washout: esnFields.washout,
  scale: esnFields.scale,
});

/** Options of EsnClassifier: the network, what is read of a series, and how the readout is trained. */
export interface EsnClassifierOptions {
  /** Any kind of network; or the options of a Reservoir, whose dtype is then 'f64' unless it is given. Required. */
  network: Network | DrawnReservoirOptions;
  /** What is read of each step. Default ['states', 'inputs']. */
  inputFeatures?: readonly Feature[] | undefined;
  /**
   * What is read of a series: 'last' its last step, 'mean' the mean over its steps, { snapshots: k } the steps that end each of
   * k equal parts, side by side. Default 'last'.
   */
  features?: SeriesFeatures | undefined;
  /**
   * Options of a Ridge, or a Softmax, which each fit resets and trains. Default: a Ridge with the ridge of 1e-14 to 1e2 of the least
   * error where each series is left out once.
   */
  readout?: RidgeOptions | Softmax | undefined;
  /** First steps of each series that are run and not read. Default 0. */
  washout?: number | undefined;
  /** How inputs are scaled; learned by the fit. Default 'none'. */
  scale?: Scale | undefined;
}

interface Fitted {
  labels: Label[];
  readout: LinearReadout;
  ridge: number;
  sharpness: number;
  /** How the inputs of this fit were scaled; null where they were not. */
  scaling: Scaling | null;
}

/** Series of a fit in the units of the network, and their classes. */
interface Begun extends Classes {
  series: Floats[];
  scaling: Scaling | null;
}

/** What an EsnClassifier is in its file, beside the network. */
interface SavedClassifier {
  options: Omit<EsnClassifierOptions, 'network'>;
  /** Options of a Softmax; absent for a Ridge, whose options are those of the readout. */
  softmax?: SoftmaxOptions | undefined;
  fitted: Omit<Fitted, 'readout' | 'scaling'> & { weights: Matrix['data']; bias: Float64Array };
  scaling: Scaling | null;
}

/**
 * Classification of whole series, which may have different lengths: each starts from rest, leaves one row of features, and a
 * readout of the labels reads it: by ridge regression (1 for the own class, 0 for the others), or a Softmax.
 *
 *     const classifier = new EsnClassifier({ network: { units: 50, inputs: 12 }, features: { snapshots: 3 } });
 *     classifier.fit(listOfSeries, labels).predict(otherSeries);
 *
 *     p_k = exp(s y_k) / Σ exp(s y_j)      s from the outputs of the readouts that leave each series out (least log loss);
 *                                          1 for a Softmax, which learns the p_k themselves
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option; as those of the readout; RangeError ERR_DTESN_SHAPE for series that do not fit,
 * for as many labels as series, or fewer than two classes; DtesnError ERR_DTESN_EMPTY before a fit.
 * Sources: Jaeger, Lukoševičius, Popovici, Siewert (2007), Neural Networks 20 (snapshots); Guo et al. (2017), ICML (s).
 */
export class EsnClassifier {
  /** The network, whose own state is not used. */
  readonly network: Network;
  /** What is read of a series. */
  readonly features: SeriesFeatures;
  /** First steps of each series that are run and not read. */
  readonly washout: number;
  readonly #featured: Network;
  readonly #scale: Scale;
  readonly #options: RidgeOptions;
  readonly #softmax: Softmax | null;
  #fitted: Fitted | null = null;

  constructor(options: EsnClassifierOptions) {
    const checked = checkOptions(classifierSchema, options, 'EsnClassifier');
    const { network, inputFeatures = ['states', 'inputs'], features, readout = {}, washout, scale } = checked;
    snapshotsOf(features);
    this.network = networkOf(network);
    this.features = features;
    this.washout = washout;
    this.#featured = new Featured({ network: this.network, features: inputFeatures });
    this.#scale = scale;
    this.#softmax = isSoftmax(readout) ? readout : null;
    this.#options = isSoftmax(readout) ? {} : readout;
    new Ridge(this.#options); // reports a wrong option now
  }

  /** The classes, in the order in which their labels came first. */
  get labels(): readonly Label[] {
    return this.#ready().labels;
  }

  /** λ of the readout. */
  get ridge(): number {
    return this.#ready().ridge;
  }

  /** The trained map of a row of features to one output a class. */
  get readout(): LinearReadout {
    return this.#ready().readout;
  }

  /** Trains on series and their labels; returns this object. */
  fit(series: readonly SeriesInput[], labels: readonly Label[]): this {
    const begun = this.#begin(series, labels, false);
    return this.#learn(seriesRows(this.#featured, begun.series, this.features, this.washout), begun);
  }

  /** The same with the series run off the JavaScript thread. */
  async fitAsync(series: readonly SeriesInput[], labels: readonly Label[], run: LongRunOptions = {}): Promise<this> {
    checkLongRun(run, 'fitAsync');
    const begun = this.#begin(series, labels, true);
    return this.#learn(await seriesRowsAsync(this.#featured, begun.series, this.features, this.washout, run), begun);
  }

  /** The most likely label of each series. */
  predict(series: readonly SeriesInput[]): Label[] {
    const { labels } = this.#ready();
    const { rows, cols, data } = this.#outputs(series);
    return Array.from({ length: rows }, (_, i) => labels[indexOfLargest(data.subarray(i * cols, (i + 1) * cols))]!);
  }

  /** Probabilities of the classes, series x classes in the order of `labels`. */
  predictProba(series: readonly SeriesInput[]): Matrix {
    const { sharpness } = this.#ready();
    const { rows, cols, data } = this.#outputs(series);
    return matrix(rows, cols, softmax(data as Float64Array, cols, sharpness));
  }

  /** Share of the series whose label is predicted. */
  score(series: readonly SeriesInput[], labels: readonly Label[]): number {
    checkAsMany(labels, series.length, 'labels');
    return accuracyOf(this.predict(series), labels);
  }

  /**
   * Writes the options and the trained readout to a safetensors file, as Esn.save does. Errors: ERR_DTESN_EMPTY before a fit; TypeError
   * ERR_DTESN_ARGUMENT for a network that came by a handle; those of the system.
   */
  async save(path: string): Promise<void> {
    const { labels, readout, ridge, sharpness, scaling } = this.#ready();
    const { network, features, washout } = this;
    const options = {
      ...{ features, washout, scale: this.#scale, readout: this.#options },
      inputFeatures: featuresOf(this.#featured, network),
    };
    const fitted = { labels, ridge, sharpness, weights: readout.weights.data, bias: readout.bias };
    await saveModel(path, 'EsnClassifier', network, {
      options,
      softmax: this.#softmax?.options,
      fitted,
      scaling,
    } satisfies SavedClassifier);
  }

  /** The EsnClassifier of a file, with a network of its own. Errors: as Esn.load's. */
  static async load(path: string): Promise<EsnClassifier> {
    return loadModel<SavedClassifier, EsnClassifier>(path, 'EsnClassifier', (parts, network) => {
      const { options, softmax: of, fitted, scaling } = parts;
      const readout = of === undefined ? options.readout : new Softmax(of);
      const classifier = new EsnClassifier({ ...options, readout, network });
      classifier.#fitted = readFit(
        { fitted, scaling },
        {
          features: classifier.#featured.featureSize * snapshotsOf(classifier.features),
          scaled: classifier.#scale === 'none' ? 0 : network.inputs,
        },
      );
      return classifier;
    });
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
    throw new DtesnError('ERR_DTESN_EMPTY', 'Expected a trained EsnClassifier: call fit first');
  }

  #begin(series: readonly SeriesInput[], labels: readonly Label[], shared: boolean): Begun {
    if (!Array.isArray(series)) throw argumentError('an array of series', 'series', series);
    checkAsMany(labels, series.length, 'labels');
    return { ...classesOf(labels), ...this.#read(series, null, shared) };
  }

  #read(series: readonly SeriesInput[], scaling: Scaling | null, shared: boolean) {
    return readInputs(series, { network: this.#featured, scale: this.#scale, scaling, shared });
  }

  #outputs(series: readonly SeriesInput[]): Matrix {
    const { readout, scaling } = this.#ready();
    if (!Array.isArray(series)) throw argumentError('an array of series', 'series', series);
    const { series: values } = this.#read(series, scaling, false);
    return readout.apply(seriesRows(this.#featured, values, this.features, this.washout));
  }

  #learn(rows: Matrix, { labels, places, scaling }: Begun): this {
    const learner = this.#softmax;
    if (learner !== null) {
      learner.reset();
      const readout = learner.add(rows, places).solve();
      this.#fitted = { labels, readout, ridge: learner.ridge, sharpness: 1, scaling };
      return this;
    }
    const targets = targetsOf(places, labels.length);
    const solver = this.#options.solver ?? (rows.cols >= rows.rows ? 'dual' : 'svd');
    const isFree = this.#options.ridge === undefined || typeof this.#options.ridge !== 'number';
    const sums = new Ridge({ ...this.#options, solver, ridge: isFree ? 1 : this.#options.ridge, folds: 1 });
    sums.add(rows, targets);
    const path = Array.isArray(this.#options.ridge) ? (this.#options.ridge as number[]) : ridgePath;
    const ridge = isFree ? sums.leaveOneOut(rows, targets, undefined, path).best : sums.ridge;
    const sharpness = sharpnessOf(sums.leftOut(rows, targets, undefined, ridge), places, labels.length);
    this.#fitted = { labels, readout: sums.solve(ridge), ridge, sharpness, scaling };
    sums.close();
    return this;
  }
}

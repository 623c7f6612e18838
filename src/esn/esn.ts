/** An echo state network: a network, the features that a readout sees, and the readout, in one object. */
import { argumentError, brand, checkKeys, checkOptions, DtesnError } from '../errors/index.js';
import { checkLongRun, type Floats, type LongRunOptions, longRunKeys } from '../native/index.js';
import { Featured, type Network, type State } from '../network/index.js';
import { columnsOf, type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { BLOCK_STEPS, isRidge, type LinearReadout, Ridge, type RidgeOptions } from '../readout/index.js';
import { type CHeaderOptions, cHeaderOf } from './c-header.js';
import { compare, forecastRidges, type Rehearsal, rehearse } from './closed-loop.js';
import { featuresOf, loadedReadout, loadModel, type SavedEsn, savedReadout, saveModel } from './files.js';
import { learn, learnAsync } from './fitting.js';
import { type ForceOptions, force } from './force.js';
import { forecastFrom, forecastFromAsync } from './forecast.js';
import { isList, listOf } from './lists.js';
import {
  type EsnForecastAsyncOptions,
  type EsnForecastOptions,
  type EsnOptions,
  esnSchema,
  type FitAsyncOptions,
  type FitOptions,
  isLearner,
  type Learner,
  networkOf,
  type PredictAsyncOptions,
  type PredictOptions,
} from './options.js';
import { Runner } from './runner.js';
import type { Scale } from './scaling.js';
import { determination } from './score.js';
import { type EsnSnapshot, readSnapshot, snapshotOf } from './snapshot.js';
import { EsnStream, type StreamOptions } from './stream.js';
import { Trained } from './trained.js';
import { planTraining, readWanted, type Training } from './training.js';

const fitKeys = ['weights', 'state'];

/**
 * An echo state network: a network, the features that a readout sees, and the readout, in one object.
 *
 *     const esn = new Esn({ network: { units: 300, inputs: 1, seed: 1 }, washout: 100 });
 *     esn.fit(series);                        // to the next step of its own series; esn.fit(x, y) to targets
 *     esn.forecast({ steps: 500 });           // goes on from the end of the series
 *
 *     row t = features(t)        y(t) = W' row t + b        forecast: u(t + 1) = [y(t), inputs(t)]
 *
 * A series is steps x inputs. A list of series is an array of matrices, of typed arrays or of arrays of rows; lists give
 * lists. fit starts each series from rest and leaves the state at the end of the last one, from where predict, forecast
 * and stream go on; reset() puts it to rest. Everything that a prediction depends on is in the state, old inputs too, so a
 * forecast after reset() or from any state is that of the state. Steps with a target that is NaN are not learned.
 *
 * Asynchronous twins run off the JavaScript thread, with `signal` and `onProgress`; the state is busy meanwhile.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option; RangeError ERR_DTESN_SHAPE for rows that do not fit;
 * DtesnError ERR_DTESN_EMPTY before a fit; ERR_DTESN_SINGULAR and ERR_DTESN_UNSTABLE as the readout's; ERR_DTESN_DIVERGED when a
 * single forecast becomes infinite or NaN (`cause` holds the rows before); ERR_DTESN_BUSY while an asynchronous call uses the
 * state.
 * Sources: Jaeger (2001), GMD Report 148; Lukoševičius (2012), "A practical guide to applying echo state networks".
 */
export class Esn {
  /** The network, whose own state is not used. */
  readonly network: Network;
  /** The network as the readout sees it: its rows are the features. */
  readonly featured: Network;
  /** The state after the last fit, prediction or forecast. */
  readonly state: State;
  /** First steps of each series that are run and not learned. */
  readonly washout: number;
  /** How inputs are scaled. */
  readonly scale: Scale;
  readonly #options: RidgeOptions | null;
  #learner: Learner | null;
  #trained: Trained | null = null;
  readonly #runner: Runner;

  constructor(options: EsnOptions) {
    const {
      network,
      features = ['states', 'inputs'],
      readout,
      washout,
      scale,
    } = checkOptions(esnSchema, options, 'Esn');
    this.network = networkOf(network);
    const isPlain = features.length === 1 && features[0] === 'states';
    this.featured = isPlain ? this.network : new Featured({ network: this.network, features });
    this.state = this.featured.createState();
    this.washout = washout;
    this.scale = scale;
    this.#runner = new Runner(this.featured, scale);
    this.#learner = isLearner(readout) ? readout : null;
    this.#options = isLearner(readout) ? null : (readout ?? {});
    if (this.#options !== null) new Ridge(this.#options); // reports a wrong option now
  }

  /** What trains the readout; null before the first fit where the options of a Ridge, or none, were given. */
  get learner(): Learner | null {
    return this.#learner;
  }

  /** The trained map of the features, in the units of the network. Errors: ERR_DTESN_EMPTY before a fit. */
  get readout(): LinearReadout {
    return this.#ready().readout;
  }

  /** Whether fit, partialFit or restore was called. */
  get isFitted(): boolean {
    return this.#trained !== null || this.#isLearning;
  }

  /** A state at rest, for fit, predict and forecast. */
  createState(): State {
    return this.featured.createState();
  }

  /** Puts the own state to rest: the next series is the first one. */
  reset(): void {
    this.state.reset();
  }

  /**
   * Trains on a series, or on a list of them, and forgets what was learned before. Without targets, each row is to give the
   * row after it. Returns this object.
   */
  fit(
    x: SeriesInput | readonly SeriesInput[],
    y?: SeriesInput | readonly SeriesInput[],
    options: FitOptions = {},
  ): this {
    checkKeys(options, fitKeys, 'fit');
    this.#forget(y);
    return this.#learn(this.#plan(x, y, { state: 'reset', ...options }, false));
  }

  /** The same off the JavaScript thread; progress has the stages 'train' (steps) and 'solve'. */
  async fitAsync(
    x: SeriesInput | readonly SeriesInput[],
    y?: SeriesInput | readonly SeriesInput[],
    options: FitAsyncOptions = {},
  ): Promise<this> {
    checkKeys(options, [...fitKeys, ...longRunKeys], 'fitAsync');
    const { signal, onProgress, ...fit } = options;
    checkLongRun({ signal, onProgress }, 'fitAsync');
    signal?.throwIfAborted();
    this.#forget(y);
    return this.#learnAsync(this.#plan(x, y, { state: 'reset', ...fit }, true), { signal, onProgress });
  }

  /**
   * Learns more steps beside those so far, from where the last ones ended. A Ridge adds them to its sums; an online readout
   * learns step by step. Returns this object.
   */
  partialFit(
    x: SeriesInput | readonly SeriesInput[],
    y?: SeriesInput | readonly SeriesInput[],
    options: FitOptions = {},
  ): this {
    checkKeys(options, fitKeys, 'partialFit');
    this.#learner ??= this.#newLearner(y);
    return this.#learn(this.#plan(x, y, { state: 'carry', ...options }, false));
  }

  /**
   * FORCE learning with an online readout, from the own state: outputs are fed back while their targets, steps x outputs, are
   * learned. Returns the outputs before each step was learned. Source: Sussillo & Abbott (2009), Neuron 63(4).
   */
  force(targets: SeriesInput, options: ForceOptions = {}): Matrix {
    this.state.checkIdle();
    this.#learner ??= this.#newLearner(targets);
    const learner = this.#learner;
    const columns = columnsOf(targets) ?? 1;
    const rows = 'rows' in targets ? targets.rows : targets.length;
    const wanted = readWanted(targets, rows, columns, this.#runner.scaling, this.network);
    const last = new Float64Array(columns);
    if (this.isFitted) this.#ready().read(this.featured.featuresOf(this.state), last);
    const { featured: network, state } = this;
    const forced = force(
      { network, state, learner, scaling: this.#runner.scaling, wanted, outputs: columns, last },
      options,
    );
    this.#trained = null;
    return forced;
  }

  /** Outputs of every step, steps x outputs; a list of series gives a list. */
  predict(x: SeriesInput, options?: PredictOptions): Matrix;
  predict(x: readonly SeriesInput[], options?: PredictOptions): Matrix[];
  predict(x: SeriesInput | readonly SeriesInput[], options: PredictOptions = {}): Matrix | Matrix[] {
    const { isMany, series, begin } = this.#runner.series(x, options, { call: 'predict', own: this.state });
    const trained = this.#ready();
    const all = series.map((values, i) => this.#runner.outputs(trained, values, begin(i)));
    return isMany ? all : all[0]!;
  }

  /** The same off the JavaScript thread. */
  async predictAsync(x: SeriesInput, options?: PredictAsyncOptions): Promise<Matrix>;
  async predictAsync(x: readonly SeriesInput[], options?: PredictAsyncOptions): Promise<Matrix[]>;
  async predictAsync(
    x: SeriesInput | readonly SeriesInput[],
    options: PredictAsyncOptions = {},
  ): Promise<Matrix | Matrix[]> {
    const { signal, onProgress, ...more } = options;
    const { isMany, series, begin } = this.#runner.series(x, more, {
      call: 'predictAsync',
      own: this.state,
      shared: true,
    });
    const trained = this.#ready();
    const total = series.reduce((sum, one) => sum + one.length, 0) / this.network.inputs;
    const all: Matrix[] = [];
    let before = 0;
    for (const [i, values] of series.entries()) {
      const run = { signal, onProgress };
      all.push(await this.#runner.outputsAsync(trained, values, begin(i), run, { before, total }));
      before += values.length / this.network.inputs;
    }
    return isMany ? all : all[0]!;
  }

  /**
   * The steps after those that a state has seen, each computed from the one before: steps x outputs, in one native call. From
   * many starts it is one batch, and the result a list, in which a forecast that becomes infinite or NaN has fewer rows.
   */
  forecast(
    options: EsnForecastOptions & ({ starts: readonly State[] | Matrix } | { warmup: readonly SeriesInput[] }),
  ): Matrix[];
  forecast(options: EsnForecastOptions): Matrix;
  forecast(options: EsnForecastOptions): Matrix | Matrix[] {
    return forecastFrom(this.#loop(false), options);
  }

  /** The same off the JavaScript thread; progress counts the steps of all starts. */
  async forecastAsync(
    options: EsnForecastAsyncOptions & ({ starts: readonly State[] | Matrix } | { warmup: readonly SeriesInput[] }),
  ): Promise<Matrix[]>;
  async forecastAsync(options: EsnForecastAsyncOptions): Promise<Matrix>;
  async forecastAsync(options: EsnForecastAsyncOptions): Promise<Matrix | Matrix[]> {
    return forecastFromAsync(this.#loop(true), options);
  }

  /**
   * Coefficient of determination R² = 1 - Σ (y - ŷ)² / Σ (y - mean y)², averaged over the outputs, 1 at best; without targets,
   * of the next step. The own state does not change.
   */
  score(
    x: SeriesInput | readonly SeriesInput[],
    y?: SeriesInput | readonly SeriesInput[],
    options: PredictOptions = {},
  ): number {
    const { series, begin } = this.#runner.series(x, options, { call: 'score', own: this.state.copy() });
    const trained = this.#ready();
    const targets = y === undefined ? undefined : listOf<SeriesInput>(y as SeriesInput, isList(x));
    const { inputs } = this.network;
    return determination(
      series.map((values, i) => {
        const seen = targets ? values : values.subarray(0, -inputs);
        const predicted = this.#runner.outputs(trained, seen, begin(i));
        const wanted = targets
          ? readWanted(targets[i]!, predicted.rows, trained.outputs, null, this.network)
          : Float64Array.from(values.subarray(inputs));
        if (!targets) trained.toData(wanted);
        return { predicted: predicted.data, wanted };
      }),
      trained.outputs,
    );
  }

  /** One series whose steps arrive one at a time, with a state of its own. */
  stream(options: StreamOptions = {}): EsnStream {
    return new EsnStream(this, options);
  }

  /** What a restored object needs to go on: a plain object, which structuredClone and postMessage take. */
  snapshot(): EsnSnapshot {
    const { readout } = this.#ready();
    return snapshotOf({ state: this.state, readout, scaling: this.#runner.scaling, learner: this.#learner });
  }

  /**
   * Goes on from a snapshot of an object with the same options. A RecursiveLeastSquares goes on
   * learning; other readouts keep their weights until they are fitted again.
   * Returns this object. Errors: RangeError ERR_DTESN_SHAPE for a snapshot of other sizes.
   */
  restore(snapshot: EsnSnapshot): this {
    const read = readSnapshot(snapshot, this.featured, this.#learner);
    this.state.reset(read.state);
    if (read.gates) this.state.gates?.set(read.gates);
    if (read.learner) this.#learner = read.learner;
    else this.#learner?.reset();
    this.#runner.scaling = read.scaling;
    this.#trained = new Trained(this.featured, read.readout, this.#runner.scaling);
    return this;
  }

  /**
   * Writes the options, the trained readout and the state to a safetensors file, which is complete or not there at any time. Weights
   * that a seed draws are not in it; given weights are. What a Ridge has summed is not kept; a RecursiveLeastSquares goes on learning.
   * Errors: ERR_DTESN_EMPTY before a fit; TypeError ERR_DTESN_ARGUMENT for a network that came by a handle; those of the system.
   */
  async save(path: string): Promise<void> {
    const { network, washout, scale } = this;
    const features = featuresOf(this.featured, network);
    const readout = savedReadout(this.#learner, this.#options);
    const saved: SavedEsn = { washout, scale, features, readout, snapshot: this.snapshot() };
    await saveModel(path, 'Esn', network, saved);
  }

  /**
   * The Esn of a file, with a network of its own: its forecasts are those of the saved one to the last bit. Errors: DtesnError
   * ERR_DTESN_FILE for a file that is cut, altered, of another kind or of a later version; those of the system.
   */
  static async load(path: string): Promise<Esn> {
    return loadModel<SavedEsn, Esn>(path, 'Esn', ({ readout, snapshot, ...options }, network) =>
      new Esn({ ...options, network, readout: loadedReadout(readout) }).restore(snapshot),
    );
  }

  /**
   * The text of one self-contained C99 header (libm alone): NAME_step and NAME_forecast with the state, the weights and the readout of
   * this object, whose numbers they give to rounding.
   * Errors: ERR_DTESN_EMPTY before a fit; RangeError ERR_DTESN_ARGUMENT for more than 4,194,304 places of weights.
   */
  toC(options: CHeaderOptions = {}): string {
    const { readout } = this.#ready();
    return cHeaderOf({ state: this.state, readout, scaling: this.#runner.scaling }, options);
  }

  /** Frees the own state, the features and the sums; the network that was given stays open. */
  close(): void {
    this.state.close();
    if (this.featured !== this.network) this.featured.close();
    if (this.#learner && 'close' in this.#learner) this.#learner.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /**
   * Rows of inputs in the units and the dtype of the network.
   * @internal
   */
  toNetwork(rows: SeriesInput): Floats {
    return this.#runner.toNetwork([rows], false)[0]!;
  }

  /**
   * Outputs of rows of features, in the units of the data.
   * @internal
   */
  outputsOf(features: Floats): Matrix {
    return this.#runner.read(this.#ready(), features);
  }

  /**
   * Learns rows of features online; returns the outputs before.
   * @internal
   */
  learn(features: Floats, targets: SeriesInput): Matrix {
    const learner = this.#learner;
    if (learner === null || isRidge(learner)) {
      throw argumentError(
        'a RecursiveLeastSquares or LeastMeanSquares (to learn step by step)',
        'readout',
        learner ?? undefined,
      );
    }
    const rows = features.length / this.featured.featureSize;
    const wanted = readWanted(targets, rows, 0, this.#runner.scaling, this.network);
    const outputs = wanted.length / rows;
    const before = learner.update(matrix(rows, this.featured.featureSize, features), matrix(rows, outputs, wanted));
    this.#trained = null;
    const data = before.data as Float64Array;
    if (this.#runner.scaling !== null && outputs <= this.network.inputs) this.#ready().toData(data);
    return matrix(rows, outputs, data);
  }

  get #isLearning(): boolean {
    const learner = this.#learner;
    return learner !== null && !isRidge(learner) && learner.steps > 0;
  }

  /** The trained readout; that of an online learner is made when it is asked for. */
  #ready(): Trained {
    if (this.#trained !== null) return this.#trained;
    if (this.#isLearning) {
      const readout = (this.#learner as Exclude<Learner, Ridge>).readout();
      this.#trained = new Trained(this.featured, readout, this.#runner.scaling);
      return this.#trained;
    }
    throw new DtesnError('ERR_DTESN_EMPTY', 'Expected a trained Esn: call fit first');
  }

  #forget(y: unknown): void {
    this.state.checkIdle();
    if (this.#options !== null) this.#learner = this.#newLearner(y);
    else this.#learner!.reset();
    this.#trained = null;
    this.#runner.scaling = null;
  }

  /** A small ridge where the network predicts itself: data without noise need it, and f64 carries it. Long series choose one. */
  #newLearner(y: unknown): Learner {
    const predictsItself = y === undefined && this.network.dtype === 'f64';
    return new Ridge({ ridge: predictsItself ? 1e-14 : 1e-8, ...this.#options });
  }

  #plan(
    x: SeriesInput | readonly SeriesInput[],
    y: SeriesInput | readonly SeriesInput[] | undefined,
    options: FitOptions & Required<Pick<FitOptions, 'state'>>,
    shared: boolean,
  ): Training {
    this.state.checkIdle();
    const learner = this.#learner!;
    const { featured: network, state: ownState, washout, scale } = this;
    const setting = { network, ownState, washout: options.state === 'carry' ? 0 : washout, scale, shared };
    const folds = isRidge(learner) ? learner.folds : 1;
    const block = this.#runner.rows(BLOCK_STEPS);
    const training = planTraining(x, y, options, { ...setting, folds, scaling: this.#runner.scaling, block });
    this.#runner.scaling = training.scaling;
    return training;
  }

  #learn(training: Training): this {
    const learner = this.#learner!;
    this.#hold(learn(training, learner, this.featured));
    this.#trained = null;
    if (!isRidge(learner)) return this;
    const rehearsal = this.#rehearsal(training);
    const readouts = rehearsal === null ? [learner.solve()] : forecastRidges.map((ridge) => learner.solve(ridge));
    return this.#choose(learner, rehearsal, readouts);
  }

  #choose(learner: Ridge, rehearsal: Rehearsal | null, readouts: LinearReadout[]): this {
    let [readout] = readouts;
    if (rehearsal !== null) {
      const validation = compare(rehearsal, forecastRidges, readouts);
      learner.take(validation);
      readout = readouts[forecastRidges.indexOf(validation.best)];
    }
    this.#trained = new Trained(this.featured, readout!, this.#runner.scaling);
    return this;
  }

  /** What chooses the ridge of a forecaster; null where one was given, and for f32. */
  #rehearsal({ own }: Training): Rehearsal | null {
    const isFree = this.#options !== null && this.#options.ridge === undefined && this.network.dtype === 'f64';
    return own !== null && isFree ? rehearse(this.featured, own, this.washout) : null;
  }

  async #learnAsync(training: Training, run: LongRunOptions): Promise<this> {
    const learner = this.#learner!;
    this.#hold(await learnAsync(training, learner, this.featured, run));
    const ridge = learner as Ridge;
    const rehearsal = this.#rehearsal(training);
    const readouts: LinearReadout[] = [];
    const ridges = rehearsal === null ? [undefined] : forecastRidges;
    for (const one of ridges) readouts.push(await ridge.solveAsync(one, run));
    return this.#choose(ridge, rehearsal, readouts);
  }

  /** The own state goes on from the last series, also where that had a state of its own. */
  #hold(state: State): void {
    if (state !== this.state) this.state.data.set(state.data);
  }

  #loop(shared: boolean) {
    const { featured: network, state } = this;
    const runner = this.#runner;
    const toNetwork = (raw: readonly SeriesInput[]) => runner.toNetwork(raw, shared);
    return { network, own: state, trained: this.#ready(), scaling: runner.scaling, toNetwork };
  }
}

/** Whether something is an Esn, of this copy of the package or another. */
export const isEsn = brand(Esn, 'Esn');

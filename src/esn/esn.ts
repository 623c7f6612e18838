/** An echo state network: a network, the features that a readout sees, and the readout, in one object. */
import { argumentError, brand, checkKeys, checkOptions, DtesnError } from '../errors/index.js';
import { checkLongRun, type Floats, longRunKeys } from '../native/index.js';
import { Featured, type Network, type State } from '../network/index.js';
import type { Matrix, SeriesInput } from '../numeric/index.js';
import type { LinearReadout } from '../readout/index.js';
import { type CHeaderOptions, cHeaderOf } from './c-header.js';
import { featuresOf, loadedReadout, loadModel, type SavedEsn, savedReadout, saveModel } from './files.js';
import { type ForceOptions, force } from './force.js';
import { forecastFrom, forecastFromAsync } from './forecast.js';
import {
  asTheyAre,
  type EsnLevel,
  type LevelSizes,
  Levels,
  levelSizesOf,
  levelsOf,
  nestedFeatures,
  type OpenLevels,
} from './levels.js';
import {
  type EsnForecastAsyncOptions,
  type EsnForecastOptions,
  type EsnOptions,
  esnSchema,
  type FitAsyncOptions,
  type FitOptions,
  type Learner,
  networkOf,
  type PredictAsyncOptions,
  type PredictOptions,
  type SeriesList,
} from './options.js';
import { Runner } from './runner.js';
import type { Scale } from './scaling.js';
import { scoreOf } from './score.js';
import { type EsnSnapshot, readSnapshot, snapshotOf } from './snapshot.js';
import { EsnStream, type StreamOptions } from './stream.js';
import { type Plan, type Taught, Teaching } from './teaching.js';
import { Trained } from './trained.js';

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
 * state, and for what teaches (fit, partialFit, force, restore) during a fitAsync.
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
  readonly #runner: Runner;
  readonly #teaching: Teaching;
  /** Of the levels of a nested Esn. */
  readonly #sizes: readonly LevelSizes[] | null;
  #trained: Trained | null = null;
  #levels: Levels | null = null;

  constructor(options: EsnOptions) {
    const checked = checkOptions(esnSchema, options, 'Esn');
    const { network, nested, readout, washout, scale } = checked;
    const { features = nested ? nestedFeatures : ['states', 'inputs'] } = checked;
    this.network = networkOf(network);
    const isPlain = features.length === 1 && features[0] === 'states';
    this.featured = isPlain ? this.network : new Featured({ network: this.network, features });
    const { featureSize } = this.featured;
    this.#sizes = nested ? levelSizesOf(this.network, features, featureSize, readout) : null;
    this.state = this.featured.createState();
    this.washout = washout;
    this.scale = scale;
    this.#runner = new Runner(this.featured, scale);
    const { featured, state } = this;
    const prefixes = this.#sizes?.map(({ features }) => features) ?? null;
    this.#teaching = new Teaching(readout, {
      network: featured,
      state,
      washout,
      scale,
      runner: this.#runner,
      prefixes,
    });
  }

  /** What trains the readout; null before the first fit where the options of a Ridge, or none, were given. */
  get learner(): Learner | null {
    return this.#teaching.learner;
  }

  /** The trained map of the features, in the units of the network. Errors: ERR_DTESN_EMPTY before a fit. */
  get readout(): LinearReadout {
    return this.#ready().readout;
  }

  /**
   * The readouts of a nested Esn: of the first level, of the first two, ..., of all, with the error of each. Empty where it is not
   * nested. Errors: ERR_DTESN_EMPTY before a fit.
   */
  get levels(): readonly EsnLevel[] {
    this.#ready();
    return this.#levels?.all ?? [];
  }

  /** Whether fit, partialFit or restore was called. */
  get isFitted(): boolean {
    return this.#trained !== null || this.#teaching.online !== null;
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
    return this.#learn(this.#teaching.planFit(x, y, options, false));
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
    const plan = this.#teaching.planFit(x, y, fit, true);
    this.#begin(plan);
    this.#holdTaught(await this.#teaching.learnAsync(plan.training, { signal, onProgress }));
    return this;
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
    return this.#learn(this.#teaching.planMore(x, y, options));
  }

  /**
   * FORCE learning with an online readout, from the own state: outputs are fed back while their targets, steps x outputs, are
   * learned. Returns the outputs before each step was learned. Errors: RangeError ERR_DTESN_ARGUMENT for a target that is NaN.
   * Source: Sussillo & Abbott (2009), Neuron 63(4).
   */
  force(targets: SeriesInput, options: ForceOptions = {}): Matrix {
    const scaling = this.#runner.knownScaling();
    const learner = this.#teaching.goOn(targets);
    const trained = this.isFitted ? this.#ready() : null;
    const loop = { network: this.featured, state: this.state, learner, scaling, trained };
    return this.#teach(() => force(loop, targets, options));
  }

  /** Outputs of every step, steps x outputs; a list of series gives a list. */
  predict(x: SeriesInput, options?: PredictOptions): Matrix;
  predict(x: readonly SeriesInput[], options?: PredictOptions): Matrix[];
  predict(x: SeriesInput | readonly SeriesInput[], options: PredictOptions = {}): Matrix | Matrix[] {
    const { isMany, series, begin } = this.#runner.series(x, options, { call: 'predict', own: this.state });
    const { trained, open } = this.#at(options.levels);
    const all = series.map((values, i) => open(begin(i), (state) => this.#runner.outputs(trained, values, state)));
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
    const { trained, openAsync } = this.#at(options.levels);
    const total = series.reduce((sum, one) => sum + one.length, 0) / this.network.inputs;
    const all: Matrix[] = [];
    let before = 0;
    for (const [i, values] of series.entries()) {
      const run = { signal, onProgress };
      const outputs = (state: State) => this.#runner.outputsAsync(trained, values, state, run, { before, total });
      all.push(await openAsync(begin(i), outputs));
      before += values.length / this.network.inputs;
    }
    return isMany ? all : all[0]!;
  }

  /**
   * The steps after those that a state has seen, each computed from the one before: steps x outputs, in one native call. From
   * many starts it is one batch, and the result a list, in which a forecast that becomes infinite or NaN has fewer rows.
   */
  forecast(options: EsnForecastOptions & ({ starts: readonly State[] | Matrix } | { warmup: SeriesList })): Matrix[];
  forecast(options: EsnForecastOptions): Matrix;
  forecast(options: EsnForecastOptions): Matrix | Matrix[] {
    return forecastFrom(this.#loop(false), options);
  }

  /** The same off the JavaScript thread; progress counts the steps of all starts. */
  async forecastAsync(
    options: EsnForecastAsyncOptions & ({ starts: readonly State[] | Matrix } | { warmup: SeriesList }),
  ): Promise<Matrix[]>;
  async forecastAsync(options: EsnForecastAsyncOptions): Promise<Matrix>;
  async forecastAsync(options: EsnForecastAsyncOptions): Promise<Matrix | Matrix[]> {
    return forecastFromAsync(this.#loop(true), options);
  }

  /**
   * Coefficient of determination R² = 1 - Σ (y - ŷ)² / Σ (y - mean y)², averaged over the outputs, 1 at best; without targets,
   * of the next step. No state changes. Errors: ERR_DTESN_SHAPE without targets for other outputs than the inputs.
   */
  score(
    x: SeriesInput | readonly SeriesInput[],
    y?: SeriesInput | readonly SeriesInput[],
    options: PredictOptions = {},
  ): number {
    const { network, state: own } = this;
    return scoreOf(x, y, options, { ...this.#at(options.levels), runner: this.#runner, network, own });
  }

  /** One series whose steps arrive one at a time, with a state of its own. */
  stream(options: StreamOptions = {}): EsnStream {
    return new EsnStream(this, options);
  }

  /** What a restored object needs to go on: a plain object, which structuredClone and postMessage take. */
  snapshot(): EsnSnapshot {
    const { readout } = this.#ready();
    const { state, learner } = this;
    return snapshotOf({ state, readout, scaling: this.#runner.scaling, learner, levels: this.#levels?.all ?? null });
  }

  /**
   * Goes on from a snapshot of an object with the same options. A RecursiveLeastSquares and a LeastMeanSquares go on
   * learning; a Ridge keeps its weights until it is fitted again.
   * Returns this object. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for what is no snapshot, ERR_DTESN_SHAPE for one of other
   * sizes or of another scale.
   */
  restore(snapshot: EsnSnapshot): this {
    this.#teaching.checkIdle();
    const read = readSnapshot(snapshot, this.featured, this.learner, this.#sizes, this.scale);
    this.state.reset(read.state);
    if (read.gates) this.state.gates?.set(read.gates);
    this.#teaching.restore(read.learner, read.readout);
    this.#runner.scaling = read.scaling;
    this.#hold(read.readout, read.levels);
    return this;
  }

  /**
   * Writes the options, the trained readout and the state to a safetensors file, which is complete or not there at any time. Weights
   * that a seed draws are not in it; given weights are. What a Ridge has summed is not kept; an online readout goes on learning.
   * Errors: ERR_DTESN_EMPTY before a fit; TypeError ERR_DTESN_ARGUMENT for a network that came by a handle; those of the system.
   */
  async save(path: string): Promise<void> {
    const { network, washout, scale } = this;
    const features = featuresOf(this.featured, network);
    const readout = savedReadout(this.learner, this.#teaching.options);
    const nested = this.#sizes === null ? undefined : true;
    const saved: SavedEsn = { washout, scale, features, readout, nested, snapshot: this.snapshot() };
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
   * Errors: ERR_DTESN_EMPTY before a fit; RangeError ERR_DTESN_ARGUMENT for more than 4,194,304 places of weights and for
   * features of differentials().
   */
  toC(options: CHeaderOptions = {}): string {
    const { readout } = this.#ready();
    return cHeaderOf({ state: this.state, readout, scaling: this.#runner.scaling }, options);
  }

  /** Frees the own state, the features and the sums; the network that was given stays open. */
  close(): void {
    this.state.close();
    if (this.featured !== this.network) this.featured.close();
    this.#teaching.close();
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
    return this.#teach(() => this.#teaching.update(features, targets));
  }

  /** The trained readout; that of an online learner is made when it is asked for. */
  #ready(): Trained {
    if (this.#trained !== null) return this.#trained;
    const { online } = this.#teaching;
    if (online !== null) return this.#hold(online.readout());
    throw new DtesnError('ERR_DTESN_EMPTY', 'Expected a trained Esn: call fit first');
  }

  #hold(readout: LinearReadout, levels: readonly EsnLevel[] | null = null): Trained {
    const { scaling } = this.#runner;
    this.#trained = new Trained(this.featured, readout, scaling);
    this.#levels = levels && new Levels(levels, this.featured, scaling);
    return this.#trained;
  }

  #holdTaught({ readout, nested }: Taught): void {
    this.#hold(readout, nested && levelsOf(this.#sizes!, nested));
  }

  /** What reads the first levels, and opens them alone; all as it stands where `levels` is left out. */
  #at(levels: number | undefined): OpenLevels {
    const trained = this.#ready();
    if (levels === undefined) return { trained, ...asTheyAre };
    if (this.#levels === null) throw argumentError('no levels (without nested)', 'levels', levels);
    return this.#levels.opening(levels);
  }

  /** Learns, after which what was trained before no longer stands, also where learning ends with an error. */
  #teach<R>(learn: () => R): R {
    const before = this.#teaching.learner?.steps;
    try {
      return learn();
    } finally {
      if (this.#teaching.online !== null || this.#teaching.learner?.steps !== before) this.#trained = null;
    }
  }

  #begin(plan: Plan): void {
    this.#teaching.begin(plan);
    if (plan.forgets) this.#trained = null;
  }

  #learn(plan: Plan): this {
    this.#begin(plan);
    const taught = this.#teach(() => this.#teaching.learn(plan.training));
    if (taught !== null) this.#holdTaught(taught);
    return this;
  }

  #loop(shared: boolean) {
    const toNetwork = (raw: readonly SeriesInput[]) => this.#runner.toNetwork(raw, shared);
    const { scaling } = this.#runner;
    return { network: this.featured, own: this.state, trained: this.#ready(), scaling, toNetwork };
  }
}

/** Whether something is an Esn, of this copy of the package or another. */
export const isEsn = brand(Esn, 'Esn');

/** What trains the readout of an Esn: its learner, the lessons of a fit, and the ridge of a forecaster. */
import { argumentError, DtesnError } from '../errors/index.js';
import type { Floats, LongRunOptions } from '../native/index.js';
import type { Network, State } from '../network/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import {
  BLOCK_STEPS,
  isLeastMeanSquares,
  isRidge,
  isSoftmax,
  type LinearReadout,
  type NestedReadout,
  Ridge,
  type RidgeOptions,
} from '../readout/index.js';
import {
  forecastError,
  forecastErrorAsync,
  forecastRidges,
  rehearse,
  rehearseAsync,
  unlessSingular,
} from './closed-loop.js';
import { learn, learnAsync } from './fitting.js';
import { NESTED_FOLDS } from './levels.js';
import { type FitOptions, isLearner, type Learner } from './options.js';
import type { Runner } from './runner.js';
import { type Scale, type Scaling, unscale } from './scaling.js';
import { planTraining, readWanted, type Training } from './training.js';

/** What an Esn is taught on. */
export interface TeachingSetting {
  /** The network as the readout sees it. */
  network: Network;
  /** The own state of the Esn. */
  state: State;
  washout: number;
  scale: Scale;
  runner: Runner;
  /** Features of the first levels of a nested Esn, one number for each; null for others. */
  prefixes: readonly number[] | null;
}

type Lists = SeriesInput | readonly SeriesInput[];

/** Checked lessons, and who learns them. */
export interface Plan {
  training: Training;
  learner: Learner;
  /** Whether what was learned before is forgotten. */
  forgets: boolean;
}

/** What a fit with a Ridge gives. */
export interface Taught {
  readout: LinearReadout;
  /** The readouts of the first levels of a nested Esn; null for others. */
  nested: NestedReadout[] | null;
}

export class Teaching {
  /** Options of the Ridge that each fit makes; null where a learner was given. */
  readonly options: RidgeOptions | null;
  readonly #setting: TeachingSetting;
  #learner: Learner | null;
  #isBusy = false;

  constructor(readout: Learner | RidgeOptions | undefined, setting: TeachingSetting) {
    if (isSoftmax(readout)) {
      const expected = 'a readout of numbers (a Softmax is for the labels of an EsnClassifier)';
      throw argumentError(expected, 'readout', readout);
    }
    this.#setting = setting;
    this.#learner = isLearner(readout) ? readout : null;
    this.options = isLearner(readout) ? null : given(readout ?? {});
    if (this.options !== null) new Ridge(this.options); // reports a wrong option now
  }

  get learner(): Learner | null {
    return this.#learner;
  }

  /** The online learner whose weights are the readout; null for a Ridge, and before a row was learned. */
  get online(): Exclude<Learner, Ridge> | null {
    const learner = this.#learner;
    return learner !== null && !isRidge(learner) && learner.steps > 0 ? learner : null;
  }

  /** One call at a time teaches. Errors: ERR_DTESN_BUSY during a fitAsync, and while another call uses the own state. */
  checkIdle(): void {
    this.#checkFree();
    this.#setting.state.checkIdle();
  }

  /** Checks the series, targets and options of a fit, which begins without what was learned before. */
  planFit(x: Lists, y: Lists | undefined, { state = 'reset', weights }: FitOptions, shared: boolean): Plan {
    this.checkIdle();
    const learner = this.options === null ? this.#learner! : this.#newLearner(y);
    if (shared && !isRidge(learner)) {
      throw argumentError('a Ridge (online readouts learn with fit, partialFit or a stream)', 'readout', learner);
    }
    return { ...this.#plan(x, y, { state, weights }, { learner, scaling: null, shared }), forgets: true };
  }

  /** The same for lessons beside those so far. */
  planMore(x: Lists, y: Lists | undefined, { state = 'carry', weights }: FitOptions): Plan {
    this.checkIdle();
    const learner = this.#learner ?? this.#newLearner(y);
    const { scaling } = this.#setting.runner;
    return { ...this.#plan(x, y, { state, weights }, { learner, scaling, shared: false }), forgets: false };
  }

  #plan(
    x: Lists,
    y: Lists | undefined,
    options: FitOptions & Required<Pick<FitOptions, 'state'>>,
    { learner, ...known }: { learner: Learner; scaling: Scaling | null; shared: boolean },
  ): Omit<Plan, 'forgets'> {
    if (options.weights !== undefined && !isRidge(learner)) {
      throw argumentError('no weights (an online readout has none)', 'weights', options.weights);
    }
    const { network, state: ownState, washout, scale, runner } = this.#setting;
    const setting = { network, ownState, washout: options.state === 'carry' ? 0 : washout, scale, ...known };
    const folds = isRidge(learner) ? learner.folds : 1;
    const block = runner.rows(BLOCK_STEPS);
    return { training: planTraining(x, y, options, { ...setting, folds, block }), learner };
  }

  /** Begins what was planned; a fit forgets what was learned. */
  begin({ training, learner, forgets }: Plan): void {
    if (forgets) learner.reset();
    this.#learner = learner;
    this.#setting.runner.scaling = training.scaling;
  }

  /** The learner of a loop, which goes on. */
  goOn(y: unknown): Learner {
    this.checkIdle();
    this.#learner ??= this.#newLearner(y);
    return this.#learner;
  }

  /** What a Ridge has learned; null where an online learner has it. */
  learn(training: Training): Taught | null {
    const learner = this.#learner!;
    const { network, prefixes } = this.#setting;
    this.#hold(learn(training, learner, network));
    if (!isRidge(learner)) return null;
    const readout = this.#solve(training, learner);
    return { readout, nested: prefixes && learner.nested(prefixes) };
  }

  #solve(training: Training, learner: Ridge): LinearReadout {
    const { state, washout } = this.#setting;
    const rehearsal = this.#choosesRidge && training.own ? rehearse(state, training.own, washout) : null;
    if (rehearsal === null) return learner.solve();
    const candidates = forecastRidges.map((ridge): Candidate => {
      try {
        const readout = learner.solve(ridge);
        return { ridge, readout, condition: learner.condition, error: forecastError(rehearsal, readout) };
      } catch (reason) {
        return singular(ridge, reason);
      }
    });
    return chosen(learner, candidates);
  }

  /** The same off the JavaScript thread, for a Ridge. */
  async learnAsync(training: Training, run: LongRunOptions): Promise<Taught> {
    this.#isBusy = true;
    try {
      const { network, prefixes } = this.#setting;
      const learner = this.#learner as Ridge;
      this.#hold(await learnAsync(training, learner, network, run));
      const readout = await this.#solveAsync(training, learner, run);
      return { readout, nested: prefixes && (await learner.nestedAsync(prefixes, learner.ridge, run)) };
    } finally {
      this.#isBusy = false;
    }
  }

  async #solveAsync(training: Training, learner: Ridge, run: LongRunOptions): Promise<LinearReadout> {
    const { state, washout } = this.#setting;
    const { signal } = run;
    const { own } = training;
    const rehearsal = this.#choosesRidge && own ? await rehearseAsync(state, own, washout, signal) : null;
    if (rehearsal === null) return await learner.solveAsync(undefined, run);
    const candidates: Candidate[] = [];
    for (const ridge of forecastRidges) {
      try {
        const readout = await learner.solveAsync(ridge, run);
        const { condition } = learner;
        candidates.push({ ridge, readout, condition, error: await forecastErrorAsync(rehearsal, readout, { signal }) });
      } catch (reason) {
        candidates.push(singular(ridge, reason));
      }
    }
    return chosen(learner, candidates);
  }

  /** Learns rows of features online; returns the outputs before, in the units of the data. */
  update(features: Floats, targets: SeriesInput): Matrix {
    this.#checkFree();
    const learner = this.#learner;
    if (learner === null || isRidge(learner)) {
      const expected = 'a RecursiveLeastSquares or LeastMeanSquares (to learn step by step)';
      throw argumentError(expected, 'readout', learner ?? undefined);
    }
    const { network, runner } = this.#setting;
    const { scaling } = runner;
    const rows = features.length / network.featureSize;
    const wanted = readWanted(targets, rows, 0, scaling, network);
    const outputs = wanted.length / rows;
    const before = learner.update(matrix(rows, network.featureSize, features), matrix(rows, outputs, wanted));
    const data = before.data as Float64Array;
    if (scaling !== null && outputs <= network.inputs) unscale(data, scaling, outputs);
    return matrix(rows, outputs, data);
  }

  /** Goes on with what a restored learner has learned; null: a LeastMeanSquares with the readout, and others with nothing. */
  restore(learner: Learner | null, readout: LinearReadout): void {
    if (learner !== null) this.#learner = learner;
    else this.#learner?.reset();
    if (isLeastMeanSquares(this.#learner)) this.#learner.take(readout);
  }

  /** Frees the sums. */
  close(): void {
    if (this.#learner && 'close' in this.#learner) this.#learner.close();
  }

  /** A small ridge where the network predicts itself: data without noise need it, and f64 carries it. Long series choose one. */
  #newLearner(y: unknown): Learner {
    const predictsItself = y === undefined && this.#setting.network.dtype === 'f64';
    const folds = this.#setting.prefixes === null ? undefined : NESTED_FOLDS;
    return new Ridge({ ridge: predictsItself ? 1e-14 : 1e-8, folds, ...this.options });
  }

  /** Whether closed loops choose the ridge of a forecaster: not where one was given, and not for f32. */
  get #choosesRidge(): boolean {
    return this.options !== null && this.options.ridge === undefined && this.#setting.network.dtype === 'f64';
  }

  /** The own state goes on from the last series, also where that had a state of its own. */
  #hold(state: State): void {
    const { state: own } = this.#setting;
    if (state !== own) own.data.set(state.data);
  }

  #checkFree(): void {
    if (!this.#isBusy) return;
    const message = 'Expected this Esn to be idle but a fitAsync is under way: await it first';
    throw new DtesnError('ERR_DTESN_BUSY', message);
  }
}

/** An option that is undefined counts as left out. */
function given(options: RidgeOptions): RidgeOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** What a ridge gave: a readout and the error of its forecasts, or null and why. */
interface Candidate {
  ridge: number;
  readout: LinearReadout | null;
  condition: number | null;
  error: number;
  reason?: unknown;
}

/** For features that are dependent with a ridge. Any other error is thrown. */
function singular(ridge: number, reason: unknown): Candidate {
  return { ridge, readout: unlessSingular(reason), condition: null, error: Number.POSITIVE_INFINITY, reason };
}

/** The readout of the largest ridge of the least error. */
function chosen(learner: Ridge, candidates: readonly Candidate[]): LinearReadout {
  const { ridge, readout, condition, reason } = candidates.reduce((least, one) =>
    one.error <= least.error ? one : least,
  );
  if (readout === null) throw reason;
  learner.take({ best: ridge, table: candidates.map(({ ridge, error }) => ({ ridge, error })) }, condition);
  return readout;
}

/** Search for the best candidate of a space: of a function, or of an Esn on data. */
import { z } from 'zod';
import { argumentError, checkKeys, checkOptions } from '../errors/index.js';
import type { EsnOptions } from '../esn/index.js';
import { threadCount } from '../native/index.js';
import type { Feature } from '../network/index.js';
import { candidateNames, type EsnSearchSpace, optionsOf, splitSpace } from './esn-space.js';
import { readData, type SearchData, type SearchSplits } from './search-data.js';
import {
  type CheckedSearch,
  type Evaluate,
  type SearchOptions,
  type SearchResult,
  type SearchRow,
  SearchRun,
  type SearchTask,
  searchFields,
  seedsOf,
} from './search-run.js';
import { type CandidateOf, checkSpace, type SearchSpace } from './space.js';
import { EsnTrials } from './trial.js';

const optionsSchema = z.object(searchFields);
const esnOptionsSchema = z.object({
  ...searchFields,
  parallel: searchFields.parallel.unwrap().optional().describe('a whole number from 1 to 1024'),
  splits: z.custom<SearchSplits>(Array.isArray).optional().describe('splits of walkForward or of groupFolds'),
  horizon: z.int().min(1).optional().describe('a whole number of steps, 1 or more'),
});

/** Options of a search over data: those of every search, and how candidates are scored. */
export interface EsnSearchOptions extends SearchOptions {
  /**
   * What is trained on and what is tested: rows of one series, as walkForward of dtesn/datasets makes them, or indices of series, as groupFolds
   * makes them (each series is tested once). Default: walkForward with 3 folds; for a list, 5 folds of whole series.
   */
  splits?: SearchSplits | undefined;
  /**
   * Steps that candidates for one series without targets forecast in closed loop, from up to 16 places of each test. Default: 500, at most half of the
   * shortest test.
   */
  horizon?: number | undefined;
  /** Evaluations that are under way at a time. Default: the threads of setThreads. */
  parallel?: number | undefined;
}

/** A candidate of a search over data: what was drawn, and the ridge and the features that were best with it. */
export type EsnCandidateOf<Space extends SearchSpace> = Omit<CandidateOf<Space>, 'ridge' | 'features'> & {
  ridge: number;
  features: readonly Feature[];
};

/** The best row of a search over data, with the options that build it. */
export interface EsnSearchBest<Candidate> extends SearchRow<Candidate> {
  /** Options of the candidate with the first seed: `new Esn(best.options).fit(x, y)`. */
  readonly options: EsnOptions;
}

/** What a search over data found. */
export interface EsnSearchResult<Candidate> {
  /** The row with the least score among those with the full effort; null where all failed. */
  readonly best: EsnSearchBest<Candidate> | null;
  /** All candidates in the order in which they were drawn. */
  readonly table: readonly SearchRow<Candidate>[];
}

/**
 * Searches a space: draws `budget` candidates, evaluates each with every seed, and returns the best one and the table of all. Smaller scores
 * are better.
 *
 *     const { best } = await search(
 *       { units: 200, leak: { low: 0.1, high: 1 }, inputScaling: { low: 0.01, high: 1, scale: 'log' }, washout: 200 },
 *       { x, y },
 *       { budget: 40 },
 *     );
 *     const esn = new Esn(best.options).fit(x, y);
 *
 * With data, candidates are options of an Esn: those of a Reservoir, `washout`, `scale`, `ridge` and `features`. Every ridge of the space, and
 * every set of features, is tried on the same states; candidates run off the JavaScript thread. The score is the mean square on what is
 * tested, in units of its variance, averaged over the outputs and over the seeds; for one series without targets, the geometric mean of the NRMSE
 * of forecasts in closed loop. With a function in place of the data, that scores them, whatever candidates are.
 *
 * The same space, seed and budget draw the same candidates on every platform. With a `file`, evaluations that finished before the process
 * ended, also by kill -9, are not made again, and the table is the same but for its times.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong space, option or split, RangeError ERR_DTESN_SHAPE for data that do not fit
 * each other; DtesnError ERR_DTESN_DATA for the file of another search; the signal's reason.
 * Source: Bergstra & Bengio (2012), "Random search for hyper-parameter optimization", JMLR 13; Jamieson & Talwalkar (2016), "Non-stochastic
 * best arm identification and hyperparameter optimization", AISTATS 51.
 */
export async function search<const Space extends SearchSpace>(
  space: Space,
  evaluate: Evaluate<CandidateOf<Space>>,
  options: SearchOptions,
): Promise<SearchResult<CandidateOf<Space>>>;
export async function search<const Space extends EsnSearchSpace>(
  space: Space,
  data: SearchData,
  options: EsnSearchOptions,
): Promise<EsnSearchResult<EsnCandidateOf<Space>>>;
export async function search(
  space: SearchSpace,
  of: Evaluate<object> | SearchData,
  options: SearchOptions | EsnSearchOptions,
): Promise<SearchResult<object> | EsnSearchResult<object>> {
  checkSpace(space);
  if (typeof of === 'function') return searchFunction(space, of, options);
  if (typeof of !== 'object' || of === null) throw argumentError('data or a function', 'data', of);
  return searchData(space as EsnSearchSpace, of, options);
}

async function searchFunction(space: SearchSpace, evaluate: Evaluate<object>, options: SearchOptions) {
  const checked = checkOptions(optionsSchema, options, 'search');
  const task = {
    ...{ space, variants: [{}], identity: {} },
    evaluate: async (...call: Parameters<Evaluate<object>>) => [await evaluate(...call)],
  };
  return resultOf(task, checked);
}

async function searchData(space: EsnSearchSpace, raw: SearchData, options: EsnSearchOptions) {
  const { splits, horizon, ...checked } = checkOptions(esnOptionsSchema, options, 'search');
  checkKeys(space, candidateNames, 'the space of a search over data');
  const data = readData(raw, { splits, horizon });
  const { drawn, ridges, sets } = splitSpace(space, data);
  const trials = new EsnTrials(data, ridges, sets);
  const variants = sets.flatMap((features) => ridges.map((ridge) => ({ ridge, features })));
  const task: SearchTask<SearchSpace> = {
    ...{ space: drawn, variants, identity: { variants, data: data.identity } },
    evaluate: (candidate, run) => trials.scores(optionsOf(candidate, data.inputs, run.seed), run),
  };
  const parallel = checked.parallel ?? threadCount();
  const { best, table } = await resultOf(task, { ...checked, parallel });
  if (best === null) return { best, table };
  const { ridge, features, ...chosen } = best.candidate as EsnCandidateOf<SearchSpace>;
  const [seed = 0] = seedsOf(checked);
  return {
    best: { ...best, options: { ...optionsOf(chosen, data.inputs, seed), features, readout: { ridge } } },
    table,
  };
}

async function resultOf<Space extends SearchSpace>(task: SearchTask<Space>, options: CheckedSearch) {
  options.signal?.throwIfAborted();
  const run = new SearchRun(task, options);
  try {
    await run.all();
    return run.result();
  } finally {
    run.close();
  }
}

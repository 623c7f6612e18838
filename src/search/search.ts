/** Search for the best candidate of a space, at random or by successive halving. */
import { z } from 'zod';
import { systemClock } from '../abort/index.js';
import { argumentError, checkOptions } from '../errors/index.js';
import { type Evaluation, SearchFile } from './search-file.js';
import { type CandidateOf, checkSpace, drawCandidate, type SearchSpace } from './space.js';

/** What an evaluation gets beside its candidate. */
export interface EvaluationRun {
  /** Seed of what is drawn: networks, orders. */
  readonly seed: number;
  /** The share of the full effort (rows to train on) in (0, 1]: 1 but in the first rounds of 'halving'. */
  readonly budgetShare: number;
  /** Ends the evaluation. */
  readonly signal: AbortSignal | undefined;
}

/** The score of a candidate: smaller is better. A candidate whose evaluation throws, or gives no finite number, has failed. */
export type Evaluate<Candidate> = (candidate: Candidate, run: EvaluationRun) => number | Promise<number>;

/** Options of search: how many candidates and seeds, by which strategy, and where finished evaluations are kept. */
export interface SearchOptions {
  /** Candidates that are drawn, 1 or more. Required. */
  budget: number;
  /** How many seeds (0, 1, ...), or which; the score of a candidate is their mean. Default 1. */
  seeds?: number | readonly number[] | undefined;
  /**
   * 'random' evaluates each candidate in full. 'halving' begins with a small share of the effort for all, and again and again keeps the
   * best third for three times the share, until the last ones have had it all. Default 'random'.
   */
  strategy?: 'random' | 'halving' | undefined;
  /** Evaluations that are under way at a time, for those that work on other threads. Default 1. */
  parallel?: number | undefined;
  /** Seed of the candidates. Default 0. */
  seed?: number | undefined;
  /** Path of a file that finished evaluations are appended to: a search that was ended goes on with it. Default: none. */
  file?: string | undefined;
  /** Ends the search, which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
  /** Called after each evaluation with the stage 'search'. Default: none. */
  onProgress?: ((progress: { done: number; total: number; stage: string }) => void) | undefined;
}

const wholeSeed = z.int().min(0);

const optionsSchema = z.object({
  budget: z.int().min(1).max(1_000_000).describe('a whole number of candidates from 1 to 1000000'),
  seeds: z
    .union([z.int().min(1).max(1000), z.array(wholeSeed).min(1)])
    .default(1)
    .describe('a whole number from 1 to 1000, or an array of seeds'),
  strategy: z.enum(['random', 'halving']).default('random').describe("'random' or 'halving'"),
  parallel: z.int().min(1).max(1024).default(1).describe('a whole number from 1 to 1024'),
  seed: wholeSeed.default(0).describe('a whole number from 0 to 9007199254740991'),
  file: z.string().min(1).optional().describe('a path'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  onProgress: z
    .custom<SearchOptions['onProgress']>((value) => typeof value === 'function')
    .optional()
    .describe('a function'),
});

/** A candidate and what became of it. */
export interface SearchRow<Candidate> {
  /** Its parameters. */
  readonly candidate: Candidate;
  /** Mean of the scores; null where an evaluation failed. */
  readonly score: number | null;
  /** The score of each seed; null where it failed. */
  readonly scores: readonly (number | null)[];
  /** The largest share of the effort that it has had. */
  readonly budgetShare: number;
  /** The first error; null where there was none. */
  readonly error: string | null;
  /** Time of its evaluations, of all rounds. */
  readonly milliseconds: number;
}

/** What a search found. */
export interface SearchResult<Candidate> {
  /** The row with the least score among those with the full effort; null where all failed. */
  readonly best: SearchRow<Candidate> | null;
  /** All candidates in the order in which they were drawn. */
  readonly table: readonly SearchRow<Candidate>[];
}

/** Each round of 'halving' keeps one of so many. */
const KEPT = 3;
/** The smallest share of the effort is KEPT^-LONGEST. */
const LONGEST = 3;

/**
 * Searches a space: draws `budget` candidates, evaluates each with every seed, and returns the best one and the table of all.
 *
 *     const { best, table } = await search(
 *       { leak: { low: 0.1, high: 1 }, ridge: { low: 1e-12, high: 1e-2, scale: 'log' } },
 *       (candidate, { seed }) => errorOf(candidate, seed),
 *       { budget: 40, seeds: 3, file: 'search.jsonl' },
 *     );
 *
 * The same space, seed and budget draw the same candidates on every platform. With a `file`, evaluations that finished before the process
 * ended, also by kill -9, are not made again, and the table is the same but for its times.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong space or option; DtesnError ERR_DTESN_DATA for the file of another
 * search; the signal's reason.
 * Source: Bergstra & Bengio (2012), "Random search for hyper-parameter optimization", JMLR 13; Jamieson & Talwalkar (2016), "Non-stochastic
 * best arm identification and hyperparameter optimization", AISTATS 51.
 */
export async function search<const Space extends SearchSpace>(
  space: Space,
  evaluate: Evaluate<CandidateOf<Space>>,
  options: SearchOptions,
): Promise<SearchResult<CandidateOf<Space>>> {
  checkSpace(space);
  if (typeof evaluate !== 'function') throw argumentError('a function', 'evaluate', evaluate);
  const checked = checkOptions(optionsSchema, options, 'search');
  checked.signal?.throwIfAborted();
  const run = new SearchRun(space, evaluate, checked);
  try {
    await run.all();
    return run.result();
  } finally {
    run.close();
  }
}

/** A round: candidates by their indices, and the share of the effort that each gets. */
interface Rung {
  number: number;
  share: number;
  candidates: readonly number[];
}

class SearchRun<Space extends SearchSpace> {
  readonly #evaluate: Evaluate<CandidateOf<Space>>;
  readonly #options: z.output<typeof optionsSchema>;
  readonly #seeds: readonly number[];
  readonly #candidates: readonly CandidateOf<Space>[];
  readonly #file: SearchFile | null;
  readonly #done = new Map<string, Evaluation>();
  /** The last round of each candidate. */
  readonly #last = new Map<number, Rung>();
  #finished = 0;

  constructor(space: Space, evaluate: Evaluate<CandidateOf<Space>>, options: z.output<typeof optionsSchema>) {
    const { budget, seed, seeds, strategy, file } = options;
    this.#evaluate = evaluate;
    this.#options = options;
    this.#seeds = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i) : seeds;
    this.#candidates = Array.from({ length: budget }, (_, i) => drawCandidate(space, seed, i));
    const identity = { space, budget, seed, seeds: this.#seeds, strategy };
    this.#file = file === undefined ? null : new SearchFile(file, identity);
    for (const one of this.#file?.done ?? []) this.#done.set(keyOf(one), one);
  }

  async all(): Promise<void> {
    const shares = this.#shares();
    let candidates: readonly number[] = [...this.#candidates.keys()];
    for (const [number, share] of shares.entries()) {
      const rung = { number, share, candidates };
      for (const candidate of candidates) this.#last.set(candidate, rung);
      await this.#rung(rung);
      const ranked = candidates
        .filter((candidate) => this.#score(candidate, number) !== null)
        .sort((a, b) => this.#score(a, number)! - this.#score(b, number)! || a - b);
      candidates = ranked.slice(0, Math.ceil(candidates.length / KEPT));
    }
  }

  result(): SearchResult<CandidateOf<Space>> {
    const table = this.#candidates.map((_, index) => this.#row(index));
    const full = table.filter(({ score, budgetShare }) => score !== null && budgetShare === 1);
    const best = full.reduce<SearchRow<CandidateOf<Space>> | null>(
      (least, row) => (least === null || row.score! < least.score! ? row : least),
      null,
    );
    return { best, table };
  }

  close(): void {
    this.#file?.close();
  }

  /** The share of each round. */
  #shares(): number[] {
    const { strategy, budget } = this.#options;
    const rounds = strategy === 'random' ? 0 : Math.min(LONGEST, Math.floor(Math.log(budget) / Math.log(KEPT) + 1e-9));
    return Array.from({ length: rounds + 1 }, (_, i) => KEPT ** (i - rounds));
  }

  /** All evaluations of a round, some at a time. */
  async #rung({ number, share, candidates }: Rung): Promise<void> {
    const jobs = candidates.flatMap((candidate) => this.#seeds.map((seed) => ({ candidate, seed, rung: number })));
    const left = jobs.filter((job) => !this.#done.has(keyOf(job)))[Symbol.iterator]();
    this.#finished += jobs.filter((job) => this.#done.has(keyOf(job))).length;
    const work = async () => {
      for (const job of left) await this.#one(job, share);
    };
    // One that ends by an abort must not leave the others under way.
    const ends = await Promise.allSettled(Array.from({ length: this.#options.parallel }, work));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #one(job: Pick<Evaluation, 'candidate' | 'seed' | 'rung'>, budgetShare: number): Promise<void> {
    const { signal, onProgress } = this.#options;
    signal?.throwIfAborted();
    const start = systemClock.now();
    let score: number | null = null;
    let error: string | null = null;
    try {
      score = await this.#evaluate(this.#candidates[job.candidate]!, { seed: job.seed, budgetShare, signal });
      if (!Number.isFinite(score)) [score, error] = [null, `the score is ${String(score)}`];
    } catch (reason) {
      error = String(reason);
    }
    signal?.throwIfAborted();
    const evaluation = { ...job, score, error, milliseconds: systemClock.now() - start };
    this.#file?.add(evaluation);
    this.#done.set(keyOf(evaluation), evaluation);
    onProgress?.({ done: ++this.#finished, total: this.#total(), stage: 'search' });
  }

  /** Evaluations of all rounds. */
  #total(): number {
    let [total, candidates] = [0, this.#candidates.length];
    for (const _ of this.#shares()) {
      total += candidates * this.#seeds.length;
      candidates = Math.ceil(candidates / KEPT);
    }
    return total;
  }

  #evaluations(candidate: number, rung: number): (Evaluation | undefined)[] {
    return this.#seeds.map((seed) => this.#done.get(keyOf({ candidate, rung, seed })));
  }

  #score(candidate: number, rung: number): number | null {
    const scores = this.#evaluations(candidate, rung).map((one) => one?.score ?? null);
    if (scores.includes(null)) return null;
    return (scores as number[]).reduce((sum, score) => sum + score, 0) / scores.length;
  }

  #row(candidate: number): SearchRow<CandidateOf<Space>> {
    const { number, share } = this.#last.get(candidate)!;
    const evaluations = this.#evaluations(candidate, number);
    const rounds = Array.from({ length: number + 1 }, (_, rung) => this.#evaluations(candidate, rung)).flat();
    return {
      candidate: this.#candidates[candidate]!,
      score: this.#score(candidate, number),
      scores: evaluations.map((one) => one?.score ?? null),
      budgetShare: share,
      error: evaluations.find((one) => typeof one?.error === 'string')?.error ?? null,
      milliseconds: rounds.reduce((sum, one) => sum + (one?.milliseconds ?? 0), 0),
    };
  }
}

const keyOf = ({ candidate, rung, seed }: { candidate: number; rung: number; seed: number }) =>
  `${candidate} ${rung} ${seed}`;

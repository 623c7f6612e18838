/** The rounds of a search: evaluations of candidates, at random or by successive halving, some at a time, kept in a file. */
import { z } from 'zod';
import { systemClock } from '../abort/index.js';
import { type Evaluation, SearchFile } from './search-file.js';
import { type CandidateOf, drawCandidate, type SearchSpace } from './space.js';

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

export const searchFields = {
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
};
/** Checked options of a search. */
export type CheckedSearch = z.output<z.ZodObject<typeof searchFields>>;

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

/** A round: candidates by their indices, and the share of the effort that each gets. */
interface Rung {
  number: number;
  share: number;
  candidates: readonly number[];
}

/** What is searched: where candidates come from, what is tried of each at once, and how. */
export interface SearchTask<Space extends SearchSpace> {
  space: Space;
  /** Parts that one evaluation tries all of, which the best candidate is completed with: one score each. */
  variants: readonly object[];
  /** What makes a search this one, beside its space and its options: plain data. */
  identity: object;
  evaluate: (
    candidate: CandidateOf<Space>,
    run: EvaluationRun,
  ) => readonly (number | null)[] | Promise<readonly (number | null)[]>;
}

export class SearchRun<Space extends SearchSpace> {
  readonly #evaluate: SearchTask<Space>['evaluate'];
  readonly #variants: readonly object[];
  readonly #options: CheckedSearch;
  readonly #seeds: readonly number[];
  readonly #candidates: readonly CandidateOf<Space>[];
  readonly #file: SearchFile | null;
  readonly #done = new Map<string, Evaluation>();
  /** The last round of each candidate. */
  readonly #last = new Map<number, Rung>();
  #finished = 0;

  constructor({ space, variants, identity: more, evaluate }: SearchTask<Space>, options: CheckedSearch) {
    const { budget, seed, strategy, file } = options;
    this.#evaluate = evaluate;
    this.#variants = variants;
    this.#options = options;
    this.#seeds = seedsOf(options);
    this.#candidates = Array.from({ length: budget }, (_, i) => drawCandidate(space, seed, i));
    const identity = { space, budget, seed, seeds: this.#seeds, strategy, ...more };
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
    let scores: readonly (number | null)[] = [];
    let error: string | null = null;
    try {
      const found = await this.#evaluate(this.#candidates[job.candidate]!, { seed: job.seed, budgetShare, signal });
      scores = found.map((one) => (Number.isFinite(one) ? one : null));
      if (scores.every((one) => one === null)) error = `the score is ${String(found[0])}`;
    } catch (reason) {
      error = String(reason);
    }
    signal?.throwIfAborted();
    const score = scores.reduce<number | null>((least, one) => lesser(least, one), null);
    const several = this.#variants.length > 1 ? { variants: scores } : {};
    const evaluation = { ...job, score, error, milliseconds: systemClock.now() - start, ...several };
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
    return this.#best(candidate, rung).score;
  }

  /** The variant with the least mean over the seeds. */
  #best(candidate: number, rung: number): { variant: number; score: number | null; scores: (number | null)[] } {
    const evaluations = this.#evaluations(candidate, rung);
    const all = this.#variants.map((_, variant) => {
      const scores = evaluations.map((one) => (one?.variants ? (one.variants[variant] ?? null) : (one?.score ?? null)));
      const isWhole = !scores.includes(null);
      return {
        variant,
        scores,
        score: isWhole ? (scores as number[]).reduce((a, b) => a + b, 0) / scores.length : null,
      };
    });
    return all.reduce((least, one) =>
      one.score !== null && lesser(least.score, one.score) !== least.score ? one : least,
    );
  }

  #row(candidate: number): SearchRow<CandidateOf<Space>> {
    const { number, share } = this.#last.get(candidate)!;
    const evaluations = this.#evaluations(candidate, number);
    const rounds = Array.from({ length: number + 1 }, (_, rung) => this.#evaluations(candidate, rung)).flat();
    const { variant, score, scores } = this.#best(candidate, number);
    return {
      candidate: { ...this.#candidates[candidate]!, ...this.#variants[variant] },
      score,
      scores,
      budgetShare: share,
      error: evaluations.find((one) => typeof one?.error === 'string')?.error ?? null,
      milliseconds: rounds.reduce((sum, one) => sum + (one?.milliseconds ?? 0), 0),
    };
  }
}

/** The seeds of a search. */
export function seedsOf({ seeds }: Pick<CheckedSearch, 'seeds'>): readonly number[] {
  return typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i) : seeds;
}

/** The lesser of two, the first of two equal ones; null is more than any. */
function lesser(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return b < a ? b : a;
}

const keyOf = ({ candidate, rung, seed }: { candidate: number; rung: number; seed: number }) =>
  `${candidate} ${rung} ${seed}`;

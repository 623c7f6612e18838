/**
 * How well first tokens were predicted over the last WINDOW seconds, beside two rules that know less.
 *
 *     error        mean |ln(predicted / observed)|, both clipped to 0.02 .. 20 s
 *     persistence  predicts the time of the last first token of the engine
 *     token limit  predicts a miss of the objective above a number of queued prompt tokens (token-limit.ts)
 *     wrong        share of requests with an objective of which it was said wrongly whether they would miss it
 *     contested    requests with an objective of which half or more was predicted, by the outlook or by persistence, or needed
 *     coverage     share of requests whose first token came within p90
 *
 * Without skill: of at least ENOUGH contested requests persistence had no larger an error. Others say nothing about
 * admission: on an idle engine persistence errs little, and nothing is to be refused.
 * A ring of one bucket a second, so that memory is constant. Times are seconds.
 */
const WINDOW = 120;
const ENOUGH = 30;
const SHORTEST_MS = 20;
const LONGEST_MS = 20_000;
const CONTESTED = 0.5;

/** Skill of predictions in the last seconds; null where nothing was to be judged. */
export interface OutlookSkill {
  /** Seconds that it is of. */
  windowSeconds: number;
  /** First tokens in the window. */
  outcomes: number;
  /** Mean |ln(predicted / observed)| of the outlook, and of the last first token of the same engine (persistence). */
  error: { outlook: number | null; persistence: number | null };
  /** Share of the first tokens that came within p90, 0 to 1. */
  coverage: number | null;
  /** First tokens of which the objective was known: that of the last admission that was asked for. */
  judged: number;
  /** Share of the judged ones of which it was said wrongly whether they would miss their objective. */
  wrong: { outlook: number | null; persistence: number | null; tokenLimit: number | null };
  /** Judged ones of which half of the objective or more was predicted or needed. */
  contested: number;
  /** False where persistence was no worse on them: admission steps back then. */
  better: boolean;
}

/** One first token: what was predicted when its request was sent, and what came. */
export interface Outcome {
  predictedMs: number;
  p90Ms: number;
  /** Null before the first outcome of the engine. */
  persistenceMs: number | null;
  observedMs: number;
  /** Milliseconds; null where none was asked for. */
  objectiveMs: number | null;
  /** Whether the token limit predicted a miss; null where there is no limit yet. */
  overLimit: boolean | null;
}

const columns = [
  'outcomes',
  'error',
  'compared',
  'persistenceError',
  'covered',
  'judged',
  'wrong',
  'persistenceJudged',
  'persistenceWrong',
  'limitJudged',
  'limitWrong',
  'contested',
  'contestedError',
  'contestedPersistence',
] as const;
type Sums = Record<(typeof columns)[number], number>;

export class SkillWindow {
  readonly #buckets: { second: number; sums: Sums }[] = [];

  add(outcome: Outcome, nowSeconds: number): void {
    const sums = this.#bucket(Math.floor(nowSeconds));
    const { predictedMs, p90Ms, persistenceMs, observedMs } = outcome;
    const error = logError(predictedMs, observedMs);
    const persistenceError = persistenceMs === null ? null : logError(persistenceMs, observedMs);
    sums.outcomes++;
    sums.error += error;
    if (observedMs <= p90Ms) sums.covered++;
    if (persistenceError !== null) {
      sums.compared++;
      sums.persistenceError += persistenceError;
    }
    judge(sums, outcome, error, persistenceError);
  }

  at(nowSeconds: number): OutlookSkill {
    const oldest = Math.floor(nowSeconds) - WINDOW;
    const total = emptySums();
    for (const { second, sums } of this.#buckets) {
      if (second <= oldest) continue;
      for (const name of columns) total[name] += sums[name];
    }
    const mean = (sum: number, count: number) => (count === 0 ? null : sum / count);
    return {
      windowSeconds: WINDOW,
      outcomes: total.outcomes,
      error: {
        outlook: mean(total.error, total.outcomes),
        persistence: mean(total.persistenceError, total.compared),
      },
      coverage: mean(total.covered, total.outcomes),
      judged: total.judged,
      wrong: {
        outlook: mean(total.wrong, total.judged),
        persistence: mean(total.persistenceWrong, total.persistenceJudged),
        tokenLimit: mean(total.limitWrong, total.limitJudged),
      },
      contested: total.contested,
      better: total.contested < ENOUGH || total.contestedError < total.contestedPersistence,
    };
  }

  #bucket(second: number): Sums {
    const last = this.#buckets.at(-1);
    if (last !== undefined && second <= last.second) return last.sums;
    const made = { second, sums: emptySums() };
    this.#buckets.push(made);
    while (this.#buckets[0]!.second <= second - WINDOW) this.#buckets.shift();
    return made.sums;
  }
}

function judge(
  sums: Sums,
  { predictedMs, persistenceMs, observedMs, objectiveMs, overLimit }: Outcome,
  error: number,
  persistenceError: number | null,
): void {
  if (objectiveMs === null) return;
  const missed = observedMs > objectiveMs;
  sums.judged++;
  if (predictedMs > objectiveMs !== missed) sums.wrong++;
  if (overLimit !== null) {
    sums.limitJudged++;
    if (overLimit !== missed) sums.limitWrong++;
  }
  if (persistenceMs === null || persistenceError === null) return;
  sums.persistenceJudged++;
  if (persistenceMs > objectiveMs !== missed) sums.persistenceWrong++;
  if (Math.max(predictedMs, persistenceMs, observedMs) < CONTESTED * objectiveMs) return;
  sums.contested++;
  sums.contestedError += error;
  sums.contestedPersistence += persistenceError;
}

function logError(predictedMs: number, observedMs: number): number {
  return Math.abs(Math.log(clipped(predictedMs) / clipped(observedMs)));
}

function clipped(ms: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ms));
}

function emptySums(): Sums {
  return Object.fromEntries(columns.map((name) => [name, 0])) as Sums;
}

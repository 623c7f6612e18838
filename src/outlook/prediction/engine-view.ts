/**
 * What the scrapes of one engine say that a prediction needs, as it was last known.
 *
 *     itl          EWMA (0.2 a scrape) of the mean time between two tokens in the window between two scrapes: as given, or
 *                  window / steps of it, where requests ran at both ends
 *     finishRate   EWMA (0.1 a scrape) of finished requests a second
 *     promptRate   EWMA (0.2 a scrape) of prompt tokens a second, over windows with requests in the queue and less than 90 %
 *                  of the KV memory in use at both ends
 *     meanPrompt   prompt tokens / finished requests, sums that decay by 0.98 a scrape; meanAnswer: generated tokens likewise
 *     lost         kv - 1.5 running (meanPrompt + meanAnswer/2)/cap, at least 0: in use, but of no request
 *     seen         prompt tokens of the caller's requests with a first token / prompt tokens, sums that decay by 0.98 a scrape
 *
 * A figure that the engine does not give is null, as is an average without a sample. A scrape that is not later than the
 * last one has no effect; a counter that fell leaves its averages as they were.
 */
import type { EngineMetrics } from '../../engine/index.js';

const ITL_WEIGHT = 0.2;
const FINISH_WEIGHT = 0.1;
const PROMPT_WEIGHT = 0.2;
const SUM_DECAY = 0.98;
const QUEUED_KV = 0.9;
/** Times what the running requests hold on average. */
const HELD_SLACK = 1.5;

/** Levels and counters of one scrape. */
interface Reading {
  atSeconds: number;
  running: number | null;
  waiting: number | null;
  kvUsage: number | null;
  promptTokens: number | null;
  generationTokens: number | null;
  requestsTotal: number | null;
  iterationCount: number | null;
}

/** Levels of an engine as it says them beside its metrics, as in a header of an answer; null where it does not. */
export interface ReportedLoad {
  /** Requests in the batch. Default null. */
  running?: number | null | undefined;
  /** Requests in the queue. Default null. */
  waiting?: number | null | undefined;
  /** Share of the KV memory in use, 0 to 1. Default null. */
  kvUsage?: number | null | undefined;
}

/** The state of an EngineView as plain JSON. */
export interface EngineViewSnapshot {
  last: Reading | null;
  kvTokens: number | null;
  itl: number | null;
  finishRate: number | null;
  promptRate: number | null;
  promptSum: number;
  answerSum: number;
  requestSum: number;
  ownSum: number;
}

const empty = (): EngineViewSnapshot => ({
  last: null,
  kvTokens: null,
  itl: null,
  finishRate: null,
  promptRate: null,
  promptSum: 0,
  answerSum: 0,
  requestSum: 0,
  ownSum: 0,
});

export class EngineView {
  #state = empty();
  running: number | null = null;
  waiting: number | null = null;
  /** Share of the KV memory in use, 0 to 1. */
  kvUsage: number | null = null;
  /** Tokens that the KV memory holds. */
  kvTokens: number | null = null;
  itl: number | null = null;
  finishRate: number | null = null;
  promptRate: number | null = null;
  /** Tokens of a prompt, and of an answer. */
  meanPrompt: number | null = null;
  meanAnswer: number | null = null;
  /** Share of the KV memory that is in use and that no running request holds, 0 to 1; 0 while it is not known. */
  lost = 0;
  /** Share of the prompt tokens that the caller sent, 0 to 1; 1 where it is not known. */
  seen = 1;
  /** When the last scrape was read; null before the first. */
  readSeconds: number | null = null;

  /**
   * `interTokenSeconds`: the mean of the window since the last scrape, where it is known. `ownTokens`: prompt tokens of the
   * caller's requests that had their first token in it.
   */
  observe(figures: EngineMetrics, atSeconds: number, interTokenSeconds: number | null, ownTokens: number): void {
    const before = this.#state.last;
    if (before !== null && atSeconds <= before.atSeconds) return;
    const usage = level(figures.kvUsageMax);
    const now: Reading = {
      atSeconds,
      running: level(figures.running),
      waiting: level(figures.waiting),
      kvUsage: usage === null ? null : Math.min(1, usage),
      promptTokens: level(figures.promptTokens),
      generationTokens: level(figures.generationTokens),
      requestsTotal: level(figures.requestsTotal),
      iterationCount: level(figures.iterationCount),
    };
    this.#state.kvTokens = level(figures.kvTokensCapacity);
    this.#state.last = now;
    if (before !== null) this.#learn(before, now, level(interTokenSeconds), ownTokens);
    this.#publish();
  }

  /** Levels that came by another way than a scrape, after one; what is not known stays. */
  report({ running = null, waiting = null, kvUsage = null }: ReportedLoad): void {
    const { last } = this.#state;
    if (last === null) return;
    const usage = level(kvUsage);
    this.#state.last = {
      ...last,
      running: level(running) ?? last.running,
      waiting: level(waiting) ?? last.waiting,
      kvUsage: usage === null ? last.kvUsage : Math.min(1, usage),
    };
    this.#publish();
  }

  reset(): void {
    this.#state = empty();
    this.#publish();
  }

  snapshot(): EngineViewSnapshot {
    return { ...this.#state, last: this.#state.last === null ? null : { ...this.#state.last } };
  }

  restore(saved: EngineViewSnapshot): void {
    this.#state = { ...saved, last: saved.last === null ? null : { ...saved.last } };
    this.#publish();
  }

  /** What predictions read, once a scrape and not at each of them. */
  #publish(): void {
    const { last, kvTokens, itl, finishRate, promptRate, promptSum, answerSum, requestSum, ownSum } = this.#state;
    this.running = last?.running ?? null;
    this.waiting = last?.waiting ?? null;
    this.kvUsage = last?.kvUsage ?? null;
    this.readSeconds = last?.atSeconds ?? null;
    this.kvTokens = kvTokens;
    this.itl = itl;
    this.finishRate = finishRate;
    this.promptRate = promptRate;
    this.meanPrompt = requestSum > 0 && promptSum > 0 ? promptSum / requestSum : null;
    this.meanAnswer = requestSum > 0 && answerSum > 0 ? answerSum / requestSum : null;
    this.seen = promptSum > 0 ? Math.min(1, ownSum / promptSum) : 1;
    this.lost = this.#lost();
  }

  #lost(): number {
    const { kvUsage, kvTokens, running, meanPrompt, meanAnswer } = this;
    if (kvUsage === null || !kvTokens || meanPrompt === null || meanAnswer === null) return 0;
    const held = (running ?? 0) * (meanPrompt + meanAnswer / 2);
    return Math.max(0, kvUsage - (HELD_SLACK * held) / kvTokens);
  }

  #learn(before: Reading, now: Reading, given: number | null, ownTokens: number): void {
    const state = this.#state;
    const seconds = now.atSeconds - before.atSeconds;
    const steps = growth(before.iterationCount, now.iterationCount);
    const ran = (before.running ?? 0) > 0 && (now.running ?? 0) > 0;
    const itl = given ?? (ran && steps !== null && steps > 0 ? seconds / steps : null);
    if (itl !== null && itl > 0) state.itl = averaged(state.itl, itl, ITL_WEIGHT);
    const finished = growth(before.requestsTotal, now.requestsTotal);
    const prompts = growth(before.promptTokens, now.promptTokens);
    if (finished !== null) state.finishRate = averaged(state.finishRate, finished / seconds, FINISH_WEIGHT);
    if (prompts === null) return;
    state.promptSum = SUM_DECAY * state.promptSum + prompts;
    state.answerSum = SUM_DECAY * state.answerSum + (growth(before.generationTokens, now.generationTokens) ?? 0);
    state.requestSum = SUM_DECAY * state.requestSum + (finished ?? 0);
    state.ownSum = SUM_DECAY * state.ownSum + ownTokens;
    if (isQueued(before) && isQueued(now) && prompts > 0) {
      state.promptRate = averaged(state.promptRate, prompts / seconds, PROMPT_WEIGHT);
    }
  }
}

/** Requests wait, and not for KV memory. */
function isQueued({ waiting, kvUsage }: Reading): boolean {
  return (waiting ?? 0) > 0 && (kvUsage ?? 0) < QUEUED_KV;
}

/** No figure of an engine is larger: squares of what is derived from it stay finite. */
const MOST = 1e15;

/** A figure in [0, MOST]; null otherwise. */
function level(figure: number | null): number | null {
  return figure !== null && figure >= 0 && figure <= MOST ? figure : null;
}

/** Null where either is unknown or the counter fell. */
function growth(before: number | null, now: number | null): number | null {
  return before === null || now === null || now < before ? null : now - before;
}

function averaged(mean: number | null, value: number, weight: number): number {
  return mean === null ? value : mean + weight * (value - mean);
}

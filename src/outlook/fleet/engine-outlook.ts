/**
 * What is predicted of one engine of a fleet, by its metrics and by the requests that its caller reports.
 *
 * Requests are tickets: sent, first token, end. At most MOST are open and none longer than EXPIRY; the oldest ends then as one
 * whose answer is not known. When the engine starts again those that it had at its last scrape end too: their process is gone.
 * An event of a ticket that has ended has no effect, nor one after close().
 */
import type { EngineMetrics } from '../../engine/index.js';
import { type ReportedLoad, type RequestEvents, type TtftPrediction, TtftPredictor } from '../prediction/index.js';

import { type OutlookSkill, SkillWindow } from './outlook-skill.js';

const EXPIRY = 600;
const MOST = 65_536;
/** Requests that were sent longer ago are no sign that the engine has work: their caller may have forgotten them. */
const YOUNG = 60;
/** The caller is taken to report its requests for so long after the last one. */
const HEARD = 600;
const EXPECTED = 10;

/** The load of an engine that is expected: what the option `expectedLoad` of a plan takes. */
export interface EngineLoad {
  /** How far ahead. */
  seconds: number;
  /** Requests that will wait for their first token. */
  waiting: number;
  /** Share of the KV memory that will be in use, 0 to 1; null where it is not known. */
  kvUsage: number | null;
}

/** What becomes of a request that was sent to an engine of a fleet. */
export interface RequestTicket {
  /** Its first token came. */
  firstToken(): void;
  /** It ended well; `generatedTokens` is the length of its answer, 0 where it is not known. */
  finished(answer?: { generatedTokens?: number | undefined }): void;
  /** It ended without an answer or in the middle of one. */
  failed(): void;
}

/** What the fleet says of a request when it is sent. */
export interface Verdict {
  /** What its first token may take; null where nothing is asked for. */
  readonly objectiveMs: number | null;
  /** Whether a limit on queued tokens says that it will take longer; null where there is none yet. */
  readonly overLimit: boolean | null;
}

/** A request, as it was judged when it was sent. */
export interface JudgedRequest extends Verdict {
  readonly promptTokens: number;
  /** Prompt tokens that were queued then, its own among them. */
  readonly queuedTokens: number;
  readonly prediction: TtftPrediction;
  readonly persistenceMs: number | null;
}

interface OpenRequest extends JudgedRequest {
  readonly sentAt: number;
  readonly events: RequestEvents;
  /** The run of the engine that it was sent to: its times say nothing of a later one. */
  readonly run: number;
  answering: boolean;
}

export interface EngineOutlookOptions {
  slots: number | null;
  /** Seconds of the clock of the fleet. */
  now: () => number;
  /** Called when a request is sent. */
  judge: (queuedTokens: number) => Verdict;
  /** Called when an answer of the engine came. */
  answered: () => void;
  /** Called with each first token. */
  outcome: (engine: EngineOutlook, request: JudgedRequest, observedMs: number) => void;
}

export class EngineOutlook {
  readonly predictor: TtftPredictor;
  readonly #now: () => number;
  readonly #judge: EngineOutlookOptions['judge'];
  readonly #answered: () => void;
  readonly #outcome: EngineOutlookOptions['outcome'];
  readonly #skill = new SkillWindow();
  readonly #open = new Set<OpenRequest>();
  #queuedTokens = 0;
  #lastTtftMs: number | null = null;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #scrapedAt = Number.NEGATIVE_INFINITY;
  #kvTokensCapacity: number | null = null;
  #run = 0;

  constructor({ slots, now, judge, answered, outcome }: EngineOutlookOptions) {
    this.predictor = new TtftPredictor({ slots });
    this.#now = now;
    this.#judge = judge;
    this.#answered = answered;
    this.#outcome = outcome;
  }

  /** The skill of its predictions, to which `add` gives outcomes. */
  get skillWindow(): SkillWindow {
    return this.#skill;
  }

  get skill(): OutlookSkill {
    return this.#skill.at(this.#now());
  }

  /** Whether the caller reports requests. */
  get heard(): boolean {
    return this.#now() - this.#lastSentAt <= HEARD;
  }

  /**
   * Requests that were sent in the last minute and wait for their first token. One that is being answered shows in the gauges;
   * where these are 0 it has ended, and its caller did not say so.
   */
  get inFlight(): number {
    const oldest = this.#now() - YOUNG;
    let waiting = 0;
    for (const { sentAt, answering } of this.#open) if (sentAt > oldest && !answering) waiting++;
    return waiting;
  }

  /**
   * The load in EXPECTED seconds if nothing more comes and nothing is given back; null while no requests are reported.
   *
   *     waiting    requests without a first token now (1 - EXPECTED / seconds in which the queue drains)
   *     kvUsage    that of the last scrape, and the queued prompts
   */
  expectedLoad(): EngineLoad | null {
    this.#expire();
    if (!this.heard) return null;
    let queued = 0;
    for (const { answering } of this.#open) if (!answering) queued++;
    const drain = this.predictor.physicsSeconds(0, this.#now());
    const { kvUsage } = this.predictor;
    const kvTokensCapacity = this.#kvTokensCapacity;
    const isKnown = kvUsage !== null && kvTokensCapacity !== null && kvTokensCapacity > 0;
    return {
      seconds: EXPECTED,
      waiting: drain > EXPECTED ? Math.round(queued * (1 - EXPECTED / drain)) : 0,
      kvUsage: isKnown ? Math.min(1, kvUsage + this.#queuedTokens / kvTokensCapacity) : null,
    };
  }

  observe(figures: EngineMetrics, readSeconds: number, interTokenSeconds: number | null): void {
    this.predictor.observe(figures, readSeconds, { interTokenSeconds });
    this.#kvTokensCapacity = figures.kvTokensCapacity;
    this.#scrapedAt = Math.max(this.#scrapedAt, readSeconds);
    this.#expire();
  }

  /** Levels between two scrapes. */
  report(load: ReportedLoad): void {
    this.predictor.report(load);
  }

  /** It started again since the last scrape. */
  restarted(): void {
    // Before the reset: what is lost ends in the run that is over.
    for (const request of this.#open) {
      if (request.sentAt > this.#scrapedAt) break;
      this.#lose(request);
    }
    this.predictor.reset();
    this.#lastTtftMs = null;
    this.#run++;
  }

  predict(promptTokens: number): TtftPrediction {
    return this.predictor.predict(promptTokens, this.#now());
  }

  sent(promptTokens: number): RequestTicket {
    this.#expire();
    const sentAt = this.#now();
    const queuedTokens = this.#queuedTokens + promptTokens;
    const request: OpenRequest = {
      promptTokens,
      queuedTokens,
      ...this.#judge(queuedTokens),
      prediction: this.predictor.predict(promptTokens, sentAt),
      persistenceMs: this.#lastTtftMs,
      sentAt,
      events: this.predictor.sent(promptTokens, sentAt),
      run: this.#run,
      answering: false,
    };
    this.#open.add(request);
    this.#queuedTokens += promptTokens;
    this.#lastSentAt = sentAt;
    return {
      firstToken: () => this.#firstToken(request),
      finished: ({ generatedTokens = 0 } = {}) => this.#finish(request, generatedTokens),
      failed: () => this.#end(request, (now) => request.events.failed(now)),
    };
  }

  /** Forgets the requests; what is said of them later has no effect. */
  close(): void {
    this.#open.clear();
    this.#queuedTokens = 0;
  }

  #firstToken(request: OpenRequest): void {
    if (!this.#open.has(request) || request.answering) return;
    const now = this.#now();
    request.answering = true;
    this.#queuedTokens -= request.promptTokens;
    const observedMs = 1000 * Math.max(0, now - request.sentAt);
    request.events.firstToken(now);
    if (request.run !== this.#run) return;
    this.#lastTtftMs = observedMs;
    this.#answered();
    this.#outcome(this, request, observedMs);
  }

  #finish(request: OpenRequest, generatedTokens: number): void {
    const isOpen = this.#open.has(request);
    this.#end(request, (now) => request.events.finished({ generatedTokens }, now));
    if (isOpen && request.run === this.#run) this.#answered();
  }

  #end(request: OpenRequest, tell: (now: number) => void): void {
    if (!this.#open.has(request)) return;
    tell(this.#now());
    this.#open.delete(request);
    if (!request.answering) this.#queuedTokens -= request.promptTokens;
  }

  /** Its answer will not be known, so it teaches nothing of times. */
  #lose(request: OpenRequest): void {
    this.#end(request, (now) => request.events.finished({ generatedTokens: 0 }, now));
  }

  #expire(): void {
    const oldest = this.#now() - EXPIRY;
    for (const request of this.#open) {
      if (request.sentAt > oldest && this.#open.size < MOST) return;
      this.#lose(request);
    }
  }
}

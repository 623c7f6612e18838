/** When a request to one engine will have its first token. */
import { z } from 'zod';
import type { EngineMetrics } from '../../engine/index.js';
import { argumentError, checkOptions, checkWhole } from '../../errors/index.js';
import { EngineView, type ReportedLoad } from './engine-view.js';
import { LeastSquares } from './least-squares.js';
import { QueuePhysics, type Traffic } from './queue-physics.js';
import { RequestLedger, type SentRequest } from './request-ledger.js';
import { FEATURES, writeFeatures } from './ttft-features.js';
import { checkSnapshot, type TtftSnapshot } from './ttft-snapshot.js';
import { UpperBound } from './upper-bound.js';

export const optionsSchema = z.object({
  slots: z.int().min(1).max(1_000_000).nullable().default(null).describe('a whole number from 1 to 1000000, or null'),
});

/** Options of TtftPredictor: what the engine does not say. */
export interface TtftPredictorOptions {
  /** Requests that the engine runs at the same time (max_num_seqs), 1 to 1,000,000; null where it is not known. Default null. */
  slots?: number | null | undefined;
}

/** What TtftPredictor.observe may be told beside the figures of a scrape. */
export interface ScrapeContext {
  /** Whether the engine was seen to have started again since the last scrape: what was learned is forgotten. Default false. */
  restarted?: boolean | undefined;
  /**
   * Mean seconds between two tokens in the window since the last scrape, as deriveRates says (`interTokenSeconds.mean`).
   * Default: window / steps, where the engine counts its steps.
   */
  interTokenSeconds?: number | null | undefined;
}

/** A predicted time to first token. */
export interface TtftPrediction {
  /** Milliseconds, the median. */
  ms: number;
  /** Milliseconds that 90 % of such requests should stay within; at least `ms`. */
  p90Ms: number;
  /**
   * physics    from the requests of the caller and the queue physics
   * learned    the same, corrected by what was learned from earlier requests
   * metrics    from the metrics of the engine alone: the caller reports no requests, or no first tokens
   */
  basis: 'physics' | 'learned' | 'metrics';
  /** First tokens that were learned from. */
  samples: number;
}

/** What becomes of a request that was sent. An event after the end, or a second first token, has no effect. */
export interface RequestEvents {
  /** Its first token came. */
  firstToken(nowSeconds: number): void;
  /** It ended well; `generatedTokens` is the length of its answer. */
  finished(answer: { generatedTokens: number }, nowSeconds: number): void;
  /** It ended without an answer or in the middle of one. */
  failed(nowSeconds: number): void;
}

interface Sent extends SentRequest {
  /** Its features and physics, as they were when it was sent. */
  readonly lesson: Lesson;
  /** The run of the engine that it was sent to: nothing is learned from one of an earlier run. */
  readonly run: number;
}

interface Lesson {
  readonly x: Float64Array;
  readonly physicsSeconds: number;
  /** The prediction that counted then, and its margin. */
  readonly seconds: number;
  readonly margin: number;
  /** What R reads. */
  readonly tokens: number;
  readonly kvUsage: number;
  readonly inFlight: number;
}

const LEARNED_AFTER = 150;
/** What is learned of some hundred requests is noisy; the physics is not. */
const SHRINKAGE = 0.85;
const SHORTEST = 0.02;
const LONGEST = 600;
/** Bound of the correction: a factor of 20. */
const MOST_CORRECTION = Math.log(20);
/** Ends without a first token, and no first token at all, after which the caller is taken not to report any. */
const SILENT_AFTER = 10;

/**
 * When a request to one engine will have its first token.
 *
 *     physics   queue physics on what the caller sent and the last scrape showed (queue-physics.ts)
 *     learned   physics exp(0.85 w'f), after 150 first tokens: w by robust recursive least squares (ridge 1, forgetting 0.998)
 *               of ln TTFT (clipped to 0.02 .. 600 s) - ln physics on 12 features f (ttft-features.ts)
 *     p90       the prediction times exp(m); after each outcome m += 0.02 (0.9 if it came later than its p90, else -0.1)
 *
 *     const predictor = new TtftPredictor({ slots: 64 });
 *     predictor.observe(figures, seconds);                 // each scrape
 *     predictor.predict(900, seconds)                      // { ms, p90Ms, basis, samples }
 *     const events = predictor.sent(900, seconds);         // ... and each request
 *     events.firstToken(seconds);
 *     events.finished({ generatedTokens: 120 }, seconds);
 *
 * Nothing runs by itself; times are seconds of one clock that does not step back. A request that ends without a first token
 * teaches that it would have taken longer, where it had waited longer than predicted. Requests without an end are forgotten
 * after 15 minutes, and the oldest of more than 65,536. Predictions are finite and at most some 3.3 hours.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export class TtftPredictor {
  readonly #view = new EngineView();
  readonly #physics: QueuePhysics;
  readonly #ledger = new RequestLedger<Sent>();
  readonly #correction = new LeastSquares({ features: FEATURES, ridge: 1, forgetting: 0.998 });
  readonly #bound = new UpperBound();
  readonly #x = new Float64Array(FEATURES);
  #sent = 0;
  #firstTokens = 0;
  #endsWithoutToken = 0;
  #run = 0;

  constructor(options: TtftPredictorOptions = {}) {
    const { slots } = checkOptions(optionsSchema, options, 'TtftPredictor');
    this.#physics = new QueuePhysics(this.#view, slots);
  }

  /** Share of the KV memory in use at the last scrape, 0 to 1; null where it is not known. */
  get kvUsage(): number | null {
    return this.#view.kvUsage;
  }

  /**
   * Share of the KV memory that is in use and that no running request seems to hold, 0 to 1: kv - 1.5 times what the running ones
   * hold on average. Above 0 it leaks, or holds what the metrics do not count. 0 while it is not known.
   */
  get lostKvShare(): number {
    return this.#view.lost;
  }

  /** Requests sent that have not ended. */
  get inFlight(): number {
    return this.#ledger.size;
  }

  /** Mean tokens of a prompt as the engine counts them; null where it is not known. */
  get meanPromptTokens(): number | null {
    return this.#view.meanPrompt;
  }

  /** Takes a scrape. */
  observe(figures: EngineMetrics, readSeconds: number, context: ScrapeContext = {}): void {
    checkTime(readSeconds);
    if (typeof figures !== 'object' || figures === null)
      throw argumentError('the figures of an engine', 'figures', figures);
    if (context.restarted === true) this.reset();
    const started = this.#ledger.scraped(readSeconds);
    this.#view.observe(figures, readSeconds, context.interTokenSeconds ?? null, started);
  }

  /** Takes levels that came between two scrapes, as in a header of an answer; without an earlier scrape they have no effect. */
  report(levels: ReportedLoad): void {
    if (typeof levels !== 'object' || levels === null) throw argumentError('an object of levels', 'levels', levels);
    this.#view.report(levels);
  }

  /** A request with a prompt of so many tokens is sent now; the caller says what becomes of it. */
  sent(promptTokens: number, nowSeconds: number): RequestEvents {
    checkWhole(promptTokens, 'promptTokens', 0, undefined, 'tokens');
    checkTime(nowSeconds);
    const lesson = this.#lesson(promptTokens, nowSeconds);
    const request: Sent = { promptTokens, sentAt: nowSeconds, firstTokenAt: null, lesson, run: this.#run };
    this.#ledger.add(request);
    this.#sent++;
    return {
      firstToken: (now) => this.#firstToken(request, checkTime(now)),
      finished: ({ generatedTokens }, now) => {
        checkWhole(generatedTokens, 'generatedTokens', 0, undefined, 'tokens');
        this.#end(request, promptTokens + generatedTokens, checkTime(now));
      },
      failed: (now) => this.#fail(request, checkTime(now)),
    };
  }

  /** For a prompt of so many tokens that would be sent now. */
  predict(promptTokens: number, nowSeconds: number): TtftPrediction {
    checkWhole(promptTokens, 'promptTokens', 0, undefined, 'tokens');
    checkTime(nowSeconds);
    const { seconds, basis } = this.#predicted(promptTokens, this.#ledger.traffic(nowSeconds), nowSeconds, this.#x);
    const p90 = seconds * Math.exp(this.#bound.margin);
    return { ms: 1000 * seconds, p90Ms: 1000 * p90, basis, samples: this.#correction.steps };
  }

  /** Seconds by the physics alone, without the correction. */
  physicsSeconds(promptTokens: number, nowSeconds: number): number {
    checkWhole(promptTokens, 'promptTokens', 0, undefined, 'tokens');
    return this.#physics.seconds(promptTokens, this.#ledger.traffic(checkTime(nowSeconds)), nowSeconds);
  }

  /** Forgets what was learned, because the engine is another one now. Requests under way stay, and teach nothing. */
  reset(): void {
    this.#view.reset();
    this.#physics.reset();
    this.#ledger.resetRates();
    this.#correction.reset();
    this.#bound.reset();
    this.#sent = this.#ledger.size;
    this.#firstTokens = 0;
    this.#endsWithoutToken = 0;
    this.#run++;
  }

  /**
   * What was learned, as plain JSON. Requests under way are not part of it. Its times are those of the caller's clock: seconds of UTC,
   * where it is kept over a restart of the process.
   */
  snapshot(): TtftSnapshot {
    return {
      version: 1,
      view: this.#view.snapshot(),
      physics: this.#physics.snapshot(),
      rates: this.#ledger.snapshot(),
      correction: this.#correction.snapshot(),
      bound: this.#bound.snapshot(),
      sent: this.#sent,
      firstTokens: this.#firstTokens,
      endsWithoutToken: this.#endsWithoutToken,
    };
  }

  /**
   * Takes what another predictor had learned: without requests under way both predict the same bits from here on.
   * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for what snapshot() did not return.
   */
  restore(snapshot: TtftSnapshot): void {
    const saved = checkSnapshot(snapshot);
    this.#view.restore(saved.view);
    this.#physics.restore(saved.physics);
    this.#ledger.restore(saved.rates);
    this.#correction.restore(saved.correction);
    this.#bound.restore(saved.bound);
    this.#sent = saved.sent;
    this.#firstTokens = saved.firstTokens;
    this.#endsWithoutToken = saved.endsWithoutToken;
    this.#run++;
  }

  /** Leaves the features in `x`. */
  #predicted(own: number, traffic: Traffic, now: number, x: Float64Array): Predicted {
    const physicsSeconds = this.#physics.seconds(own, traffic, now);
    const metricsSeconds = this.#physics.metricsSeconds(own, traffic.sinceRequests);
    writeFeatures(x, own, { view: this.#view, physics: this.#physics, traffic, physicsSeconds, metricsSeconds });
    if (!this.#hears) return { basis: 'metrics', physicsSeconds, seconds: metricsSeconds };
    if (this.#correction.steps < LEARNED_AFTER) return { basis: 'physics', physicsSeconds, seconds: physicsSeconds };
    const correction = SHRINKAGE * this.#correction.predict(x);
    const bounded = Math.min(MOST_CORRECTION, Math.max(-MOST_CORRECTION, correction));
    return { basis: 'learned', physicsSeconds, seconds: physicsSeconds * Math.exp(bounded) };
  }

  /** Whether the caller reports requests and their first tokens. */
  get #hears(): boolean {
    return this.#sent > 0 && (this.#firstTokens > 0 || this.#endsWithoutToken < SILENT_AFTER);
  }

  #lesson(own: number, now: number): Lesson {
    const traffic = this.#ledger.traffic(now);
    const x = new Float64Array(FEATURES);
    const { seconds, physicsSeconds } = this.#predicted(own, traffic, now, x);
    return {
      x,
      physicsSeconds,
      seconds,
      margin: this.#bound.margin,
      tokens: this.#physics.tokens(own, traffic, now),
      kvUsage: this.#view.kvUsage ?? 0,
      inFlight: traffic.inFlight,
    };
  }

  #firstToken(request: Sent, now: number): void {
    if (!this.#ledger.has(request) || request.firstTokenAt !== null) return;
    this.#ledger.firstToken(request, now);
    const { lesson } = request;
    if (request.run !== this.#run) return;
    const ttft = Math.max(0, now - request.sentAt);
    this.#firstTokens++;
    this.#physics.learn(ttft, lesson);
    this.#learn(lesson, ttft);
  }

  #fail(request: Sent, now: number): void {
    const { lesson, firstTokenAt, run, sentAt } = request;
    const waited = now - sentAt;
    const late = waited > lesson.seconds;
    if (this.#ledger.has(request) && firstTokenAt === null && run === this.#run && late) this.#learn(lesson, waited);
    this.#end(request, request.promptTokens, now);
  }

  #end(request: Sent, tokens: number, now: number): void {
    if (!this.#ledger.has(request)) return;
    if (request.firstTokenAt === null) this.#endsWithoutToken++;
    this.#ledger.end(request, tokens, now);
  }

  #learn({ x, physicsSeconds, seconds, margin }: Lesson, ttft: number): void {
    const clipped = Math.min(LONGEST, Math.max(SHORTEST, ttft));
    this.#correction.update(x, Math.log(clipped / physicsSeconds));
    this.#bound.observe(Math.log(clipped / seconds), margin);
  }
}

interface Predicted {
  basis: TtftPrediction['basis'];
  physicsSeconds: number;
  seconds: number;
}

function checkTime(seconds: number): number {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) throw argumentError('seconds', 'the time', seconds);
  return seconds;
}

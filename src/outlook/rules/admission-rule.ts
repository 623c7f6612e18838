/** Whether a request is taken, from when its first token would come. */
import { z } from 'zod';
import { checkOptions } from '../../errors/index.js';
import type { TtftPrediction, TtftPredictor } from '../prediction/index.js';
import { type PredictedEngine, RoutingRule } from './routing-rule.js';

const MARGIN = 0.85;
/** Share of that limit for sheddable work, so that it goes before the other is touched. */
const SHEDDABLE = 0.5;
const LONGEST_RETRY_MS = 60_000;
const SHORTEST_RETRY_MS = 100;

export const admissionSchema = z.object({
  promptTokens: z.int().min(0).describe('a whole number of tokens, 0 or more,'),
  ttftSloMs: z.number().gt(0).max(86_400_000).describe('a number of milliseconds in (0, 86400000]'),
  margin: z.number().gt(0).max(10).default(MARGIN).describe('a number in (0, 10]'),
  priority: z.number().default(0).describe('a finite number'),
  session: z.string().optional().describe('a string'),
});

/** A request that asks for admission. */
export interface AdmissionRequest {
  /** Tokens of its prompt. Required. */
  promptTokens: number;
  /** Milliseconds within which its first token shall come, in (0, 86,400,000]. Required. */
  ttftSloMs: number;
  /** Share of that time that the prediction may take, in (0, 10]. Default 0.85. */
  margin?: number | undefined;
  /** Below 0: sheddable work, which is refused at half of the limit. Default 0. */
  priority?: number | undefined;
  /** Requests of one session share a prefix. Default: none. */
  session?: string | undefined;
}

/** Whether a request is taken: where it goes and when its first token is expected, or when to ask again and why. */
export type Admission<E> =
  | { admitted: true; engine: E; ttft: TtftPrediction }
  | { admitted: false; retryAfterMs: number; reason: string };

/**
 * Whether a request is taken: where the predicted time to the first token is within a share of what it may take,
 *
 *     p = sqrt(physics learned) <= margin slo  and  p (p90/median) <= slo        margin 0.85
 *
 * The second limit is that of the bound that 90 % stay within (slo times the margin, where that is above 1): on traffic that is hard to
 * predict it is the one that counts. Both are halved for sheddable work (priority < 0). With `basis` physics or metrics
 * (TtftPredictor) p is that prediction, and the first limit stands alone. Of the engines that pass, RoutingRule picks.
 * Otherwise `retryAfterMs` is the time in which the least loaded engine drains to the limit if nothing more comes, in
 * [100, 60,000], and `reason` a sentence with the figures.
 *
 *     const rule = new AdmissionRule();
 *     const answer = rule.admit({ promptTokens: 900, ttftSloMs: 2000 }, [{ engine, predictor }, ...], seconds);
 *     if (!answer.admitted) respond(429, { 'Retry-After': Math.ceil(answer.retryAfterMs / 1000) });
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export class AdmissionRule {
  readonly #routing: RoutingRule;

  /** `routing` remembers the sessions; one that also picks without admission may be shared. */
  constructor(routing: RoutingRule = new RoutingRule()) {
    this.#routing = routing;
  }

  /** Whether a request is taken now. Without any engine it is not. */
  admit<E>(request: AdmissionRequest, engines: readonly PredictedEngine<E>[], nowSeconds: number): Admission<E> {
    const { promptTokens, ttftSloMs, margin, priority, session } = checkOptions(admissionSchema, request, 'a request');
    const limitMs = margin * ttftSloMs * (priority < 0 ? SHEDDABLE : 1);
    if (engines.length === 0) {
      return { admitted: false, retryAfterMs: 1000, reason: 'no engine can serve' };
    }
    const expected = engines.map((one) => expectedMs(one.predictor, promptTokens, nowSeconds, margin));
    const open = engines.filter((_, i) => expected[i]!.ms <= limitMs);
    if (open.length > 0) {
      const engine = this.#routing.pick({ promptTokens, session }, open, nowSeconds);
      return { admitted: true, engine, ttft: expected[engines.findIndex((one) => one.engine === engine)]!.ttft };
    }
    const best = expected.reduce((a, b) => (b.ms < a.ms ? b : a));
    return {
      admitted: false,
      retryAfterMs: Math.round(Math.min(LONGEST_RETRY_MS, Math.max(SHORTEST_RETRY_MS, best.ms - limitMs))),
      reason: reasonOf(best, limitMs, { engines: engines.length, sheddable: priority < 0 }),
    };
  }
}

interface Expected {
  /** What is compared with the limit. */
  ms: number;
  ttft: TtftPrediction;
}

function expectedMs(predictor: TtftPredictor, promptTokens: number, now: number, margin: number): Expected {
  const ttft = predictor.predict(promptTokens, now);
  if (ttft.basis !== 'learned') return { ms: ttft.ms, ttft };
  const ms = Math.sqrt(ttft.ms * 1000 * predictor.physicsSeconds(promptTokens, now));
  // The bound, in the measure of the first limit.
  const bound = (ttft.p90Ms / ttft.ms) * Math.min(1, margin);
  return { ms: ms * Math.max(1, bound), ttft };
}

function reasonOf(
  { ms, ttft }: Expected,
  limitMs: number,
  { engines, sheddable }: { engines: number; sheddable: boolean },
): string {
  const where = engines === 1 ? '' : ` on the best of ${engines} engines`;
  const whose = sheddable ? ' of sheddable work' : '';
  return `the first token is expected in ${Math.round(ms)} ms${where} (${ttft.basis}), the limit${whose} is ${Math.round(limitMs)} ms`;
}

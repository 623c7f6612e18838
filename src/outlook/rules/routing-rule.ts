/** Which of several engines serves a request. */
import { z } from 'zod';
import { checkOptions, checkWhole, DtesnError } from '../../errors/index.js';
import type { TtftPredictor } from '../prediction/index.js';
import { SessionTokens } from './session-tokens.js';

/** What the rules ask of a predictor. */
export type AskedPredictor = Pick<
  TtftPredictor,
  'predict' | 'physicsSeconds' | 'kvUsage' | 'lostKvShare' | 'inFlight' | 'meanPromptTokens'
>;

/** What a rule chooses among: an engine and its predictor. */
export interface PredictedEngine<E> {
  /** What is returned when it is chosen. */
  engine: E;
  /** Its own predictor. */
  predictor: AskedPredictor;
}

export const requestSchema = z.object({
  promptTokens: z.int().min(0).optional().describe('a whole number of tokens, 0 or more,'),
  session: z.string().optional().describe('a string'),
});

/** What is to be routed: how long its prompt is, and whose conversation it continues. */
export interface RoutedRequest {
  /** Tokens of its prompt. Default: the mean prompt of each engine. */
  promptTokens?: number | undefined;
  /** Requests of one session share a prefix. Default: none. */
  session?: string | undefined;
}

/** Where no engine says how long its prompts are. */
const PROMPT_TOKENS = 500;
const LOST_WEIGHT = 20;

/**
 * Which of several engines serves a request: the one with the least
 *
 *     physics(own - known) (1 + 20 lost) / (1.05 - kv)
 *
 * physics: seconds to the first token by the queue physics of its predictor; kv: share of its KV memory in use at the last
 * scrape, 0 where it is not known; lost: share of it that is in use and that no running request holds, which spares an engine that
 * leaks for the time when the others are full; own: tokens of the prompt; known: those that the session's last request left in the
 * prefix cache of the engine that served it (prompt and answer are taken as one, and for 10 minutes), of at most
 * 10,000 sessions. Of equals, the one with fewest requests in flight, then the first.
 * The learned correction takes no part: it made no routing better, and under a leak it made it worse (docs/outlook.md).
 *
 *     const rule = new RoutingRule();
 *     const engine = rule.pick({ promptTokens: 900, session: 'user-7' }, [{ engine, predictor }, ...], seconds);
 *
 * Errors: DtesnError ERR_DTESN_NO_ENGINE where there is no engine; TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
export class RoutingRule {
  readonly #sessions = new SessionTokens();

  /** The engine for a request, which is taken to be sent there now. */
  pick<E>(request: RoutedRequest, engines: readonly PredictedEngine<E>[], nowSeconds: number): E {
    const { promptTokens, session } = checkOptions(requestSchema, request, 'a request');
    const [first] = engines;
    if (first === undefined)
      throw new DtesnError('ERR_DTESN_NO_ENGINE', 'Expected an engine to pick but there is none');
    let best = first;
    let least = Number.POSITIVE_INFINITY;
    for (const one of engines) {
      const cost = this.cost({ promptTokens, session }, one, nowSeconds);
      const wins = cost < least || (cost === least && one.predictor.inFlight < best.predictor.inFlight);
      if (!wins) continue;
      best = one;
      least = cost;
    }
    this.served({ promptTokens, session }, best, nowSeconds);
    return best.engine;
  }

  /** A request is taken to be sent to an engine now: the prefix cache there holds its session. */
  served<E>(
    { promptTokens, session }: RoutedRequest,
    { engine, predictor }: PredictedEngine<E>,
    nowSeconds: number,
  ): void {
    if (session !== undefined) this.#sessions.served(session, engine, tokensOf(promptTokens, predictor), nowSeconds);
  }

  /** What pick() compares: seconds, weighted with the KV memory in use. */
  cost<E>(
    { promptTokens, session }: RoutedRequest,
    { engine, predictor }: PredictedEngine<E>,
    nowSeconds: number,
  ): number {
    const own = tokensOf(promptTokens, predictor);
    const known = session === undefined ? 0 : this.#sessions.known(session, engine, nowSeconds);
    // At least one token of a prompt is computed.
    const seconds = predictor.physicsSeconds(Math.max(1, own - known), nowSeconds);
    return (seconds * (1 + LOST_WEIGHT * predictor.lostKvShare)) / (1.05 - (predictor.kvUsage ?? 0));
  }
}

/** Tokens of a prompt; the engine's mean where it is left out, 500 where that is not known. */
export function tokensOf(promptTokens: number | undefined, { meanPromptTokens }: AskedPredictor): number {
  return checkWhole(
    promptTokens ?? Math.round(meanPromptTokens ?? PROMPT_TOKENS),
    'promptTokens',
    0,
    undefined,
    'tokens',
  );
}

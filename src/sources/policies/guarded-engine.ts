/**
 * An engine behind its guard: every question passes a circuit breaker of its class of endpoints, and a failure that may
 * pass is asked again within the time that is left.
 *
 *     model      GET /v1/models, /version         metrics    GET /metrics
 *     tokenizer  POST /tokenize, /detokenize      health     GET /health
 *
 * A class fails independently of the others: a tokenizer that hangs costs no scrape. A probe asks /health first and then
 * its own question once. What shows that the engine is alive (401, 403, 404 and the like, a 503 while it scales, any
 * status of /health) trips nothing; Retry-After is honoured to 30 s; an engine that does not listen is probed at least
 * every 5 s, for a refusal costs nothing.
 *
 * A scrape that another reader of the engine had lately is no question, and passes an open breaker too.
 *
 * A retry begins only when it can end before the deadline, judged by what the last try took: a known failure never turns
 * into a timeout by waiting. Errors: those of the engine; EngineError ERR_DTESN_ENGINE_BREAKER while a class is not asked,
 * with the last failure as `cause`.
 */

import {
  CircuitBreaker,
  type Clock,
  type Failure,
  type Pass,
  pause,
  systemClock,
  untilAborted,
} from '../../abort/index.js';
import {
  type Engine,
  EngineError,
  isEngineError,
  isScaling,
  ownScraper,
  type RequestOptions,
  type ScrapedEngine,
  type Scraper,
  type SharedOptions,
  scraperOf,
} from '../../engine/index.js';
import { retryDelay } from './retry.js';
import { RetryBudget } from './retry-budget.js';

type EndpointClass = 'model' | 'tokenizer' | 'metrics' | 'health';
type Ask<T> = (options: RequestOptions) => Promise<T>;

const refusedLongestMs = 5000;

export class EngineGuard {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #scraper: Scraper;
  readonly #budget = new RetryBudget();
  readonly #classes: Record<EndpointClass, { breaker: CircuitBreaker; last: unknown }>;

  constructor(engine: Engine, clock: Clock = systemClock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#scraper = scraperOf(engine, clock);
    const guarded = () => ({ breaker: new CircuitBreaker(Math.random, clock), last: null });
    this.#classes = { model: guarded(), tokenizer: guarded(), metrics: guarded(), health: guarded() };
  }

  /** Whether a breaker lets no call pass, or none but a probe. */
  get breakerOpen(): boolean {
    return Object.values(this.#classes).some(({ breaker }) => breaker.state !== 'closed');
  }

  /** The engine for questions that end within some milliseconds from now. */
  within(ms: number): ScrapedEngine {
    const deadline = this.#clock.now() + ms;
    const engine = this.#engine;
    const ask = <T>(name: EndpointClass, options: RequestOptions | undefined, question: Ask<T>) =>
      this.#ask(name, question, options?.signal ?? new AbortController().signal, deadline);
    const scraper = this.#scraper;
    const guarded: Scraper = {
      known: (maxAgeMs) => scraper.known(maxAgeMs),
      scrape: async (options: SharedOptions = {}) =>
        scraper.known(options.maxAgeMs ?? 0) ??
        ask('metrics', options, (limits) => scraper.scrape({ ...options, ...limits })),
      health: (options: SharedOptions = {}) =>
        ask('health', options, (limits) => scraper.health({ ...options, ...limits })),
    };
    return {
      label: engine.label,
      simulated: engine.simulated,
      ...(engine.kind && { kind: (options) => ask('model', options, (limits) => engine.kind!(limits)) }),
      models: (options) => ask('model', options, (limits) => engine.models(limits)),
      version: (options) => ask('model', options, (limits) => engine.version(limits)),
      health: (options) => ask('health', options, (limits) => engine.health(limits)),
      metrics: (options) => ask('metrics', options, (limits) => engine.metrics(limits)),
      tokenize: (text, options) =>
        ask('tokenizer', options, (limits) => engine.tokenize(text, { ...options, ...limits })),
      detokenize: (tokens, options) => ask('tokenizer', options, (limits) => engine.detokenize(tokens, limits)),
      modelFiles: (options) => engine.modelFiles(options),
      close: () => engine.close(),
      [ownScraper]: guarded,
    };
  }

  async #ask<T>(name: EndpointClass, question: Ask<T>, signal: AbortSignal, deadline: number): Promise<T> {
    const { breaker } = this.#classes[name];
    this.#budget.earn();
    for (let retry = 1, failure: unknown = null; ; retry++) {
      const start = this.#clock.now();
      const pass = breaker.enter();
      if (pass === null) throw failure ?? this.#breakerOpenError(name);
      try {
        return await this.#try(name, pass, question, signal);
      } catch (error) {
        failure = error;
        const wait = name === 'health' && isAnswered(error) ? null : retryDelay(error, retry);
        const now = this.#clock.now();
        if (signal.aborted || wait === null || now + wait + (now - start) >= deadline) throw error;
        if (!this.#budget.spend()) throw error;
        await pause(wait, signal, this.#clock);
      }
    }
  }

  async #try<T>(name: EndpointClass, pass: Pass, question: Ask<T>, signal: AbortSignal): Promise<T> {
    try {
      if (pass.probe && name !== 'health') await this.#probeHealth(signal);
      const answer = await untilAborted(signal, question({ signal }));
      this.#classes[name].breaker.succeeded(pass);
      return answer;
    } catch (error) {
      this.#judge(name, pass, error, signal);
      throw error;
    }
  }

  /** A dead or hung engine gets no further request; one without /health, or that guards it, does. */
  async #probeHealth(signal: AbortSignal): Promise<void> {
    try {
      await untilAborted(signal, this.#engine.health({ signal }));
    } catch (error) {
      if (!isAnswered(error) || (error as EngineError).status === 503) throw error;
    }
  }

  #judge(name: EndpointClass, pass: Pass, error: unknown, signal: AbortSignal): void {
    const guarded = this.#classes[name];
    const verdict = judgement(name, error, signal);
    if (verdict === 'alive') {
      guarded.breaker.succeeded(pass);
    } else if (verdict === 'inconclusive') {
      guarded.breaker.abandoned(pass);
    } else {
      guarded.last = error;
      guarded.breaker.failed(pass, verdict);
    }
  }

  #breakerOpenError(name: EndpointClass): EngineError {
    const { breaker, last } = this.#classes[name];
    const because = last instanceof Error ? last.message : String(last);
    const wait = Math.ceil(breaker.restMs);
    const until = wait > 0 ? `for ${wait} ms` : 'while a probe is under way';
    return new EngineError(
      'ERR_DTESN_ENGINE_BREAKER',
      `${this.#engine.label} is not asked for its ${name} ${until} because it failed: ${because}`,
      { cause: last, status: isEngineError(last) ? last.status : null },
    );
  }
}

/** What an outcome says of the engine: it is alive, nothing that can be concluded, or a failure. */
function judgement(name: EndpointClass, error: unknown, signal: AbortSignal): 'alive' | 'inconclusive' | Failure {
  const { code } = (error ?? {}) as { code?: unknown };
  if (signal.aborted && error === signal.reason) return code === 'ERR_DTESN_SOURCE_TIMEOUT' ? {} : 'inconclusive';
  if (code === 'ERR_DTESN_CLOSED' || code === 'ERR_DTESN_ARGUMENT') return 'inconclusive';
  if (!isEngineError(error)) return {};
  if (code === 'ERR_DTESN_ENGINE_REFUSED') return { longestMs: refusedLongestMs };
  if (!isAnswered(error)) return {};
  if (name === 'health' || !isSick(error)) return 'alive';
  return error.retryAfterMs === null ? {} : { restMs: error.retryAfterMs };
}

function isAnswered(error: unknown): boolean {
  if (!isEngineError(error)) return false;
  return error.status !== null || error.code === 'ERR_DTESN_ENGINE_UNSUPPORTED';
}

function isSick(error: EngineError): boolean {
  const status = error.status ?? 0;
  return (status >= 500 && status !== 501 && !isScaling(error)) || status === 429 || status === 408;
}

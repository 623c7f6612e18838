/**
 * One source that several providers answer: the record comes whole from one of them, and says which.
 *
 *     order      by cost (provider-score.ts), declared order among equals
 *     next one   at once when all that were asked failed; when they are silent for half of the time that is left, beside them
 *     answer     the first that is no error; the others are aborted, and count as failed: they were silent
 *     beside     at most one provider that is due is asked too; its answer only teaches, unless the source falls to it
 *
 * The whole stays within the limit. When all fail the record is the error of the first in order, with a problem for each
 * of the others. Errors: rejects only with the signal's reason.
 */

import { type Clock, pause, systemClock, untilAborted, withOwnSignal } from '../../abort/index.js';
import type { Answer } from '../cached-source.js';
import type { ProviderMetrics } from '../source-figures.js';
import { ProviderScore } from './provider-score.js';

export interface Limits {
  timeoutMs: number;
  signal: AbortSignal;
  /** How old an answer may be that another reader of the same engine had. */
  maxAgeMs: number;
}

export interface NamedProvider {
  readonly name: string;
  readonly breakerOpen?: boolean;
}

interface ProvidedAnswer extends Answer {
  provider?: string | undefined;
  problems?: string[] | undefined;
}

interface Candidate<Provider> {
  provider: Provider;
  score: ProviderScore;
}

interface Ended<Provider, Source> {
  candidate: Candidate<Provider>;
  source: Source;
}

export class ProviderChoice<Provider extends NamedProvider, Source extends ProvidedAnswer> {
  readonly #candidates: readonly Candidate<Provider>[];
  readonly #clock: Clock;
  readonly #observe: (provider: Provider, limits: Limits) => Promise<Source>;
  /** What is asked beside the real question. */
  readonly #beside = new Map<Candidate<Provider>, Promise<Ended<Provider, Source>>>();
  #answeredBy: Provider | null = null;

  /** `main` is the provider that wins ties; `observe` rejects only when its signal aborts. */
  constructor(
    providers: readonly Provider[],
    main: Provider | null,
    observe: (provider: Provider, limits: Limits) => Promise<Source>,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#candidates = providers.map((provider) => ({ provider, score: new ProviderScore(provider === main, clock) }));
    this.#observe = observe;
  }

  get size(): number {
    return this.#candidates.length;
  }

  /** Who answered last. */
  get answeredBy(): Provider | null {
    return this.#answeredBy;
  }

  /** Who answered last, then the others by their order. */
  inTurn(timeoutMs: number): Provider[] {
    const providers = this.#ordered(timeoutMs).map(({ provider }) => provider);
    const last = this.#answeredBy;
    return last === null ? providers : [last, ...providers.filter((provider) => provider !== last)];
  }

  metrics(): Record<string, ProviderMetrics> {
    return Object.fromEntries(
      this.#candidates.map(({ provider, score }) => [
        provider.name,
        { ...score.metrics(), breakerOpen: provider.breakerOpen === true },
      ]),
    );
  }

  async ask(limits: Limits): Promise<Source> {
    const order = this.#ordered(limits.timeoutMs);
    this.#explore(order.slice(1), limits);
    return withOwnSignal(limits.signal, (signal) => this.#race(order, { ...limits, signal }));
  }

  /** Resolves when no question is under way beside the real ones. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#beside.values());
  }

  #ordered(timeoutMs: number): Candidate<Provider>[] {
    const cost = new Map(this.#candidates.map((candidate) => [candidate, candidate.score.cost(timeoutMs)]));
    return [...this.#candidates].sort((a, b) => cost.get(a)! - cost.get(b)!);
  }

  async #race(order: Candidate<Provider>[], limits: Limits): Promise<Source> {
    const { signal } = limits;
    const end = this.#clock.now() + limits.timeoutMs;
    const waiting = [...order];
    const asked = new Map<Candidate<Provider>, Promise<Ended<Provider, Source>>>();
    const failed: Ended<Provider, Source>[] = [];
    for (;;) {
      const restMs = Math.max(1, end - this.#clock.now());
      const next = waiting.shift();
      if (next) asked.set(next, this.#beside.get(next) ?? this.#try(next, { ...limits, timeoutMs: restMs }));
      const ended = await firstEnd([...asked.values()], waiting.length > 0 ? restMs / 2 : null, signal, this.#clock);
      if (ended === 'silent') continue;
      asked.delete(ended.candidate);
      if (ended.source.state !== 'error') {
        for (const { score } of asked.keys()) score.failed();
        this.#answeredBy = ended.candidate.provider;
        return ended.source;
      }
      failed.push(ended);
      if (waiting.length === 0 && asked.size === 0) return refusal(order, failed);
    }
  }

  async #try(candidate: Candidate<Provider>, limits: Limits): Promise<Ended<Provider, Source>> {
    const { provider, score } = candidate;
    score.asked();
    const start = this.#clock.now();
    const source = await this.#observe(provider, limits);
    if (source.state === 'error') score.failed();
    else score.answered(this.#clock.now() - start);
    return { candidate, source: { ...source, provider: provider.name } };
  }

  #explore(candidates: Candidate<Provider>[], limits: Limits): void {
    if (this.#beside.size > 0) return;
    const due = candidates.find(({ score }) => score.isDue);
    if (due === undefined) return;
    const forget = () => this.#beside.delete(due);
    const asked = this.#try(due, limits);
    this.#beside.set(due, asked);
    asked.then(forget, forget);
  }
}

/** The first answer or failure, or 'silent' when there is none in time. */
async function firstEnd<T>(
  asked: Promise<T>[],
  patienceMs: number | null,
  signal: AbortSignal,
  clock: Clock,
): Promise<T | 'silent'> {
  if (patienceMs === null) return untilAborted(signal, Promise.race(asked));
  return withOwnSignal(signal, (limit) =>
    Promise.race([...asked, pause(patienceMs, limit, clock).then(() => 'silent' as const)]),
  );
}

function refusal<Provider extends NamedProvider, Source extends ProvidedAnswer>(
  order: Candidate<Provider>[],
  failed: Ended<Provider, Source>[],
): Source {
  const ranked = order.flatMap((candidate) => failed.find((ended) => ended.candidate === candidate) ?? []);
  const [first, ...others] = ranked.map(({ source }) => source);
  if (others.length === 0) return first!;
  const said = others.map(({ provider, error }) => `${provider}: ${error}`);
  return { ...first!, problems: [...(first!.problems ?? []), ...said] };
}

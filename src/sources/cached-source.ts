/**
 * The last answer of one source, served by the rules of its freshness; one question at a time, however many ask.
 *
 * Every answer says `age_ms`, `fresh_until` and `cache` (types.ts). An answer of an earlier process (`seed`) is served
 * as `stale` from the start, and the source is refetched in the background. Answers are frozen: all readers share them.
 * Errors: none of its own; a read rejects only when the source is closed.
 */
import { type Clock, systemClock } from '../abort/index.js';
import type { Freshness } from './freshness.js';
import { frozen } from './frozen.js';

/** What every source says of its answer, whatever it answers. */
export interface Answer {
  state: string;
  age_ms: number;
  latency_ms: number;
  fetch_timestamp: number;
  fresh_until: number;
  cache: 'hit' | 'stale' | 'miss';
  error?: string | undefined;
  error_code?: string | undefined;
  stale_reason?: string | undefined;
}

interface Kept<Source> {
  source: Source;
  /** When it was answered, in milliseconds of the clock. */
  at: number;
  /** It came from an earlier process: never fresh. */
  seeded?: boolean;
}

export interface Reading {
  /** Refetches, whatever is known. */
  force?: boolean;
  /** Refetches, and waits, if the answer expires within this time; nothing stale is served but where a failure is remembered. */
  freshForMs?: number;
}

export class CachedSource<Source extends Answer> {
  readonly #ask: (maxAgeMs: number) => Promise<Source>;
  readonly #freshness: Freshness;
  readonly #count: (cache: Answer['cache']) => void;
  readonly #clock: Clock;
  #answer: Kept<Source> | null = null;
  #failure: Kept<Source> | null = null;
  #asking: Promise<Source> | null = null;
  /** Whether what is under way takes no answer of another reader. */
  #takesNoOther = false;
  #takesSeed = true;
  /** Since all was forgotten nothing was answered: what another reader has is not taken either. */
  #forgotten = false;

  /**
   * `ask(maxAgeMs)` asks for an answer that is younger than that, in which another reader's may serve; `count` is called with
   * how each read was served.
   */
  constructor(
    freshness: Freshness,
    ask: (maxAgeMs: number) => Promise<Source>,
    count: (cache: Answer['cache']) => void,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#freshness = freshness;
    this.#ask = ask;
    this.#count = count;
  }

  /** The source as it is known now; a promise where it must be waited for. */
  read({ force, freshForMs }: Reading = {}): Source | Promise<Source> {
    if (!force) {
      const known = freshForMs === undefined ? this.#known() : this.#knownFor(freshForMs);
      if (known !== null) return this.#counted(known);
    }
    return this.#askOnce(force).then((source) =>
      this.#counted(source.state === 'error' ? (this.#staleAnswer() ?? source) : source),
    );
  }

  /** Takes an answer of an earlier process, `ageMs` old, unless there is a newer one or all was to be forgotten. */
  seed(source: Source, ageMs: number): void {
    if (this.#takesSeed) this.#answer ??= { source: this.#dated(source), at: this.#clock.now() - ageMs, seeded: true };
  }

  /** Forgets what an earlier process answered. */
  forgetSeed(): void {
    if (this.#answer?.seeded) this.#answer = null;
  }

  /** Forgets what is known; an answer under way is not kept. */
  invalidate(): void {
    this.#takesSeed = false;
    this.#forgotten = true;
    this.#answer = null;
    this.#failure = null;
    this.#asking = null;
  }

  #known(): Source | null {
    const fresh = this.#freshAnswer(0);
    if (fresh !== null) return fresh;
    const failed = this.#recentFailure();
    const stale = this.#staleAnswer();
    if (stale !== null && failed === null) this.#askOnce().catch(() => {}); // in the background; rejects only on close
    return stale ?? failed;
  }

  #knownFor(ms: number): Source | null {
    const fresh = this.#freshAnswer(ms);
    if (fresh !== null) return fresh;
    const failed = this.#recentFailure();
    return failed === null ? null : (this.#staleAnswer() ?? failed);
  }

  /** An answer that stays fresh for some time yet. */
  #freshAnswer(ms: number): Source | null {
    if (this.#answer === null || this.#answer.seeded || this.#age(this.#answer) + ms >= this.#freshness.freshMs)
      return null;
    return this.#served(this.#answer, 'hit');
  }

  #recentFailure(): Source | null {
    if (this.#failure === null || this.#age(this.#failure) >= this.#freshness.retryMs) return null;
    return this.#served(this.#failure, 'hit');
  }

  #staleAnswer(): Source | null {
    const { freshMs, maxStaleMs } = this.#freshness;
    if (this.#answer === null || this.#age(this.#answer) >= maxStaleMs) return null;
    const old = this.#answer.seeded ? 'kept on disk by an earlier process' : `older than ${freshMs} ms`;
    const why = this.#failure?.source.error ?? `${old}; refetched`;
    return frozen({ ...this.#served(this.#answer, 'stale'), state: 'stale', stale_reason: why });
  }

  /** What another reader had serves while it is fresh, and newer than the own answer. */
  #askOnce(force = false): Promise<Source> {
    if (this.#asking !== null && (!force || this.#takesNoOther)) return this.#asking;
    const { freshMs } = this.#freshness;
    const newest = this.#answer === null ? freshMs : Math.min(freshMs, this.#age(this.#answer));
    const maxAgeMs = force || this.#forgotten ? 0 : newest;
    this.#takesNoOther = maxAgeMs === 0;
    const asking = this.#ask(maxAgeMs).then(
      (answered) => {
        const source = this.#dated(answered);
        if (this.#asking === asking) this.#keep(source);
        return source;
      },
      (error: unknown) => {
        if (this.#asking === asking) this.#asking = null;
        throw error;
      },
    );
    this.#asking = asking;
    return asking;
  }

  #keep(source: Source): void {
    this.#asking = null;
    this.#forgotten = false;
    const kept = { source, at: this.#clock.now() - source.age_ms };
    if (source.state === 'error') {
      this.#failure = kept;
    } else {
      this.#answer = kept;
      this.#failure = null;
    }
  }

  #dated(source: Source): Source {
    const { freshMs, retryMs } = this.#freshness;
    const servesMs = source.state === 'error' ? retryMs : freshMs;
    return frozen({ ...source, fresh_until: source.fetch_timestamp + servesMs / 1000 });
  }

  #counted(source: Source): Source {
    this.#count(source.cache);
    return source;
  }

  #age(kept: Kept<Source>): number {
    return this.#clock.now() - kept.at;
  }

  #served(kept: Kept<Source>, cache: Answer['cache']): Source {
    return frozen({ ...kept.source, age_ms: this.#age(kept), cache });
  }
}

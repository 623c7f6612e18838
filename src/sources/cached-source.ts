/**
 * The last answer of one source, served by the rules of its freshness; one question at a time, however many ask.
 *
 * Errors: none of its own; a read rejects only when the source is closed.
 */
import type { Freshness } from './freshness.js';
import type { SourceName, Sources } from './types.js';

type AnySource = Sources[SourceName];

interface Kept<Source> {
  source: Source;
  /** performance.now() when it came. */
  at: number;
}

export interface Reading {
  /** Asks anew whatever is known. */
  force?: boolean;
  /** Asks anew, and waits for, what will not stay fresh so long; nothing is served while it is asked anew behind. */
  freshForMs?: number;
}

export class CachedSource<Source extends AnySource> {
  readonly #ask: () => Promise<Source>;
  readonly #freshness: Freshness;
  #answer: Kept<Source> | null = null;
  #failure: Kept<Source> | null = null;
  #asking: Promise<Source> | null = null;

  constructor(freshness: Freshness, ask: () => Promise<Source>) {
    this.#freshness = freshness;
    this.#ask = ask;
  }

  /** The source as it is known now; a promise where it must be waited for. */
  read({ force, freshForMs }: Reading = {}): Source | Promise<Source> {
    if (!force) {
      const known = freshForMs === undefined ? this.#known() : this.#knownFor(freshForMs);
      if (known !== null) return known;
    }
    return this.#askOnce().then((source) => (source.state === 'error' ? (this.#staleAnswer() ?? source) : source));
  }

  /** Forgets what is known; an answer under way is not kept. */
  invalidate(): void {
    this.#answer = null;
    this.#failure = null;
    this.#asking = null;
  }

  #known(): Source | null {
    const { freshMs, retryMs } = this.#freshness;
    if (this.#answer !== null && age(this.#answer) < freshMs) return aged(this.#answer);
    const failedLately = this.#failure !== null && age(this.#failure) < retryMs;
    const stale = this.#staleAnswer();
    if (stale !== null && !failedLately) this.#askOnce().catch(() => {}); // in the background; rejects only on close
    return stale ?? (failedLately ? aged(this.#failure!) : null);
  }

  /** What stays fresh for some time yet; what failed lately is not asked again for it. */
  #knownFor(ms: number): Source | null {
    const { freshMs, retryMs } = this.#freshness;
    if (this.#answer !== null && age(this.#answer) + ms < freshMs) return aged(this.#answer);
    if (this.#failure === null || age(this.#failure) >= retryMs) return null;
    return this.#staleAnswer() ?? aged(this.#failure);
  }

  #staleAnswer(): Source | null {
    const { freshMs, staleMs } = this.#freshness;
    if (this.#answer === null || age(this.#answer) >= staleMs) return null;
    const why = this.#failure?.source.error ?? `older than ${freshMs} ms; asked anew`;
    return { ...aged(this.#answer), state: 'stale', stale_reason: why };
  }

  #askOnce(): Promise<Source> {
    if (this.#asking !== null) return this.#asking;
    const asking = this.#ask().then(
      (source) => {
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
    const kept = { source, at: performance.now() };
    if (source.state === 'error') {
      this.#failure = kept;
    } else {
      this.#answer = kept;
      this.#failure = null;
    }
  }
}

function age(kept: Kept<unknown>): number {
  return performance.now() - kept.at;
}

function aged<Source extends AnySource>(kept: Kept<Source>): Source {
  return { ...kept.source, age_ms: age(kept) };
}

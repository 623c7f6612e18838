/**
 * What one source cost and brought, counted as it happens: questions, failures by code, the time of a question, and how
 * each read of it was served.
 */
import type { Answer } from './cached-source.js';
import { LatencyHistogram, type LatencySnapshot } from './latency-histogram.js';

/** Of one provider of a source; the averages are null until it answered or failed once. */
export interface ProviderMetrics {
  requests: number;
  failures: number;
  latencyMeanMs: number | null;
  successMean: number | null;
  /** Whether a breaker of the provider lets no call pass, or none but a probe. */
  breakerOpen: boolean;
}

/**
 * What one source cost and brought, counted as it happens: questions, failures by code, the time of a question, and how
 * each read of it was served. Those who fetch at the same time share one read.
 */
export interface SourceMetrics {
  /** Questions, each asked of one provider or more. */
  requests: number;
  /** By error_code. */
  failures: Record<string, number>;
  /** Of the questions, failed ones too. */
  latencyMs: LatencySnapshot;
  /** Reads by how they were served. */
  hits: number;
  stale: number;
  misses: number;
  /** By name; empty for a source that no engine answers. */
  providers: Record<string, ProviderMetrics>;
}

export class SourceFigures {
  readonly #latency = new LatencyHistogram();
  readonly #failures = new Map<string, number>();
  readonly #reads = { hit: 0, stale: 0, miss: 0 };

  readonly countRead = (cache: Answer['cache']): void => {
    this.#reads[cache] += 1;
  };

  countQuestion({ state, error_code = 'ERR_DTESN_SOURCE' }: Answer, ms: number): void {
    this.#latency.add(ms);
    if (state === 'error') this.#failures.set(error_code, (this.#failures.get(error_code) ?? 0) + 1);
  }

  snapshot(providers: Record<string, ProviderMetrics>): SourceMetrics {
    return {
      requests: this.#latency.count,
      failures: Object.fromEntries(this.#failures),
      latencyMs: this.#latency.snapshot(),
      hits: this.#reads.hit,
      stale: this.#reads.stale,
      misses: this.#reads.miss,
      providers,
    };
  }
}

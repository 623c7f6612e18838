/**
 * Metrics of the sources that processors and contexts read: dtesn_source_errors_total{engine,source,code}, and
 * dtesn_breaker_open{engine}: 1 while a breaker of the engine is not closed. What is of an engine is removed with it.
 */
import type { Counter, Gauge, MetricsRegistry } from './metrics/index.js';

/** Figures of one reader of an engine's sources, as `metrics()` of a processor or a fetcher gives them. */
export interface SourcesOfEngine {
  engine: string;
  /** Whose figures they are: their counts begin at 0 with it. */
  reader: object;
  sources: Record<string, { failures: Record<string, number>; providers: Record<string, { breakerOpen: boolean }> }>;
}

export class SourceGauges {
  readonly #errors: Counter;
  readonly #breaker: Gauge;
  readonly #counted = new WeakMap<object, Map<string, number>>();
  readonly #engines = new Set<string>();

  /** `read` and `engines`, the names of all, are called before each page of metrics: an engine without a reader has no open breaker. */
  constructor(metrics: MetricsRegistry, read: () => readonly SourcesOfEngine[], engines: () => readonly string[]) {
    this.#errors = metrics.counter('dtesn_source_errors_total', 'Questions of a source that failed.', [
      'engine',
      'source',
      'code',
    ]);
    this.#breaker = metrics.gauge('dtesn_breaker_open', 'Whether a breaker of the engine is not closed.', ['engine']);
    metrics.collect(() => this.#update(read(), engines()));
  }

  #update(all: readonly SourcesOfEngine[], engines: readonly string[]): void {
    const open = new Map<string, boolean>(engines.map((engine) => [engine, false]));
    for (const { engine, reader, sources } of all) {
      const counted = this.#counted.get(reader) ?? new Map<string, number>();
      this.#counted.set(reader, counted);
      for (const [source, { failures, providers }] of Object.entries(sources)) {
        for (const [code, total] of Object.entries(failures)) {
          const key = `${source} ${code}`;
          this.#errors.inc({ engine, source, code }, total - (counted.get(key) ?? 0));
          counted.set(key, total);
        }
        const isOpen = Object.values(providers).some(({ breakerOpen }) => breakerOpen);
        open.set(engine, isOpen || open.get(engine) === true);
      }
    }
    for (const [engine, isOpen] of open) this.#breaker.set({ engine }, isOpen ? 1 : 0);
    for (const engine of this.#engines) if (!open.has(engine)) this.#forget(engine);
    for (const engine of open.keys()) this.#engines.add(engine);
  }

  #forget(engine: string): void {
    this.#engines.delete(engine);
    this.#errors.remove({ engine });
    this.#breaker.remove({ engine });
  }
}

/**
 * One provider of an engine's sources: the engine behind a guard of its own, and what was last seen of it.
 *
 * Looks are compared with earlier looks of the same provider only: counters of two of them tell nothing of a restart. A
 * look that began before the last one ended is not compared, for which of the two is newer is unknown.
 */
import type { Engine } from '../engine/index.js';
import { EngineGuard, ModelWatch, RestartWatch } from './policies/index.js';
import type { ModelConfigSource, PerformanceSource, TokenizerSource } from './types.js';

export class EngineProvider {
  readonly name: string;
  readonly engine: Engine;
  readonly guard: EngineGuard;
  readonly #restarts = new RestartWatch();
  readonly #models = new ModelWatch();
  #tokenizer: TokenizerSource | null = null;
  #performanceSeenAt = Number.NEGATIVE_INFINITY;
  #modelSeenAt = Number.NEGATIVE_INFINITY;

  constructor(name: string, engine: Engine) {
    this.name = name;
    this.engine = engine;
    this.guard = new EngineGuard(engine);
  }

  /** Whether the engine restarted since the last look; `begun` is the time of the monotonic clock. */
  restarted(source: PerformanceSource, begun: number): boolean {
    if (begun < this.#performanceSeenAt) return false;
    this.#performanceSeenAt = performance.now();
    return this.#restarts.restarted(source);
  }

  /** Whether it serves another model, or is another version, than at the last look. */
  changedModel(source: ModelConfigSource, begun: number): boolean {
    if (begun < this.#modelSeenAt) return false;
    this.#modelSeenAt = performance.now();
    return this.#models.changed(source);
  }

  /** Whether its tokenizer is of another kind of engine, or takes another length, than at the last look. */
  changedTokenizer(source: TokenizerSource): boolean {
    if (source.state === 'error') return false;
    const before = this.#tokenizer;
    this.#tokenizer = source;
    if (before === null) return false;
    const isOther = <T>(a: T | null, b: T | null) => a !== null && b !== null && a !== b;
    return isOther(source.engine_type, before.engine_type) || isOther(source.max_model_len, before.max_model_len);
  }
}

/**
 * One provider of an engine's sources: the engine behind a guard of its own, and its last observation.
 *
 * Observations are compared with earlier ones of the same provider only: counters of two providers show no restart. An
 * observation that began before the last one ended is not compared: which of the two is newer is unknown.
 */
import { type Clock, systemClock } from '../abort/index.js';
import { differs, type Engine } from '../engine/index.js';
import { EngineGuard, ModelWatch, RestartWatch } from './policies/index.js';
import type { ModelConfigSource, PerformanceSource, TokenizerSource } from './types.js';

export class EngineProvider {
  readonly name: string;
  readonly engine: Engine;
  readonly guard: EngineGuard;
  readonly #clock: Clock;
  readonly #restarts = new RestartWatch();
  readonly #models = new ModelWatch();
  #tokenizer: TokenizerSource | null = null;
  #performanceSeenAt = Number.NEGATIVE_INFINITY;
  #modelSeenAt = Number.NEGATIVE_INFINITY;

  constructor(name: string, engine: Engine, clock: Clock = systemClock) {
    this.name = name;
    this.engine = engine;
    this.guard = new EngineGuard(engine, clock);
    this.#clock = clock;
  }

  /** Whether a breaker of its guard is not closed. */
  get breakerOpen(): boolean {
    return this.guard.breakerOpen;
  }

  /** Whether the engine restarted since the last observation; `begun` is the time of the monotonic clock. */
  restarted(source: PerformanceSource, begun: number): boolean {
    if (begun < this.#performanceSeenAt) return false;
    this.#performanceSeenAt = this.#clock.now();
    return this.#restarts.restarted(source);
  }

  /** Whether it serves another model, or is another version, than at the last observation. */
  changedModel(source: ModelConfigSource, begun: number): boolean {
    if (begun < this.#modelSeenAt) return false;
    this.#modelSeenAt = this.#clock.now();
    return this.#models.changed(source);
  }

  /** Whether its tokenizer is of another kind of engine, or takes another length, than at the last observation. */
  changedTokenizer(source: TokenizerSource): boolean {
    if (source.state === 'error') return false;
    const before = this.#tokenizer;
    this.#tokenizer = source;
    if (before === null) return false;
    return differs(before.engine_type, source.engine_type) || differs(before.max_model_len, source.max_model_len);
  }
}

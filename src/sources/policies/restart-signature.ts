/**
 * What the caches of the fetch check after each observation of an engine: whether it restarted (the restart law, restart-law.ts), for
 * then it may serve another model; and whether what it serves is another model or another version of the engine, where no
 * restart was seen.
 *
 * Gone is an engine that refused the connection, or was not ready: its health failed, or it slept (a woken engine may have
 * other weights; asking needlessly costs two questions).
 */
import { differs, RestartDetector } from '../../engine/index.js';
import type { ModelConfigSource, PerformanceSource } from '../types.js';

export class RestartWatch {
  readonly #detector = new RestartDetector();
  #wasReady: boolean | null = null;

  /** Takes the next observation in order of time; true when the engine restarted since the last that had an answer. */
  restarted(now: PerformanceSource): boolean {
    if (now.state === 'error') {
      if (now.error_code === 'ERR_DTESN_ENGINE_REFUSED') this.#detector.gone();
      return false;
    }
    if (this.#wasReady === false && now.engine_ready === true) this.#detector.gone();
    this.#wasReady = now.engine_ready ?? this.#wasReady;
    return this.#detector.observe(runOf(now)) !== null;
  }
}

/** The figures of the restart law in a performance source. */
export function runOf(source: PerformanceSource) {
  const { process_start_time, kv_tokens_capacity } = source;
  const { total_requests, generation_tokens_total, prompt_tokens_total, preemptions_total } = source;
  return {
    startTime: process_start_time,
    kvTokensCapacity: kv_tokens_capacity,
    counters: { total_requests, generation_tokens_total, prompt_tokens_total, preemptions_total },
  };
}

export class ModelWatch {
  #before: ModelConfigSource | null = null;

  /** Takes the next observation in order of time; true when it differs from the last that had an answer. */
  changed(now: ModelConfigSource): boolean {
    if (now.state === 'error') return false;
    const before = this.#before;
    this.#before = now;
    if (before === null) return false;
    return (
      differs(before.model_name, now.model_name) ||
      differs(before.max_model_len, now.max_model_len) ||
      differs(before.engine_version, now.engine_version)
    );
  }
}

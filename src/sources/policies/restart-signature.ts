/**
 * Whether an engine restarted between two looks at its performance: then it may serve another model.
 *
 *     its process has another start time         (absent where several API servers share the metrics)
 *     a counter went back                        (requests finished, tokens in and out, preemptions)
 *     its KV cache has another capacity          (it is set when the engine starts or is scaled)
 *     nothing listened there in between, or its health failed and came back (waking up counts: it costs two questions)
 *
 * And whether what it serves is another model or another version of the engine, where none of this was seen.
 */
import type { ModelConfigSource, PerformanceSource } from '../types.js';

const counters = ['total_requests', 'generation_tokens_total', 'prompt_tokens_total', 'preemptions_total'] as const;
const identity = ['model_name', 'max_model_len', 'engine_version'] as const;
const constants = ['process_start_time', 'kv_tokens_capacity'] as const;

export class RestartWatch {
  #before: PerformanceSource | null = null;
  #wasGone = false;

  /** Takes the next look in the order of time; true when the engine restarted since the last that had an answer. */
  restarted(now: PerformanceSource): boolean {
    if (now.state === 'error') {
      this.#wasGone ||= now.error_code === 'ERR_DTESN_ENGINE_REFUSED';
      return false;
    }
    const before = this.#before;
    const wasGone = this.#wasGone;
    this.#before = now;
    this.#wasGone = false;
    if (before === null) return false;
    const wentBack = counters.some((name) => isLess(now[name], before[name]));
    const cameBack = wasGone || (before.engine_ready === false && now.engine_ready === true);
    return cameBack || wentBack || constants.some((name) => isOther(now[name], before[name]));
  }
}

export class ModelWatch {
  #before: ModelConfigSource | null = null;

  /** Takes the next look in the order of time; true when it differs from the last that had an answer. */
  changed(now: ModelConfigSource): boolean {
    if (now.state === 'error') return false;
    const before = this.#before;
    this.#before = now;
    return before !== null && identity.some((name) => isOther(now[name], before[name]));
  }
}

type Figure = number | null;

function isLess(now: Figure, before: Figure): boolean {
  return now !== null && before !== null && now < before;
}

function isOther(now: Figure | string, before: Figure | string): boolean {
  return now !== null && before !== null && now !== before;
}

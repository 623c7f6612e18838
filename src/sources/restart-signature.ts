/**
 * Whether an engine restarted between two looks at its performance: then it may serve another model.
 *
 *     its process has another start time         (absent where several API servers share the metrics)
 *     a counter went back                        (requests finished, tokens in and out, preemptions)
 *     its KV cache has another capacity          (it is set when the engine starts or is scaled)
 *     nothing listened there in between
 */
import type { PerformanceSource } from './types.js';

const counters = ['total_requests', 'generation_tokens_total', 'prompt_tokens_total', 'preemptions_total'] as const;
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
    return wasGone || wentBack || constants.some((name) => isOther(now[name], before[name]));
  }
}

type Figure = number | null;

function isLess(now: Figure, before: Figure): boolean {
  return now !== null && before !== null && now < before;
}

function isOther(now: Figure, before: Figure): boolean {
  return now !== null && before !== null && now !== before;
}

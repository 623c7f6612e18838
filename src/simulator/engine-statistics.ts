/**
 * What the simulated engine counts since it started: the counters and histograms of a real one, named as its metrics
 * are.
 */
import type { EngineRequest, FinishReason } from './engine-request.js';
import { Histogram } from './histogram.js';

const TO_FIRST_TOKEN = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560,
];
const PER_TOKEN = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
const REQUEST_TIME = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];
const ITERATION_TOKENS = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];
const PARALLEL_ANSWERS = [1, 2, 5, 10, 20];

/** 1, 2, 5, 10, 20, 50 ... up to the longest context: the buckets of every histogram of tokens. */
function tokenBuckets(maxModelLen: number): number[] {
  const buckets: number[] = [];
  for (let decade = 1; decade <= maxModelLen; decade *= 10) buckets.push(decade, 2 * decade, 5 * decade);
  return buckets.filter((bound) => bound <= maxModelLen);
}

/**
 * What the simulated engine counts since it started: the counters and histograms of a real one, named as its metrics
 * are. Units: seconds and tokens. Laws: `iteration_tokens_total` sums to prompt plus generated tokens; the tokens by
 * source sum to `promptTokens`.
 */
export class EngineStatistics {
  /** Requests that ended, by reason. */
  readonly finished: Record<FinishReason, number> = { stop: 0, length: 0, abort: 0, error: 0, repetition: 0 };
  /** Prompt tokens that were looked up in the prefix cache. */
  prefixQueries = 0;
  /** Prompt tokens that were found there. */
  prefixHits = 0;
  /** Requests that lost their blocks to others. */
  preemptions = 0;
  /** Tokens of prompts that were read. */
  promptTokens = 0;
  /** Tokens of prompts that were taken from the prefix cache. */
  cachedPromptTokens = 0;
  /** Tokens that were generated. */
  generatedTokens = 0;
  /** Sum of the times of all steps. */
  busySeconds = 0;
  /** Histograms by the names of the metrics of a real engine; seconds and tokens. */
  readonly histograms;

  constructor(maxModelLen: number) {
    const tokens = tokenBuckets(maxModelLen);
    this.histograms = {
      request_prompt_tokens: new Histogram(tokens),
      request_generation_tokens: new Histogram(tokens),
      iteration_tokens_total: new Histogram(ITERATION_TOKENS),
      request_max_num_generation_tokens: new Histogram(tokens),
      request_params_n: new Histogram(PARALLEL_ANSWERS),
      request_params_max_tokens: new Histogram(tokens),
      time_to_first_token_seconds: new Histogram(TO_FIRST_TOKEN),
      inter_token_latency_seconds: new Histogram(PER_TOKEN),
      request_time_per_output_token_seconds: new Histogram(PER_TOKEN),
      e2e_request_latency_seconds: new Histogram(REQUEST_TIME),
      request_queue_time_seconds: new Histogram(REQUEST_TIME),
      request_inference_time_seconds: new Histogram(REQUEST_TIME),
      request_prefill_time_seconds: new Histogram(REQUEST_TIME),
      request_decode_time_seconds: new Histogram(REQUEST_TIME),
      request_prefill_kv_computed_tokens: new Histogram(tokens),
    };
  }

  /**
   * A request leaves at virtual time `now`.
   * @internal
   */
  finish(request: EngineRequest, reason: FinishReason, now: number): void {
    const { finished, histograms } = this;
    finished[reason]++;
    histograms.e2e_request_latency_seconds.observe(now - request.time);
    histograms.request_prompt_tokens.observe(request.prompt);
    histograms.request_generation_tokens.observe(request.generated);
    histograms.request_max_num_generation_tokens.observe(request.maxTokens);
    histograms.request_params_n.observe(1);
    histograms.request_params_max_tokens.observe(request.maxTokens);
    if (request.admittedAt === null || request.firstTokenAt === null) return;
    const decode = request.lastTokenAt - request.firstTokenAt;
    histograms.request_queue_time_seconds.observe(request.admittedAt - request.time);
    histograms.request_inference_time_seconds.observe(request.lastTokenAt - request.admittedAt);
    histograms.request_prefill_time_seconds.observe(request.firstTokenAt - request.admittedAt);
    histograms.request_decode_time_seconds.observe(decode);
    histograms.request_prefill_kv_computed_tokens.observe(request.prompt - request.cached);
    if (request.generated > 1) {
      histograms.request_time_per_output_token_seconds.observe(decode / (request.generated - 1));
    }
  }
}

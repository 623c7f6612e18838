/**
 * How engines name their figures in /metrics: one table. Names stand without their prefix, the newest first.
 *
 * Counters and gauges by the name of their samples, histograms by the name of their family. vLLM and Aphrodite share one
 * list; `gpu_` names are of vLLM before 0.9 and Aphrodite to 0.9.1, `time_per_output_token_seconds` of Aphrodite 0.6.7 and
 * older vLLM. Ray Serve writes `ray_vllm:` or `ray_vllm_`, and a counter also without `_total`: `ray_` is dropped before the
 * table is read. A figure that an engine does not have is not in its list.
 * TGI counts tokens as the sums of two histograms, and its time per token is a mean over each request.
 */
import type { EngineKind } from '../engine.js';

export const gauges = [
  'running',
  'waiting',
  'waitingByReason',
  'kvUsage',
  'kvTokensUsed',
  'kvTokensCapacity',
  'sleepState',
] as const;
export const counters = [
  ...(['finished', 'promptTokens', 'promptTokensCached', 'generationTokens', 'preemptions'] as const),
  ...(['prefixQueries', 'prefixHits', 'draftTokens', 'acceptedTokens', 'decodeSeconds'] as const),
];
export const histograms = [
  'iterationTokens',
  'timeToFirstToken',
  'interTokenLatency',
  'queueTime',
  'inferenceTime',
  'e2eLatency',
] as const;

export type GaugeName = (typeof gauges)[number];
export type CounterName = (typeof counters)[number];
export type HistogramName = (typeof histograms)[number];
export type FigureName = GaugeName | CounterName | HistogramName | 'cacheConfig';

export type MetricNames = Partial<Record<FigureName, readonly string[]>>;

/**
 * The labels that tell engines apart, the first that is there: a worker of Ray Serve is an engine of its own (each of them
 * calls itself engine 0), then a data-parallel engine, then SGLang's data-parallel rank.
 */
export const ENGINE_LABELS = ['WorkerId', 'engine', 'dp_rank'] as const;
/** The labels of ranks that work on the same requests: of their series the greatest counts, not the sum. */
export const RANK_LABELS: readonly string[] = ['tp_rank', 'pp_rank', 'moe_ep_rank'];
/** The labels of `finished` and of `waitingByReason` that say why. */
export const REASON_LABEL = 'finished_reason';
export const WAITING_REASON_LABEL = 'reason';

const vllm: MetricNames = {
  running: ['num_requests_running'],
  waiting: ['num_requests_waiting'],
  waitingByReason: ['num_requests_waiting_by_reason'],
  kvUsage: ['kv_cache_usage_perc', 'gpu_cache_usage_perc'],
  sleepState: ['engine_sleep_state'],
  cacheConfig: ['cache_config_info'],
  finished: ['request_success_total'],
  promptTokens: ['prompt_tokens_total'],
  promptTokensCached: ['prompt_tokens_cached_total'],
  generationTokens: ['generation_tokens_total'],
  preemptions: ['num_preemptions_total'],
  prefixQueries: ['prefix_cache_queries_total', 'gpu_prefix_cache_queries_total'],
  prefixHits: ['prefix_cache_hits_total', 'gpu_prefix_cache_hits_total'],
  draftTokens: ['spec_decode_num_draft_tokens_total'],
  acceptedTokens: ['spec_decode_num_accepted_tokens_total'],
  iterationTokens: ['iteration_tokens_total'],
  timeToFirstToken: ['time_to_first_token_seconds'],
  interTokenLatency: ['inter_token_latency_seconds', 'time_per_output_token_seconds'],
  queueTime: ['request_queue_time_seconds'],
  inferenceTime: ['request_inference_time_seconds'],
  e2eLatency: ['e2e_request_latency_seconds'],
};

const sglang: MetricNames = {
  running: ['num_running_reqs'],
  waiting: ['num_queue_reqs'],
  kvUsage: ['token_usage'],
  kvTokensUsed: ['num_used_tokens'],
  kvTokensCapacity: ['max_total_num_tokens'],
  promptTokens: ['prompt_tokens_total'],
  generationTokens: ['generation_tokens_total'],
  timeToFirstToken: ['time_to_first_token_seconds'],
  interTokenLatency: ['inter_token_latency_seconds', 'time_per_output_token_seconds'],
};

const llamacpp: MetricNames = {
  running: ['requests_processing'],
  waiting: ['requests_deferred'],
  kvUsage: ['kv_cache_usage_ratio'],
  promptTokens: ['prompt_tokens_total'],
  generationTokens: ['tokens_predicted_total'],
  decodeSeconds: ['tokens_predicted_seconds_total'],
};

const tgi: MetricNames = {
  running: ['batch_current_size'],
  waiting: ['queue_size'],
  promptTokens: ['request_input_length_sum'],
  generationTokens: ['request_generated_tokens_sum'],
  interTokenLatency: ['request_mean_time_per_token_duration'],
};

export const RAY_PREFIX = 'ray_';

/** Prefixes in the order in which they are tried, each also behind RAY_PREFIX. */
export const namings: readonly { prefix: string; kind: EngineKind; names: MetricNames }[] = [
  { prefix: 'aphrodite:', kind: 'aphrodite', names: vllm },
  { prefix: 'vllm:', kind: 'vllm', names: vllm },
  { prefix: 'aphrodite_', kind: 'aphrodite', names: vllm },
  { prefix: 'vllm_', kind: 'vllm', names: vllm },
  { prefix: 'sglang:', kind: 'sglang', names: sglang },
  { prefix: 'sglang_', kind: 'sglang', names: sglang },
  { prefix: 'llamacpp:', kind: 'llamacpp', names: llamacpp },
  { prefix: 'tgi_', kind: 'tgi', names: tgi },
];

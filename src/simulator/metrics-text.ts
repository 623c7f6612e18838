/**
 * The simulated server's /metrics body: the metric names, types, labels and buckets of an Aphrodite engine, a child for
 * each of its engines (`engine="0"` ... ), in the form of a single API process or of several.
 *
 * The model has no images, no KV connector and no flop counting: those families are there, as in a real engine with the
 * features off, and say 0. `python_*`, memory and file figures are constants for the form; `process_cpu_seconds_total`
 * is the time spent in steps. Laws: waiting_by_reason sums to waiting; kv_cache_usage_perc = 1 - free blocks / all
 * blocks.
 */
import type { EngineCore } from './engine-core.js';
import { finishReasons } from './engine-request.js';
import type { EngineStatistics } from './engine-statistics.js';
import type { Histogram } from './histogram.js';
import { type Labels, type MetricsForm, MetricsWriter, type Sample } from './metrics-writer.js';
import type { EngineSimulation } from './simulation.js';

export interface MetricsIdentity {
  modelName: string;
  /** Unix time at which the present engines started, seconds. */
  startTime: number;
  /** `single-process` when left out. */
  form?: MetricsForm;
}

const PREFIX = 'aphrodite:';

export function metricsText(simulation: EngineSimulation, identity: MetricsIdentity): string {
  const { form = 'single-process', startTime, modelName } = identity;
  const { engines } = simulation;
  const writer = new MetricsWriter(form, startTime);
  if (form === 'single-process') writeProcess(writer, engines, startTime);
  const own = engines.map((_, rank): Labels => ({ engine: String(rank), model_name: modelName }));
  for (const [type, name, help, figures] of families) {
    // A further label runs in the outer loop, the engines in the inner one, as in the engine's code.
    const samples = figures.flatMap(([labels, figure]) =>
      engines.map((core, rank): Sample => [{ ...own[rank], ...labels }, figure(core)]),
    );
    writer[type](PREFIX + name, help, samples);
  }
  for (const [name, help] of requestHistograms) {
    const children = engines.map(({ statistics }, rank): [Labels, Histogram] => [
      own[rank]!,
      statistics.histograms[name],
    ]);
    writer.histogram(PREFIX + name, help, children);
  }
  writeCacheConfig(writer, engines);
  return writer.text();
}

type HistogramName = keyof EngineStatistics['histograms'];
type CounterName =
  | 'prefixQueries'
  | 'prefixHits'
  | 'preemptions'
  | 'promptTokens'
  | 'cachedPromptTokens'
  | 'generatedTokens';
/** What a child of each engine says, for each value of a further label. */
type Figure = (core: EngineCore) => number;
type Figures = readonly [Labels, Figure][];

const one = (figure: Figure): Figures => [[{}, figure]];
const none = one(() => 0);
const counted = (name: CounterName) => one(({ statistics }) => statistics[name]);
const by = (label: string, figures: Record<string, Figure>): Figures =>
  Object.entries(figures).map(([value, figure]) => [{ [label]: value }, figure]);

/** Gauges and counters, in the order of the engine's body. */
const families: readonly ['gauge' | 'counter', string, string, Figures][] = [
  ['counter', 'estimated_flops_per_gpu', 'Floating point operations per GPU (not estimated here).', none],
  ['counter', 'estimated_read_bytes_per_gpu', 'Bytes read from memory per GPU (not estimated here).', none],
  ['counter', 'estimated_write_bytes_per_gpu', 'Bytes written to memory per GPU (not estimated here).', none],
  ['gauge', 'num_requests_running', 'Requests in the present batch.', one((core) => core.running)],
  ['gauge', 'num_requests_waiting', 'Requests in the queue.', one((core) => core.waiting)],
  [
    'gauge',
    'num_requests_waiting_by_reason',
    'Requests in the queue, by what they wait for.',
    by('reason', { capacity: (core) => core.waiting, deferred: () => 0 }),
  ],
  [
    'gauge',
    'engine_sleep_state',
    'One of the states is 1.',
    by('sleep_state', {
      awake: (core) => Number(core.sleepLevel === 0),
      weights_offloaded: (core) => Number(core.sleepLevel === 1),
      discard_all: (core) => Number(core.sleepLevel === 2),
    }),
  ],
  ['gauge', 'kv_cache_usage_perc', 'Share of KV blocks in use, 0 to 1.', one((core) => core.kvUsage)],
  ['counter', 'prefix_cache_queries', 'Tokens looked up in the prefix cache.', counted('prefixQueries')],
  ['counter', 'prefix_cache_hits', 'Tokens found in the prefix cache.', counted('prefixHits')],
  ['counter', 'external_prefix_cache_queries', 'Tokens looked up in other instances (no connector).', none],
  ['counter', 'external_prefix_cache_hits', 'Tokens found in other instances (no connector).', none],
  ['counter', 'mm_cache_queries', 'Items looked up in the multi-modal cache (text model).', none],
  ['counter', 'mm_cache_hits', 'Items found in the multi-modal cache (text model).', none],
  ['counter', 'num_preemptions', 'Requests that lost their KV blocks to another.', counted('preemptions')],
  ['counter', 'prompt_tokens', 'Prompt tokens processed.', counted('promptTokens')],
  [
    'counter',
    'prompt_tokens_by_source',
    'Prompt tokens by where their keys and values came from.',
    by('source', {
      local_compute: ({ statistics }) => statistics.promptTokens - statistics.cachedPromptTokens,
      local_cache_hit: ({ statistics }) => statistics.cachedPromptTokens,
      external_kv_transfer: () => 0,
    }),
  ],
  ['counter', 'prompt_tokens_cached', 'Prompt tokens taken from the prefix cache.', counted('cachedPromptTokens')],
  ['counter', 'generation_tokens', 'Tokens generated.', counted('generatedTokens')],
  [
    'counter',
    'request_success',
    'Requests that ended, by the way they did.',
    finishReasons.map((reason) => [{ finished_reason: reason }, ({ statistics }) => statistics.finished[reason]]),
  ],
];

/** In the order of the engine's body. */
const requestHistograms: [HistogramName, string][] = [
  ['request_prompt_tokens', 'Prompt tokens of a request.'],
  ['request_generation_tokens', 'Generated tokens of a request.'],
  ['iteration_tokens_total', 'Prompt and generated tokens of an engine step.'],
  ['request_max_num_generation_tokens', 'Most tokens a request could generate.'],
  ['request_params_n', 'Answers asked for by a request.'],
  ['request_params_max_tokens', 'max_tokens asked for by a request.'],
  ['time_to_first_token_seconds', 'Arrival to first token.'],
  ['inter_token_latency_seconds', 'Token to next token.'],
  ['request_time_per_output_token_seconds', 'Mean time per token after the first of a request.'],
  ['e2e_request_latency_seconds', 'Arrival to end.'],
  ['request_queue_time_seconds', 'Arrival to admission.'],
  ['request_inference_time_seconds', 'Admission to end.'],
  ['request_prefill_time_seconds', 'Admission to first token.'],
  ['request_decode_time_seconds', 'First token to last token.'],
  ['request_prefill_kv_computed_tokens', 'Prompt tokens of a request that were not in the prefix cache.'],
];

function writeProcess(writer: MetricsWriter, cores: readonly EngineCore[], startTime: number): void {
  const generations = ['0', '1', '2'].map((generation): Sample => [{ generation }, 0]);
  writer.plainCounter('python_gc_objects_collected_total', 'Objects collected during gc', generations);
  writer.plainCounter('python_gc_objects_uncollectable_total', 'Uncollectable objects found during GC', generations);
  writer.plainCounter('python_gc_collections_total', 'Number of times this generation was collected', generations);
  const python = { implementation: 'CPython', major: '3', minor: '12', patchlevel: '0', version: '3.12.0' };
  writer.gauge('python_info', 'Python platform information', [[python, 1]]);
  const seconds = cores.reduce((sum, core) => sum + core.statistics.busySeconds, 0);
  writer.gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.', [[{}, 2 ** 34]]);
  writer.gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', [[{}, 2 ** 31]]);
  writer.gauge('process_start_time_seconds', 'Start of the simulated engine, unix time in seconds.', [[{}, startTime]]);
  writer.plainCounter('process_cpu_seconds_total', 'Time spent in steps.', [[{}, seconds]]);
  writer.gauge('process_open_fds', 'Number of open file descriptors.', [[{}, 64]]);
  writer.gauge('process_max_fds', 'Maximum number of open file descriptors.', [[{}, 65_536]]);
}

/** An info gauge: its labels say what each engine's cache was configured to; like the real one it has no model_name. */
function writeCacheConfig(writer: MetricsWriter, cores: readonly EngineCore[]): void {
  const samples = cores.map(({ parameters }, rank): Sample => {
    const own = { block_size: String(parameters.blockSize), num_gpu_blocks: String(parameters.kvBlocks) };
    return [{ ...cacheConfig, ...own, engine: String(rank) }, 1];
  });
  writer.gauge(`${PREFIX}cache_config_info`, 'What the KV cache was configured to.', samples);
}

/** The fields of the engine's CacheConfig beside the two that are set here, at their defaults. */
const cacheConfig: Labels = {
  cache_dtype: 'auto',
  calculate_kv_scales: 'False',
  enable_prefix_caching: 'True',
  gpu_memory_utilization: '0.92',
  hash_block_size: 'None',
  is_attention_free: 'False',
  kv_cache_dtype_skip_layers: '[]',
  kv_cache_memory_bytes: 'None',
  kv_offloading_backend: 'native',
  kv_offloading_size: 'None',
  kv_sharing_fast_prefill: 'False',
  mamba_block_size: 'None',
  mamba_cache_dtype: 'auto',
  mamba_cache_mode: 'none',
  mamba_page_size_padded: 'None',
  mamba_ssm_cache_dtype: 'auto',
  num_cpu_blocks: 'None',
  num_gpu_blocks_override: 'None',
  prefix_caching_hash_algo: 'sha256',
  sliding_window: 'None',
  user_specified_block_size: 'False',
  user_specified_mamba_block_size: 'False',
};

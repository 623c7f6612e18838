/**
 * The simulated engine's /metrics body: Prometheus text as a single-process Aphrodite engine writes it, with its metric
 * names, types, labels and buckets, a `_created` gauge beside every counter and histogram child, and
 * `process_start_time_seconds`.
 *
 * The model has no images, no KV connector, no sleep mode and no flop counting: those families are there, as in a real
 * engine with the features off, and say 0. Laws: waiting_by_reason sums to waiting; kv_cache_usage_perc is held
 * blocks / all blocks.
 */
import { finishReasons } from './engine-statistics.js';
import type { Histogram } from './histogram.js';
import type { EngineSimulation } from './simulation.js';

export interface MetricsIdentity {
  modelName: string;
  /** Unix time at which the simulated engine's virtual time was 0, seconds. */
  startTime: number;
}

type Labels = Record<string, string>;

/** A label set beyond engine and model_name, and its value. */
type Sample = [Labels, number];

const PREFIX = 'aphrodite:';

export function metricsText(simulation: EngineSimulation, identity: MetricsIdentity): string {
  const { statistics, running, waiting, parameters, freeBlocks } = simulation;
  const { finished, histograms: h, promptTokens, cachedPromptTokens } = statistics;
  const out = new MetricsWriter(identity);
  out.processStart();
  out.counter('estimated_flops_per_gpu', 'Floating point operations per GPU (not estimated here).', 0);
  out.counter('estimated_read_bytes_per_gpu', 'Bytes read from memory per GPU (not estimated here).', 0);
  out.counter('estimated_write_bytes_per_gpu', 'Bytes written to memory per GPU (not estimated here).', 0);
  out.gauge('num_requests_running', 'Requests in the present batch.', running);
  out.gauge('num_requests_waiting', 'Requests in the queue.', waiting);
  out.gauge('num_requests_waiting_by_reason', 'Requests in the queue, by what they wait for.', [
    [{ reason: 'capacity' }, waiting],
    [{ reason: 'deferred' }, 0],
  ]);
  out.gauge('engine_sleep_state', 'One of the states is 1.', [
    [{ sleep_state: 'awake' }, 1],
    [{ sleep_state: 'weights_offloaded' }, 0],
    [{ sleep_state: 'discard_all' }, 0],
  ]);
  out.gauge('kv_cache_usage_perc', 'Share of KV blocks in use, 0 to 1.', 1 - freeBlocks / parameters.kvBlocks);
  out.counter('prefix_cache_queries', 'Tokens looked up in the prefix cache.', statistics.prefixQueries);
  out.counter('prefix_cache_hits', 'Tokens found in the prefix cache.', statistics.prefixHits);
  out.counter('external_prefix_cache_queries', 'Tokens looked up in other instances (no connector).', 0);
  out.counter('external_prefix_cache_hits', 'Tokens found in other instances (no connector).', 0);
  out.counter('mm_cache_queries', 'Items looked up in the multi-modal cache (text model).', 0);
  out.counter('mm_cache_hits', 'Items found in the multi-modal cache (text model).', 0);
  out.counter('num_preemptions', 'Requests that lost their KV blocks to another.', statistics.preemptions);
  out.counter('prompt_tokens', 'Prompt tokens processed.', promptTokens);
  out.counter('prompt_tokens_by_source', 'Prompt tokens by where their keys and values came from.', [
    [{ source: 'local_compute' }, promptTokens - cachedPromptTokens],
    [{ source: 'local_cache_hit' }, cachedPromptTokens],
    [{ source: 'external_kv_transfer' }, 0],
  ]);
  out.counter('prompt_tokens_cached', 'Prompt tokens taken from the prefix cache.', cachedPromptTokens);
  out.counter('generation_tokens', 'Tokens generated.', statistics.generatedTokens);
  out.counter(
    'request_success',
    'Requests that ended, by the way they did.',
    finishReasons.map((reason): Sample => [{ finished_reason: reason }, finished[reason]]),
  );
  out.histogram('request_prompt_tokens', 'Prompt tokens of a request.', h.request_prompt_tokens);
  out.histogram('request_generation_tokens', 'Generated tokens of a request.', h.request_generation_tokens);
  out.histogram('iteration_tokens_total', 'Prompt and generated tokens of an engine step.', h.iteration_tokens_total);
  out.histogram(
    'request_max_num_generation_tokens',
    'Most tokens a request could generate.',
    h.request_max_num_generation_tokens,
  );
  out.histogram('request_params_n', 'Answers asked for by a request.', h.request_params_n);
  out.histogram('request_params_max_tokens', 'max_tokens asked for by a request.', h.request_params_max_tokens);
  out.histogram('time_to_first_token_seconds', 'Arrival to first token.', h.time_to_first_token_seconds);
  out.histogram('inter_token_latency_seconds', 'Token to next token.', h.inter_token_latency_seconds);
  out.histogram(
    'request_time_per_output_token_seconds',
    'Mean time per token after the first of a request.',
    h.request_time_per_output_token_seconds,
  );
  out.histogram('e2e_request_latency_seconds', 'Arrival to end.', h.e2e_request_latency_seconds);
  out.histogram('request_queue_time_seconds', 'Arrival to admission.', h.request_queue_time_seconds);
  out.histogram('request_inference_time_seconds', 'Admission to end.', h.request_inference_time_seconds);
  out.histogram('request_prefill_time_seconds', 'Admission to first token.', h.request_prefill_time_seconds);
  out.histogram('request_decode_time_seconds', 'First token to last token.', h.request_decode_time_seconds);
  out.histogram(
    'request_prefill_kv_computed_tokens',
    'Prompt tokens of a request that were not in the prefix cache.',
    h.request_prefill_kv_computed_tokens,
  );
  out.cacheConfig(parameters.kvBlocks, parameters.blockSize);
  return out.text();
}

class MetricsWriter {
  private readonly lines: string[] = [];
  private readonly common: Labels;
  private readonly started: string;

  constructor({ modelName, startTime }: MetricsIdentity) {
    this.common = { engine: '0', model_name: modelName };
    this.started = formatNumber(startTime);
  }

  processStart(): void {
    this.head('process_start_time_seconds', 'Start of the simulated engine, unix time in seconds.', 'gauge');
    this.lines.push(`process_start_time_seconds ${this.started}`);
  }

  gauge(name: string, help: string, value: number | Sample[]): void {
    this.head(PREFIX + name, help, 'gauge');
    this.samples(name, value);
  }

  counter(name: string, help: string, value: number | Sample[]): void {
    this.head(`${PREFIX}${name}_total`, help, 'counter');
    this.samples(`${name}_total`, value);
    this.created(name, help, typeof value === 'number' ? [{}] : value.map(([labels]) => labels));
  }

  histogram(name: string, help: string, { bounds, counts, sum, count }: Histogram): void {
    this.head(PREFIX + name, help, 'histogram');
    let cumulative = 0;
    counts.forEach((inBucket, i) => {
      cumulative += inBucket;
      this.sample(`${name}_bucket`, { le: i < bounds.length ? formatNumber(bounds[i]!) : '+Inf' }, cumulative);
    });
    this.sample(`${name}_count`, {}, count);
    this.sample(`${name}_sum`, {}, sum);
    this.created(name, help, [{}]);
  }

  /** An info gauge: its labels say what the engine's cache was configured to; like the real one it has no model_name. */
  cacheConfig(kvBlocks: number, blockSize: number): void {
    this.head(`${PREFIX}cache_config_info`, 'What the KV cache was configured to.', 'gauge');
    const labels = formatLabels({
      block_size: String(blockSize),
      cache_dtype: 'auto',
      enable_prefix_caching: 'True',
      engine: '0',
      num_cpu_blocks: 'None',
      num_gpu_blocks: String(kvBlocks),
      num_gpu_blocks_override: 'None',
      sliding_window: 'None',
    });
    this.lines.push(`${PREFIX}cache_config_info${labels} 1.0`);
  }

  text(): string {
    return `${this.lines.join('\n')}\n`;
  }

  private head(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): void {
    this.lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  private samples(name: string, value: number | Sample[]): void {
    const samples: Sample[] = typeof value === 'number' ? [[{}, value]] : value;
    for (const [labels, sample] of samples) this.sample(name, labels, sample);
  }

  private sample(name: string, labels: Labels, value: number): void {
    this.lines.push(`${PREFIX}${name}${formatLabels({ ...this.common, ...labels })} ${formatNumber(value)}`);
  }

  private created(name: string, help: string, children: Labels[]): void {
    this.head(`${PREFIX}${name}_created`, help, 'gauge');
    for (const labels of children) {
      this.lines.push(`${PREFIX}${name}_created${formatLabels({ ...this.common, ...labels })} ${this.started}`);
    }
  }
}

/** Labels in alphabetical order; backslash, quote and line feed escaped. */
function formatLabels(labels: Labels): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escapeLabel(labels[name]!)}"`);
  return `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** Integers with `.0`, and an exponent from a million on: 19 -> 19.0, 1795379640.9 -> 1.7953796409e+09. */
function formatNumber(value: number): string {
  if (value >= 1e6) {
    const [mantissa, exponent] = value.toExponential().split('e+') as [string, string];
    return `${mantissa}e+${exponent.padStart(2, '0')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

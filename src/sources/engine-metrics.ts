/**
 * The figures of an engine out of its metrics, of Aphrodite (aphrodite:) and vLLM (vllm:), with the `_` that Ray puts for
 * `:` and with older names. Counts are summed over the ranks of the engine; the KV usage is their mean and maximum.
 *
 * A figure is null, and named in `unknown`, when no series has it or one of its series is not a finite number.
 */
import type { MetricFamilies, Sample } from './metric-families.js';

export interface EngineMetrics {
  /** Whose names the metrics use. */
  engineType: 'aphrodite' | 'vllm' | null;
  running: number | null;
  waiting: number | null;
  /** Share of the KV cache in [0, 1]. */
  kvUsageMean: number | null;
  kvUsageMax: number | null;
  /** Finished requests since the engine started. */
  requestsByReason: Record<string, number> | null;
  requestsTotal: number | null;
  errors: number | null;
  promptTokens: number | null;
  generationTokens: number | null;
  preemptions: number | null;
  /** Steps of the engine: stands still in a hung engine. */
  iterationCount: number | null;
  /** Some rank sleeps. */
  sleeping: boolean | null;
  /** Blocks of all ranks, tokens a block. */
  kvBlocks: { num: number; blockSize: number } | null;
  kvTokensCapacity: number | null;
  /** Seconds since 1970. */
  processStartTime: number | null;
  unknown: string[];
}

const prefixes = [
  { prefix: 'aphrodite:', engineType: 'aphrodite' },
  { prefix: 'vllm:', engineType: 'vllm' },
  { prefix: 'aphrodite_', engineType: 'aphrodite' },
  { prefix: 'vllm_', engineType: 'vllm' },
] as const;

export function engineMetrics(families: MetricFamilies): EngineMetrics {
  const names = [...families.keys()];
  const found = prefixes.find(({ prefix }) => names.some((name) => name.startsWith(prefix)));
  // Without a prefix nothing is the engine's: a name that no family has.
  const series = (name: string) => (found ? samplesOf(families, found.prefix + name) : []);
  const usage = newest(series('kv_cache_usage_perc'), series('gpu_cache_usage_perc'));
  const finished = series('request_success_total');
  const requestsByReason = byLabel(finished, 'finished_reason');
  const kvBlocks = blocks(series('cache_config_info'));
  const figures = {
    engineType: found?.engineType ?? null,
    running: sum(series('num_requests_running')),
    waiting: sum(series('num_requests_waiting')),
    kvUsageMean: usage === null ? null : usage.reduce((a, b) => a + b, 0) / usage.length,
    kvUsageMax: usage === null ? null : Math.max(...usage),
    requestsByReason,
    requestsTotal: sum(finished),
    errors: requestsByReason?.['error'] ?? null,
    promptTokens: sum(series('prompt_tokens_total')),
    generationTokens: sum(series('generation_tokens_total')),
    preemptions: sum(series('num_preemptions_total')),
    iterationCount: sum(series('iteration_tokens_total_count')),
    sleeping: sleeping(series('engine_sleep_state')),
    kvBlocks,
    kvTokensCapacity: kvBlocks === null ? null : kvBlocks.num * kvBlocks.blockSize,
    processStartTime: values(samplesOf(families, 'process_start_time_seconds'))?.[0] ?? null,
  };
  const unknown = Object.entries(figures).flatMap(([name, value]) => (value === null ? [name] : []));
  return { ...figures, unknown };
}

/** The samples of this very name: in a family of that name, or in the one that remains without the suffix. */
function samplesOf(families: MetricFamilies, name: string): readonly Sample[] {
  const own = families.get(name);
  if (own !== undefined && own.samples[0]?.name === name) return own.samples;
  const parent = families.get(name.slice(0, name.lastIndexOf('_')));
  return parent?.samples.filter((sample) => sample.name === name) ?? [];
}

function values(samples: readonly Sample[]): number[] | null {
  const numbers = samples.map((sample) => sample.value);
  return numbers.length > 0 && numbers.every(Number.isFinite) ? numbers : null;
}

function sum(samples: readonly Sample[]): number | null {
  return values(samples)?.reduce((a, b) => a + b, 0) ?? null;
}

function newest(samples: readonly Sample[], older: readonly Sample[]): number[] | null {
  return values(samples.length > 0 ? samples : older);
}

function byLabel(samples: readonly Sample[], label: string): Record<string, number> | null {
  if (values(samples) === null) return null;
  const sums: Record<string, number> = {};
  for (const { labels, value } of samples) {
    const key = labels[label] ?? '';
    sums[key] = (sums[key] ?? 0) + value;
  }
  return sums;
}

function sleeping(samples: readonly Sample[]): boolean | null {
  const awake = values(samples.filter(({ labels }) => labels['sleep_state'] === 'awake'));
  return awake === null ? null : awake.some((value) => value === 0);
}

/** Label values are text, and "None" where the engine has not counted its blocks. */
function blocks(samples: readonly Sample[]): EngineMetrics['kvBlocks'] {
  const counts = samples.map(({ labels }) => ({
    num: whole(labels['num_gpu_blocks']),
    size: whole(labels['block_size']),
  }));
  const blockSize = counts[0]?.size;
  if (!blockSize || counts.some(({ num, size }) => num === null || size !== blockSize)) return null;
  return { num: counts.reduce((total, { num }) => total + (num ?? 0), 0), blockSize };
}

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

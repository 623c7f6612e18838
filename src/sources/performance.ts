/**
 * Source performance: the engine's load and totals from GET /metrics, which must answer, and its health from GET /health,
 * asked at the same time.
 *
 * engine_ready = /health answers and no rank sleeps. False when /health answers 503; unknown when it does not answer.
 * Counters are as the engine has them: since its start, not since ours.
 */
import type { Engine } from '../engine/index.js';
import { engineMetrics, isEngineError, parsePrometheusInSlices } from '../engine/index.js';
import { type Inquiry, observe, required, type SourceOptions } from './observation.js';
import type { PerformanceSource, SourceFields } from './types.js';

type Fields = SourceFields['performance'];

const nothing: Fields = {
  total_requests: null,
  concurrent_requests: null,
  error_count: null,
  last_sync_time: null,
  engine_ready: null,
  running: null,
  waiting: null,
  kv_cache_usage: null,
  kv_cache_usage_max: null,
  kv_tokens_capacity: null,
  generation_tokens_total: null,
  prompt_tokens_total: null,
  preemptions_total: null,
  requests_by_reason: null,
  waiting_by_reason: null,
  inference_seconds_total: null,
  process_start_time: null,
};

export function fetchPerformanceDataSource(
  engine: Engine | null,
  options: SourceOptions = {},
): Promise<PerformanceSource> {
  const ask = (inquiry: Inquiry) => readPerformance(required(engine), inquiry);
  return observe({ source: 'performance', request: 'GET /metrics', nothing, ask }, options);
}

async function readPerformance(engine: Engine, inquiry: Inquiry): Promise<Fields> {
  const { signal } = inquiry;
  const health = inquiry.added('GET /health', isHealthy(engine, signal));
  const body = await inquiry.needed(engine.metrics({ signal }));
  const syncTime = Date.now() / 1000;
  const figures = engineMetrics(await parsePrometheusInSlices(body, { signal }));
  const { running, waiting } = figures;
  const healthy = await health;
  return {
    total_requests: figures.requestsTotal,
    concurrent_requests: running === null || waiting === null ? null : running + waiting,
    error_count: figures.errors,
    last_sync_time: syncTime,
    engine_ready: healthy && figures.sleeping ? false : healthy,
    running,
    waiting,
    kv_cache_usage: figures.kvUsageMean,
    kv_cache_usage_max: figures.kvUsageMax,
    kv_tokens_capacity: figures.kvTokensCapacity,
    generation_tokens_total: figures.generationTokens,
    prompt_tokens_total: figures.promptTokens,
    preemptions_total: figures.preemptions,
    requests_by_reason: figures.requestsByReason,
    waiting_by_reason: figures.waitingByReason,
    inference_seconds_total: figures.inferenceSeconds,
    process_start_time: figures.processStartSeconds,
  };
}

async function isHealthy(engine: Engine, signal: AbortSignal): Promise<boolean> {
  try {
    await engine.health({ signal });
    return true;
  } catch (error) {
    if (isEngineError(error) && error.status === 503) return false;
    throw error;
  }
}

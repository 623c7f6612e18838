/**
 * Source performance: the engine's load and totals from GET /metrics, which must answer, and its health from GET
 * /health, asked at the same time.
 */
import { wallMs } from '../abort/index.js';
import { type Engine, isEngineError, type Scraper, type SharedOptions, scraperOf } from '../engine/index.js';
import { observe, requireEngine, type SourceOptions, type SourceRequests } from './observation.js';
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

/**
 * Source performance: the engine's load and totals from GET /metrics, which must answer, and its health from GET /health,
 * asked at the same time. Whoever else reads them of the same engine shares requests and answers (engine/telemetry/scraper.ts).
 *
 * engine_ready = /health answers and no rank sleeps. False when /health answers 503; unknown when it does not answer.
 * Counters are as the engine has them: since its start, not since ours.
 */
export function fetchPerformanceDataSource(
  engine: Engine | null,
  options: SourceOptions = {},
): Promise<PerformanceSource> {
  const ask = (requests: SourceRequests) => readPerformance(requireEngine(engine), requests);
  return observe({ source: 'performance', request: 'GET /metrics', nothing, ask }, options);
}

async function readPerformance(engine: Engine, requests: SourceRequests): Promise<Fields> {
  const { signal, maxAgeMs, clock } = requests;
  const scraper = scraperOf(engine, clock);
  const health = requests.optional('GET /health', isHealthy(scraper, { signal, maxAgeMs }));
  const { figures, timeSeconds } = await requests.require(scraper.scrape({ signal, maxAgeMs }));
  requests.answeredAt(1000 * timeSeconds);
  const syncTime = (wallMs() - requests.ageMs) / 1000;
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

async function isHealthy(scraper: Scraper, options: SharedOptions): Promise<boolean> {
  try {
    await scraper.health(options);
    return true;
  } catch (error) {
    if (isEngineError(error) && error.status === 503) return false;
    throw error;
  }
}

/** The figures of a simulated engine as a scrape of its metrics would give them, without the text between. */
import type { EngineFigures, EngineMetrics } from '../../engine/index.js';
import type { EngineCore } from '../../simulator/index.js';

export function coreFigures(core: EngineCore, processStartSeconds: number): EngineMetrics {
  const { statistics, parameters, waiting } = core;
  const { histograms } = statistics;
  const requestsByReason = { ...statistics.finished };
  const figures: EngineFigures = {
    running: core.running,
    waiting,
    waitingByReason: { capacity: waiting, deferred: 0 },
    kvUsageMean: core.kvUsage,
    kvUsageMax: core.kvUsage,
    requestsByReason,
    requestsTotal: Object.values(requestsByReason).reduce((sum, count) => sum + count, 0),
    errors: requestsByReason.error,
    promptTokens: statistics.promptTokens,
    generationTokens: statistics.generatedTokens,
    preemptions: statistics.preemptions,
    inferenceSeconds: histograms.request_inference_time_seconds.sum,
    iterationCount: histograms.iteration_tokens_total.count,
    sleeping: core.sleepLevel > 0,
    kvBlocks: { num: parameters.kvBlocks, blockSize: parameters.blockSize },
    kvTokensCapacity: parameters.kvBlocks * parameters.blockSize,
  };
  return {
    engineType: 'aphrodite',
    ...figures,
    processStartSeconds,
    engines: [{ engine: '0', ...figures, unknown: [] }],
    unknown: [],
  };
}

/** Figures of an engine for tests: those of one scrape, others at choice. */
import type { EngineFigures, EngineMetrics } from '../../src/engine/index.js';

export function figuresOf(known: Partial<EngineFigures> = {}): EngineMetrics {
  const figures: EngineFigures = {
    running: 0,
    waiting: 0,
    waitingByReason: null,
    kvUsageMean: 0,
    kvUsageMax: 0,
    requestsByReason: null,
    requestsTotal: 0,
    errors: null,
    promptTokens: 0,
    generationTokens: 0,
    preemptions: 0,
    inferenceSeconds: null,
    iterationCount: 0,
    sleeping: false,
    kvBlocks: null,
    kvTokensCapacity: 81_920,
    ...known,
  };
  return { engineType: 'aphrodite', ...figures, processStartSeconds: 0, engines: [], unknown: [] };
}

/** Hand-made scrapes for the rules of anomalies. */
import type { EngineMetrics } from '../../../src/engine/index.js';
import type { HealthRates, HealthSample } from '../../../src/monitor/anomalies/index.js';

export const figures: EngineMetrics = {
  engineType: 'vllm',
  running: 2,
  waiting: 0,
  waitingByReason: null,
  inferenceSeconds: null,
  kvUsageMean: 0.1,
  kvUsageMax: 0.1,
  requestsByReason: { stop: 10 },
  requestsTotal: 10,
  errors: 0,
  promptTokens: 1000,
  generationTokens: 500,
  preemptions: 0,
  iterationCount: 100,
  sleeping: false,
  kvBlocks: null,
  kvTokensCapacity: 1600,
  processStartSeconds: 1e9,
  engines: [],
  unknown: [],
};

export const rates: HealthRates = {
  arrivalsPerSecond: 1,
  finishesPerSecond: 1,
  promptTokensPerSecond: 1000,
  generationTokensPerSecond: 100,
  preemptionsPerSecond: 0,
  interTokenSeconds: { mean: 0.04 },
};

export const sample: HealthSample = {
  running: 2,
  waiting: 0,
  kvUsage: 0.1,
  arrivalsPerSecond: 1,
  finishesPerSecond: 1,
  promptTokensPerSecond: 1000,
  generationTokensPerSecond: 100,
  preemptionsPerSecond: 0,
  interTokenSeconds: 0.04,
};

/** A small generator of numbers in [0, 1), the same every time (Lehmer, modulus 2^31 - 1). */
export function uniforms(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (48_271 * state) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { engineMetrics, parsePrometheus } from '../../src/engine/index.js';
import { EngineSimulation, metricsText } from '../../src/simulator/index.js';

const golden = fileURLToPath(new URL('../../../shared/golden/engine-metrics.txt', import.meta.url));
const identity = { modelName: 'a "quoted\\name"', startTime: 1795379640.9 };

function busySimulation(): EngineSimulation {
  const simulation = new EngineSimulation({
    seed: 3,
    load: 1.2,
    maxModelLen: 8192,
    maxNumSeqs: 64,
    maxBatchedTokens: 2048,
    kvBlocks: 5120,
    blockSize: 16,
  });
  simulation.advanceTo(200);
  return simulation;
}

/** name -> type of every `# TYPE` line of the engine. */
function types(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^# TYPE (aphrodite:\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
}

/** Bucket bounds of each histogram, as written. */
function buckets(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, name, bound] of text.matchAll(/^(\S+)_bucket\{.*?le="([^"]+)"/gm)) {
    found.set(name!, [...(found.get(name!) ?? []), bound!]);
  }
  return found;
}

/** Series names with their label names. */
function series(text: string): Set<string> {
  const lines = [...text.matchAll(/^(aphrodite:[a-z_0-9]+)\{(.*)\}/gm)].filter(([, name]) => !name!.endsWith('_info'));
  return new Set(lines.map(([, name, labels]) => `${name} ${labels!.match(/[a-z_]+(?==")/g)!.join()}`));
}

describe('beside the metrics body of an Aphrodite engine (golden/engine-metrics.txt)', () => {
  test.skipIf(!existsSync(golden))(
    'families, types, labels and buckets equal those of the real body (skipped: no data)',
    () => {
      const real = readFileSync(golden, 'utf8');
      const simulated = metricsText(busySimulation(), { ...identity, modelName: 'm' });
      expect([...types(simulated)]).toEqual([...types(real)]);
      expect([...buckets(simulated)]).toEqual([...buckets(real)]);
      expect([...series(simulated)].sort()).toEqual([...series(real)].sort());
    },
  );
});

test('parsePrometheus reads the figures of the simulation', () => {
  const simulation = busySimulation();
  const { running, waiting, freeBlocks } = simulation;
  const { statistics } = simulation.engines[0]!;
  const figures = engineMetrics(parsePrometheus(metricsText(simulation, identity)));
  expect(waiting).toBeGreaterThan(0);
  expect(figures).toMatchObject({
    engineType: 'aphrodite',
    running,
    waiting,
    kvUsageMax: 1 - freeBlocks / 5120,
    requestsByReason: statistics.finished,
    promptTokens: statistics.promptTokens,
    generationTokens: statistics.generatedTokens,
    preemptions: statistics.preemptions,
    sleeping: false,
    kvBlocks: { num: 5120, blockSize: 16 },
    processStartSeconds: identity.startTime,
    unknown: [],
  });
});

test('a model name with quotes and backslashes is written and read unchanged', () => {
  const families = parsePrometheus(metricsText(busySimulation(), identity));
  expect(families.get('aphrodite:num_requests_running')?.samples[0]?.labels['model_name']).toBe(identity.modelName);
});

test('numbers are written as prometheus_client writes them', () => {
  const text = metricsText(busySimulation(), identity);
  expect(text).toContain('\nprocess_start_time_seconds 1.7953796409e+09\n');
  expect(text).toMatch(/^aphrodite:engine_sleep_state\{[^}]*sleep_state="awake"\} 1\.0$/m);
  expect(text).toMatch(/le="0\.025"/);
});

/** The same input on an idle host and on a loaded one: what the plan sheds, and what a pinned plan keeps. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import {
  DtesnProcessor,
  type DtesnResult,
  dtesnResultSchema,
  type ProcessorOptions,
} from '../../src/processor/index.js';
import { memoryEngine } from '../sources/memory-engine.js';

const host = vi.hoisted(() => ({ cpuPressure: 0 as number | null, runQueue: null as number | null }));
vi.mock('../../src/host/index.js', async (load) => ({
  ...(await load<typeof import('../../src/host/index.js')>()),
  pressure: () => ({ cpu: host.cpuPressure, memory: null, io: null }),
  runQueuePerCpu: () => host.runQueue,
}));

/** No request waits, so that only this host is loaded. */
const calmEngine = (answers: Partial<Engine> = {}) =>
  memoryEngine({
    metrics: async () => Buffer.from('vllm:num_requests_running 1\nvllm:num_requests_waiting 0\n'),
    ...answers,
  });

const config = { units: 64, bseriesOrder: 2, sourceDeadlineMs: 20_000 };
const input = { tokens: Array.from({ length: 40 }, (_, i) => (7 * i) % 300) };
const open: DtesnProcessor[] = [];
afterEach(async () => {
  for (const processor of open.splice(0)) await processor.close();
});

async function resultAt(load: { cpuPressure: number | null; runQueue?: number }, options: ProcessorOptions = {}) {
  Object.assign(host, { runQueue: null, ...load });
  const processor = await DtesnProcessor.create({ engine: calmEngine(), config, ...options });
  open.push(processor);
  return processor.process(input);
}
const idle = { cpuPressure: 0.01 };
const loaded = { cpuPressure: 0.97 };
const activeOf = ({ membranes }: DtesnResult) => membranes.filter(({ active }) => active).length;

test('features of a membrane that is switched off are null, and those of the others are numbers', async () => {
  const result = await resultAt(loaded);
  expect(activeOf(result)).toBe(2);
  expect(dtesnResultSchema.parse(JSON.parse(JSON.stringify(result)))).toBeDefined();
  const known = result.membranes.flatMap(({ active, units }) => Array<boolean>(units).fill(active));
  const { endState, meanState, differentials } = result.features;
  expect(endState.map((x) => x !== null)).toEqual(known);
  expect(meanState.map((x) => x !== null)).toEqual(known);
  expect(known).toContain(false);
  expect(endState.filter((x) => x === 0)).toEqual([]);
  expect(differentials[0]).toBeGreaterThan(0);
  expect(result.membranes.map(({ active, activity }) => (activity === null) === !active)).not.toContain(false);
});

test('an idle host computes every membrane', async () => {
  const result = await resultAt(idle);
  expect(activeOf(result)).toBe(8);
  expect(result.features.endState).not.toContain(null);
});

test.each<[string, { cpuPressure: number | null; runQueue?: number }, number]>([
  ['half of the time some task waited', { cpuPressure: 0.5 }, 4],
  ['nearly all the time', { cpuPressure: 0.9 }, 2],
  ['no pressure, though the queue is long', { cpuPressure: 0.1, runQueue: 5 }, 8],
  ['one task a CPU, where pressure is unknown', { cpuPressure: null, runQueue: 1 }, 4],
  ['two tasks a CPU, where pressure is unknown', { cpuPressure: null, runQueue: 2 }, 2],
  ['nothing known', { cpuPressure: null }, 8],
])('membranes by %s', async (_, load, active) => {
  expect(activeOf(await resultAt(load))).toBe(active);
});

test.each<[string, ProcessorOptions['plan'] & {}, number]>([
  ['fixed', 'fixed', 8],
  ['pinned', { threads: 1, membranes: 4, standardise: true }, 4],
])('a plan that is %s gives the same features on a loaded host as on an idle one', async (_, plan, active) => {
  const [calm, busy] = [await resultAt(idle, { plan }), await resultAt(loaded, { plan })];
  expect(busy.context.aggregation.optimization_hints.high_load_detected).toBe(true);
  expect([activeOf(calm), activeOf(busy)]).toEqual([active, active]);
  expect(busy.features).toEqual(calm.features);
  expect(busy.execution.threads).toBe(calm.execution.threads);
  const pinned = busy.applied.filter(({ transformation }) => transformation === 'pinned');
  expect(pinned.map(({ effect }) => effect?.after)).toEqual([busy.execution.threads, active]);
});

test('a pinned standardisation holds whatever the engine says', async () => {
  const away = async () => Promise.reject(new Error('away'));
  const sick = calmEngine({ health: away, metrics: away, models: away, tokenize: away });
  const plan = { membranes: 'all', standardise: true } as const;
  const [well, ill] = [await resultAt(idle, { plan }), await resultAt(loaded, { plan, engine: sick })];
  const isOn = ({ context }: DtesnResult) => context.processing_pipelines.high_quality_optimizations;
  expect(isOn(ill)).toMatchObject({ enabled: true, reason: 'pinned to true by the option plan' });
  expect(ill.features.endState).toEqual(well.features.endState);
  const off = await resultAt(idle, { plan: { standardise: false } });
  expect(isOn(off).enabled).toBe(false);
});

test('the pins hold in a context that was made by another plan', async () => {
  Object.assign(host, loaded);
  const adaptive = await DtesnProcessor.create({ engine: calmEngine(), config });
  open.push(adaptive);
  const context = await adaptive.fetchComprehensiveEngineContext();
  expect(activeOf(await adaptive.process(input, { context }))).toBe(2);
  const fixed = await DtesnProcessor.create({ engine: calmEngine(), config, plan: { membranes: 'all' } });
  open.push(fixed);
  expect(activeOf(await fixed.process(input, { context }))).toBe(8);
});

test.each<[unknown, RegExp]>([
  [{ membranes: 9 }, /at most the 8 membranes of the model for plan\.membranes/],
  [{ membranes: 0 }, /a whole number, 1 or more, or 'all' for membranes/],
  [{ membrane: 2 }, /did you mean membranes/],
  [{ standardise: 1 }, /true or false for standardise/],
  ['loose', /'adaptive', 'fixed' or an object/],
])('the plan %j is refused', async (plan, message) => {
  await expect(DtesnProcessor.create({ engine: null, config, plan: plan as never })).rejects.toThrow(message);
});

test('sources handed to the processor are judged by the history that process() uses', async () => {
  Object.assign(host, idle);
  const processor = await DtesnProcessor.create({ engine: calmEngine(), config });
  open.push(processor);
  const { sources } = await processor.fetchMultiSourceData();
  const later = (seconds: number, waiting: number) => ({
    ...sources,
    performance: {
      ...sources.performance,
      fetch_timestamp: sources.performance.fetch_timestamp + seconds,
      age_ms: -1000 * seconds,
      running: 50,
      waiting,
    },
  });
  const isHigh = (seconds: number, waiting: number) =>
    processor.aggregateMultiSourceData(later(seconds, waiting)).optimization_hints.high_load_detected;
  expect(isHigh(1, 3)).toBe(true);
  for (let second = 2; second < 2000; second++) isHigh(second, second % 4);
  isHigh(2000, 0);
  expect(isHigh(2001, 3)).toBe(false);
  const { flag_reasons, transformation_pipelines } = processor.createDataProcessingPipelines(later(2002, 40));
  expect(flag_reasons['enable_caching']).toMatch(/^true/);
  const shed = transformation_pipelines.at(-1)!.steps.at(-1)!;
  expect(shed.parameters).toEqual({ active_membranes: 4 });
});

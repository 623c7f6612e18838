/** States told over simulated traffic, a second of virtual time between two observations: no false alarm, no late one. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { AphroditeEngine } from '../../src/engine/index.js';
import { type EngineState, EngineStateTracker, observeEngine } from '../../src/monitor/index.js';
import { EngineSimulator, type EngineSimulatorOptions } from '../../src/simulator/index.js';

const never = new AbortController().signal;

/** Observes every second of virtual time and calls `each` with the state that was told. */
async function replay(
  options: EngineSimulatorOptions,
  seconds: number,
  each: (state: EngineState, time: number, simulator: EngineSimulator) => void | Promise<void>,
): Promise<EngineStateTracker> {
  const simulator = await EngineSimulator.start({ ...options, speed: 0 });
  const engine = new AphroditeEngine(simulator.url, { timeoutMs: 20_000 });
  const tracker = new EngineStateTracker(3.5);
  try {
    for (let time = 1; time <= seconds; time++) {
      await simulator.advanceTo(time);
      await each(tracker.observe({ time, ...(await observeEngine(engine, never)) }), time, simulator);
    }
    return tracker;
  } finally {
    await engine.close();
    await simulator.close();
  }
}

const healthy = ['ready', 'busy', 'saturated'];

const trace = (name: string) =>
  fileURLToPath(new URL(`../../../shared/data/azure-llm-2023-${name}.csv`, import.meta.url));

describe('the Azure traces at a load that is served raise no false alarm (skipped: no data)', () => {
  test.skipIf(!existsSync(trace('conv'))).each([
    ['conv', 4, 3502],
    ['code', 2, 3436],
  ])('%s on %i engines, %i seconds', { timeout: 300_000, tags: ['slow'] }, async (name, engines, seconds) => {
    const alarms: string[] = [];
    const options = { trace: trace(name), engines, seed: 1 };
    const { restarts } = await replay(options, seconds, ({ name: told, evidence }, time) => {
      if (!healthy.includes(told)) alarms.push(`${time} s: ${told} (${evidence.join(', ')})`);
    });
    expect(alarms).toEqual([]);
    expect(restarts).toBe(0);
  });
});

describe('a fault at 47 s', () => toldOfFaults(47));
describe.each([31, 58, 66, 73, 89])('a fault at %i s', { tags: ['slow'] }, toldOfFaults);

function toldOfFaults(at: number): void {
  const told = async (fault: 'hang' | 'crash' | 'sleep' | 'scaling', name: string) => {
    let first = Number.POSITIVE_INFINITY;
    const tracker = await replay({ load: 0.7, seed: at }, at + 12, async (state, time, simulator) => {
      if (time === at) await simulator.inject({ kind: fault });
      else if (time > at && state.name === name) first = Math.min(first, time);
    });
    expect(tracker.state.name).toBe(name);
    return first - at;
  };

  test('a hang is reported within 5 s', async () => {
    expect(await told('hang', 'hung')).toBeLessThanOrEqual(5);
  });

  test('a crash is reported within 2 s', async () => {
    expect(await told('crash', 'dead')).toBeLessThanOrEqual(2);
  });

  test('sleep and scaling are reported at the next observation', async () => {
    expect(await told('sleep', 'sleeping')).toBe(1);
    expect(await told('scaling', 'scaling')).toBe(1);
  });

  test('a restart is reported once, without an alarm after it', async () => {
    const names: string[] = [];
    const tracker = await replay({ load: 0.7, seed: at }, at + 20, async (state, time, simulator) => {
      if (time === at) await simulator.inject({ kind: 'restart' });
      names.push(state.name);
    });
    expect(tracker.restarts).toBe(1);
    expect(names.slice(at + 10).every((name) => healthy.includes(name))).toBe(true);
  });
}

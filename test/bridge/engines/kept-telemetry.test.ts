/** Telemetry of a bridge's engines over its restarts. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/abort/index.js';
import { EngineSet, EventLog, KeptTelemetry } from '../../../src/bridge/engines/index.js';
import type { Logger } from '../../../src/bridge/logs/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { TelemetryRing } from '../../../src/engine/index.js';
import { EmbeddedEngine } from '../../../src/simulator/index.js';
import { ManualClock } from '../../manual-clock.js';

let dir: string;
let warnings: string[];
const log = {
  debug() {},
  info() {},
  warn: (message: string) => warnings.push(message),
  error() {},
} as unknown as Logger;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'dtesn-telemetry-'));
  warnings = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = () => KeptTelemetry.open({ dir, clock: systemClock, log });

async function watched(engine: EmbeddedEngine, samples: number, body: (engines: EngineSet) => void): Promise<void> {
  const metrics = new MetricsRegistry();
  const engines = await EngineSet.start({
    engines: [{ engine, name: 'e' }],
    events: new EventLog({ metrics }),
    log,
    metrics,
    monitor: { intervalMs: 20 },
    telemetry: await open(),
  });
  try {
    await expect.poll(() => engines.history('e').time.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(samples);
    body(engines);
  } finally {
    await engines.close();
  }
}

test('figures over time go on after a restart of the bridge', async () => {
  const engine = await EmbeddedEngine.start();
  try {
    let before: number[] = [];
    await watched(engine, 3, (engines) => {
      before = engines.history('e').time;
    });
    expect(readdirSync(dir)).toEqual(['telemetry']);
    expect(statSync(path.join(dir, 'telemetry')).mode & 0o777).toBe(0o600);
    await watched(engine, before.length + 1, (engines) => {
      const { time, running } = engines.history('e');
      expect(time.slice(0, before.length)).toEqual(before);
      expect(running).toHaveLength(time.length);
    });
    expect(warnings).toEqual([]);
  } finally {
    await engine.close();
  }
});

test('it is written every five minutes, and what is kept is given once', async () => {
  const clock = new ManualClock();
  const kept = await KeptTelemetry.open({ dir, clock, log });
  kept.start(
    () =>
      new Map([
        ['a', Uint8Array.of(1, 2, 3)],
        ['ü', Uint8Array.of()],
      ]),
  );
  await clock.pass(299_999);
  await kept.close();
  expect(readdirSync(dir)).toEqual([]);
  kept.start(
    () =>
      new Map([
        ['a', Uint8Array.of(1, 2, 3)],
        ['ü', Uint8Array.of()],
      ]),
  );
  await clock.pass(300_001);
  await kept.close();
  const again = await open();
  expect(again.take('a')).toEqual(Buffer.from([1, 2, 3]));
  expect(again.take('a')).toBeNull();
  expect(again.take('ü')).toHaveLength(0);
  expect(again.take('b')).toBeNull();
});

test('a damaged file begins again with a line of the log, and one that cannot be written is one too', async () => {
  const file = path.join(dir, 'telemetry');
  await (await open()).save(new Map([['a', Uint8Array.of(1, 2, 3)]]));
  const whole = readFileSync(file);
  for (const damaged of [whole.subarray(0, -1), Buffer.alloc(2), Buffer.from('nonsense that is long enough')]) {
    writeFileSync(file, damaged);
    expect((await open()).take('a')).toBeNull();
  }
  expect(warnings).toEqual(Array(3).fill('kept telemetry is damaged: it begins again'));
  rmSync(dir, { recursive: true });
  await (await open()).save(new Map());
  expect(warnings.at(-1)).toBe('telemetry cannot be kept');
});

test('an engine whose bytes are damaged, or of a time that is still to come, begins with no figures', async () => {
  const engine = await EmbeddedEngine.start();
  try {
    const future = new TelemetryRing();
    future.add(Date.now() / 1000 + 3600, null, null);
    for (const bytes of [Uint8Array.of(1, 2, 3), future.snapshot()]) {
      await (await open()).save(new Map([['e', bytes]]));
      await watched(engine, 2, (engines) => {
        expect(engines.history('e').time[0]).toBeLessThanOrEqual(Date.now() / 1000);
      });
    }
  } finally {
    await engine.close();
  }
});

test('a save keeps what was kept of engines that were not seen yet', async () => {
  await (await open()).save(new Map([['a', Uint8Array.of(1)]]));
  await (await open()).save(new Map([['b', Uint8Array.of(2)]]));
  const again = await open();
  expect([again.take('a'), again.take('b')]).toEqual([Buffer.from([1]), Buffer.from([2])]);
});

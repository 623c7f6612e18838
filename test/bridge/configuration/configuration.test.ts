/** Changes, rollbacks and reloads, with an effect that the test decides. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/abort/index.js';
import { Configuration, startConfiguration } from '../../../src/bridge/configuration/index.js';
import { POLL_MS } from '../../../src/bridge/files/index.js';
import { BridgeError } from '../../../src/bridge/messages/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { ManualClock } from '../../manual-clock.js';
import { RecordingLogger } from '../life/recording-logger.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

interface Effects {
  fail?: Error;
}

function running(given: { flags?: object; environment?: NodeJS.ProcessEnv; file?: object; clock?: Clock } = {}) {
  const file = given.file === undefined ? undefined : path.join(folder, `${++files}.json`);
  const write = (value: unknown) => writeFileSync(file!, typeof value === 'string' ? value : JSON.stringify(value));
  if (given.file !== undefined) write(given.file);
  const start = startConfiguration({ flags: given.flags ?? {}, environment: given.environment ?? {}, path: file });
  const applied: (readonly string[])[] = [];
  let attempts = 0;
  const told: (readonly string[])[] = [];
  const effects: Effects = {};
  const metrics = new MetricsRegistry();
  const log = new RecordingLogger();
  const configuration = new Configuration({
    start: start.resolved,
    file: start.file,
    apply: async (_, fields) => {
      attempts += 1;
      if (effects.fail !== undefined) throw effects.fail;
      applied.push(fields);
    },
    changed: ({ changed }) => told.push(changed),
    log,
    metrics,
    clock: given.clock,
  });
  const gauge = () => metrics.gauge('dtesn_config_last_reload_successful', help).value();
  return { configuration, applied, attempts: () => attempts, told, effects, write, gauge, lines: log.lines };
}
const help = 'Whether the configuration was taken when it was last read: 1, or 0 where it was refused.';

describe('a change', () => {
  test('takes many fields at once, each with the origin http, over flags and environment', async () => {
    const { configuration, applied, told } = running({ environment: { DTESN_UNITS: '64' }, flags: {} });
    const { changed, config, origins, version } = await configuration.change({
      changes: { 'network.units': 256, 'sessions.maxSessions': 5 },
    });
    expect([...changed]).toEqual(['network.units', 'sessions.maxSessions']);
    expect(config).toMatchObject({ network: { units: 256 }, sessions: { maxSessions: 5 } });
    expect(origins).toMatchObject({ 'network.units': 'http', 'network.depth': 'default' });
    expect(configuration.version).toBe(version);
    expect(applied).toEqual([['network.units', 'sessions.maxSessions']]);
    expect(told).toEqual([['network.units', 'sessions.maxSessions']]);
  });

  test.each([
    [
      { 'network.units': 256, 'network.dept': 3 },
      'unknown_field',
      /network\.dept: unknown field; did you mean network\.depth/,
    ],
    [{ 'network.units': 256, 'network.depth': 0 }, 'malformed', /network\.depth/],
    [{ 'network.units': 256, 'processing.batchWaitMs': '1' }, 'malformed', /batchWaitMs/],
    [{ 'network.units': 96 }, 'impossible', /at least 32 units a level, 128 for a depth of 4, but received 96/],
    [{ 'network.depth': 8, 'network.units': 255 }, 'impossible', /256 for a depth of 8/],
    [{ 'sessions.maxSessions': 2, listen: ['0.0.0.0:1'] }, 'impossible', /listen: .* never over HTTP/],
    [{ engines: ['http://evil'] }, 'impossible', /never over HTTP/],
    [{ 'sessions.checkpointMs': 5 }, 'impossible', /at the start/],
    [{ adminTokenFile: '/etc/passwd' }, 'impossible', /never over HTTP/],
    [{ 'networks.a': { file: '/etc/passwd' } }, 'impossible', /files are named by the configuration file/],
    [{ networks: { a: {} } }, 'unknown_field', /networks: unknown field; a network is named: networks\.NAME/],
    [{ network: { seed: 3 } }, 'unknown_field', /network: unknown field; a field of it is named: network\.depth/],
    [{ network: { units: 2048 } }, 'unknown_field', /network/],
  ])('%j is refused whole', async (changes, code, message) => {
    const { configuration, applied, told } = running();
    const before = configuration.show();
    expect(configuration.validate(changes)).toMatchObject({ valid: false, changes: [] });
    const refused = configuration.change({ changes });
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(configuration.show()).toEqual(before);
    expect([applied, told]).toEqual([[], []]);
  });

  test('whose effect fails has changed nothing, and the error says why', async () => {
    const { configuration, effects, told } = running();
    const before = configuration.show();
    effects.fail = Object.assign(new RangeError('Expected less'), { code: 'ERR_DTESN_ARGUMENT' });
    const refused = configuration.change({ changes: { 'network.units': 256 } });
    await expect(refused).rejects.toMatchObject({ code: 'impossible', message: 'Nothing was changed: Expected less' });
    effects.fail = new BridgeError('memory', 'full');
    await expect(configuration.change({ changes: { 'network.units': 256 } })).rejects.toMatchObject({ code: 'memory' });
    expect(configuration.show()).toEqual(before);
    expect([configuration.snapshots.length, told.length]).toEqual([1, 0]);
  });

  test('with null takes back what HTTP set', async () => {
    const { configuration } = running({ file: { sessions: { maxSessions: 3 } } });
    await configuration.change({ changes: { 'sessions.maxSessions': 4 } });
    const { config, origins } = await configuration.change({ changes: { 'sessions.maxSessions': null } });
    expect(config).toMatchObject({ sessions: { maxSessions: 3 } });
    expect(origins['sessions.maxSessions']).toBe('file');
    await configuration.close();
  });

  test('with another version in If-Match is refused, and of two with the same one is taken', async () => {
    const { configuration } = running();
    const ifMatch = `"${configuration.version}"`;
    const both = await Promise.allSettled([
      configuration.change({ changes: { 'sessions.maxSessions': 5 }, ifMatch }),
      configuration.change({ changes: { 'sessions.maxSessions': 6 }, ifMatch }),
    ]);
    expect(both).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'precondition_failed', status: 412 } }]);
    expect(configuration.current.sessions.maxSessions).toBe(5);
    await configuration.change({ changes: { 'sessions.maxSessions': 7 }, ifMatch: '*' });
    expect(configuration.current.sessions.maxSessions).toBe(7);
  });

  test('that is validated shows what it would do and does nothing', async () => {
    const { configuration, applied } = running();
    const changes = { 'network.units': 2048, 'network.depth': 4 };
    expect(configuration.validate(changes)).toEqual({
      valid: true,
      errors: [],
      changes: [{ field: 'network.units', from: 1024, to: 2048 }],
    });
    expect([configuration.current.network.units, applied]).toEqual([1024, []]);
  });
});

describe('snapshots', () => {
  test('are the last 50, the newest first, each with what changed and what differs now', async () => {
    const { configuration } = running();
    for (let count = 1; count <= 60; count++) {
      await configuration.change({ changes: { 'sessions.maxSessions': count }, description: `${count}` });
    }
    expect(configuration.snapshots.map(({ description }) => Number(description))).toEqual(
      Array.from({ length: 50 }, (_, i) => 60 - i),
    );
    const { values, difference } = configuration.snapshot(configuration.snapshots[10]!.id);
    expect(values).toMatchObject({ sessions: { maxSessions: 50 } });
    expect(difference).toEqual([{ field: 'sessions.maxSessions', from: 50, to: 60 }]);
  });

  test('come back by a rollback, which is a change by itself and can be undone', async () => {
    const { configuration } = running();
    const first = configuration.version;
    const definition = { kind: 'Reservoir', options: { units: 8, inputs: 1 } };
    await configuration.change({ changes: { 'network.seed': 3, 'networks.a': definition } });
    const second = configuration.version;
    await configuration.rollback({ id: first });
    expect(configuration.current).toMatchObject({ network: { seed: 0 }, networks: {} });
    expect(configuration.snapshots[0]).toMatchObject({ origin: 'rollback', description: `back to ${first}` });
    await configuration.rollback({ id: second, description: 'undo' });
    expect(configuration.current).toMatchObject({ network: { seed: 3 }, networks: { a: definition } });
    await expect(configuration.rollback({ id: 'other-1' })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('do not take away a network that the file names now', async () => {
    const { configuration, write } = running({ file: {} });
    const first = configuration.version;
    write({ networks: { a: { kind: 'Nvar', options: {} } } });
    await configuration.reload();
    await expect(configuration.rollback({ id: first })).rejects.toMatchObject({
      code: 'impossible',
      message: expect.stringMatching(/networks\.a/),
    });
    await configuration.close();
  });
});

describe('a reload', () => {
  test('wins for the fields that the file names, over HTTP, and loses to the environment', async () => {
    const { configuration, write } = running({
      file: { sessions: { maxSessions: 10 } },
      environment: { DTESN_BRIDGE_SESSIONS_IDLE_MS: '5000' },
    });
    await configuration.change({ changes: { 'sessions.maxSessions': 20, 'network.seed': 4, 'sessions.idleMs': 6000 } });
    write({ sessions: { maxSessions: 30, idleMs: 7000 } });
    await configuration.reload();
    const { config, origins } = configuration.show();
    expect(config).toMatchObject({ sessions: { maxSessions: 30, idleMs: 5000 }, network: { seed: 4 } });
    expect(origins).toMatchObject({
      'sessions.maxSessions': 'file',
      'sessions.idleMs': 'environment',
      'network.seed': 'http',
    });
    expect(configuration.snapshots[0]).toMatchObject({ origin: 'file' });
    await configuration.close();
  });

  test('of a bad file changes nothing and shows in the gauge until a good one comes', async () => {
    const { configuration, write, gauge, lines, effects } = running({ file: { sessions: { maxSessions: 10 } } });
    const before = configuration.show();
    for (const bad of [
      '{',
      { sessions: { maxSessions: 11, idle: 3 } },
      { network: { units: 64 }, sessions: { maxSessions: 12 } },
    ]) {
      write(bad);
      await expect(configuration.reload()).rejects.toThrow(/cannot be taken/);
      expect([gauge(), configuration.show()]).toEqual([0, before]);
    }
    effects.fail = new BridgeError('impossible', 'too many networks');
    write({ network: { units: 4096 } });
    await expect(configuration.reload()).rejects.toThrow('too many networks');
    expect([gauge(), configuration.show()]).toEqual([0, before]);
    expect(lines.filter(([level]) => level === 'error')).toHaveLength(4);
    delete effects.fail;
    write({ sessions: { maxSessions: 11 } });
    await configuration.reload();
    expect([gauge(), configuration.current.sessions.maxSessions]).toEqual([1, 11]);
    await configuration.close();
  });

  test('tries a file whose network cannot be built once, and again when the file changes', async () => {
    const clock = new ManualClock();
    const { configuration, attempts, write, effects } = running({ file: {}, clock });
    effects.fail = Object.assign(new RangeError('Expected fewer units'), { code: 'ERR_DTESN_ARGUMENT' });
    write({ network: { units: 4096 } });
    await clock.pass(5 * POLL_MS);
    expect(attempts()).toBe(1);
    delete effects.fail;
    write({ network: { units: 2048 } });
    await clock.pass(5 * POLL_MS);
    expect([attempts(), configuration.current.network.units]).toEqual([2, 2048]);
    await configuration.close();
  });

  test('names fields that hold after a restart and takes the others', async () => {
    const { configuration, write, applied } = running({ file: { settleMs: 10 } });
    write({ settleMs: 20, listen: ['127.0.0.1:9'], sessions: { checkpointMs: 9, maxSessions: 8 } });
    await configuration.reload();
    const { restartNeeded, config } = configuration.show();
    expect([...restartNeeded].sort()).toEqual(['listen', 'sessions.checkpointMs', 'settleMs']);
    expect(config).toMatchObject({ settleMs: 10, sessions: { checkpointMs: 250, maxSessions: 8 } });
    expect(applied).toEqual([['sessions.maxSessions']]);
    write({ settleMs: 10 });
    await configuration.reload();
    expect(configuration.show().restartNeeded).toEqual([]);
    await configuration.close();
  });

  test('reads the files of networks again though their names are the same', async () => {
    const { configuration, applied } = running({ file: { networks: { a: { file: 'a.json' } } } });
    await configuration.reload();
    expect(applied).toEqual([['networks.a']]);
    expect(configuration.snapshots).toHaveLength(1);
    await configuration.close();
  });
});

test('after the end a change is refused', async () => {
  const { configuration } = running();
  await configuration.close();
  await expect(configuration.change({ changes: { 'network.seed': 1 } })).rejects.toMatchObject({ code: 'draining' });
});

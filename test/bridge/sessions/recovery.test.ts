/** Sessions over restarts on a real state directory: what survives, to the bit. */
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { type NetworkDefinition, treeDefinition } from '../../../src/bridge/sessions/index.js';
import { folder, lists, networksOf, rowsOf, start, tree } from './fixtures.js';

const other = treeDefinition({ depth: 2, units: 12, inputs: 3, seed: 1 });
const SHORT = { checkpointMs: 1 };

/** The outputs of rows [from, from + count) in a session that was never disturbed. */
async function undisturbed(from: number, count: number, seed = 0): Promise<number[][]> {
  const service = await start();
  await service.create({ id: 'u' });
  const { outputs } = await service.steps('u', { from: 0, rows: rowsOf(0, from + count, seed) });
  return lists(outputs).slice(from);
}

describe('durable', () => {
  test('a creation is on disk when it is answered', async () => {
    const stateDir = folder();
    const first = await start({ stateDir, checkpointMs: 60_000 });
    const { session } = await first.create({ id: 'a' });
    const before = existsSync(stateDir) ? readdirSync(stateDir).length : 0;
    expect(before).toBeGreaterThan(0);
    await first.close();
    const second = await start({ stateDir });
    expect(second.describe('a')).toMatchObject({ epoch: session.epoch, offset: 0, durable: 0, exact: true });
  });

  test('stands below the offset until the next commit; ack: durable answers after it', async () => {
    const service = await start({ stateDir: folder(), checkpointMs: 60_000 });
    await service.create({ id: 'a' });
    const soon = await service.steps('a', { from: 0, rows: rowsOf(0, 5) });
    expect(soon).toMatchObject({ offset: 5, durable: 0 });
    expect(soon.durability).toBeUndefined();
    const later = await service.steps('a', { from: 5, rows: rowsOf(5, 5), ack: 'durable' });
    expect(later).toMatchObject({ offset: 10, durable: 10 });
    expect(service.describe('a')).toMatchObject({ offset: 10, durable: 10 });
  });

  test('drain commits what is left', async () => {
    const service = await start({ stateDir: folder(), checkpointMs: 60_000 });
    await service.create({ id: 'a' });
    await service.steps('a', { from: 0, rows: rowsOf(0, 5) });
    await service.drain();
    expect(service.describe('a').durable).toBe(5);
  });
});

describe('a restart', () => {
  test('has offset = durable, and goes on to the bit of an undisturbed run', async () => {
    const stateDir = folder();
    const first = await start({ stateDir, ...SHORT });
    const ids = Array.from({ length: 6 }, (_, i) => `s${i}`);
    for (const id of ids) await first.create({ id });
    for (let at = 0; at < 60; at += 20) {
      await Promise.all(ids.map((id, seed) => first.steps(id, { from: at, rows: rowsOf(at, 20, seed) })));
    }
    await first.close();
    const second = await start({ stateDir, ...SHORT });
    for (const [seed, id] of ids.entries()) {
      expect(second.describe(id)).toMatchObject({ offset: 60, durable: 60, exact: true });
      const { outputs } = await second.steps(id, { from: 60, rows: rowsOf(60, 5, seed) });
      expect(lists(outputs)).toEqual(await undisturbed(60, 5, seed));
    }
  });

  test('a retry across it skips what was applied and has outputs from the first new row on', async () => {
    const stateDir = folder();
    const first = await start({ stateDir });
    await first.create({ id: 'a' });
    await first.steps('a', { from: 0, rows: rowsOf(0, 8) });
    await first.close();
    const second = await start({ stateDir });
    const { outputsFrom, outputs, offset } = await second.steps('a', { from: 4, rows: rowsOf(4, 8) });
    expect({ outputsFrom, offset }).toEqual({ outputsFrom: 8, offset: 12 });
    expect(lists(outputs)).toEqual(await undisturbed(8, 4));
  });

  test('keeps the columns of a session, and the POST of its id answers where it stands', async () => {
    const stateDir = folder();
    const first = await start({ stateDir });
    const { session } = await first.create({ id: 'a', outputs: [3, 1] });
    await first.steps('a', { from: 0, rows: rowsOf(0, 8) });
    await first.close();
    const second = await start({ stateDir });
    const again = await second.create({ id: 'a', outputs: [3, 1] });
    expect(again).toMatchObject({ created: false, session: { epoch: session.epoch, offset: 8, durable: 8 } });
    const { outputs } = await second.steps('a', { from: 8, rows: rowsOf(8, 1) });
    expect(lists(outputs)).toEqual((await undisturbed(8, 1)).map((row) => [row[3], row[1]]));
  });

  test('a deleted session stays gone', async () => {
    const stateDir = folder();
    const first = await start({ stateDir });
    await first.create({ id: 'a' });
    await first.remove('a');
    await first.close();
    const second = await start({ stateDir });
    expect(() => second.describe('a')).toThrow(expect.objectContaining({ code: 'session_gone' }));
    expect((await second.create({ id: 'a' })).created).toBe(true);
  });

  test('rebuilds the network of a session that the configuration names no more', async () => {
    const stateDir = folder();
    const first = await start({ stateDir });
    await first.create({ id: 'a' });
    await first.steps('a', { from: 0, rows: rowsOf(0, 8) });
    await first.close();
    const second = await start({ stateDir, definitions: { default: other } });
    const { outputs } = await second.steps('a', { from: 8, rows: rowsOf(8, 2) });
    expect(lists(outputs)).toEqual(await undisturbed(8, 2));
  });

  test('without room for its network a session is network_changed, and comes back when there is room', async () => {
    const stateDir = folder();
    const metrics = new MetricsRegistry();
    const first = await start({ stateDir });
    await first.create({ id: 'a' });
    await first.steps('a', { from: 0, rows: rowsOf(0, 8) });
    await first.close();
    const second = await start({ stateDir, definitions: { default: other }, maxNetworks: 1, metrics });
    const changed = expect.objectContaining({ code: 'network_changed' });
    await expect(second.steps('a', { from: 8, rows: rowsOf(8, 1) })).rejects.toEqual(changed);
    await expect(second.create({ id: 'a' })).rejects.toEqual(changed);
    expect(() => second.describe('a')).toThrow(changed);
    expect(second.list().items).toMatchObject([{ id: 'a', offset: 8, blocked: 'network_changed' }]);
    expect(metrics.text()).toContain('dtesn_recovery_sessions{result="network_changed"} 1');
    await second.close();
    const third = await start({ stateDir });
    const { outputs } = await third.steps('a', { from: 8, rows: rowsOf(8, 2) });
    expect(lists(outputs)).toEqual(await undisturbed(8, 2));
  });

  test('by another version or instruction set is told by exact: false, also after a third start', async () => {
    const stateDir = folder();
    const first = await start({ stateDir, build: '0.1.0 avx2' });
    await first.create({ id: 'a' });
    expect(first.describe('a').exact).toBe(true);
    await first.close();
    const second = await start({ stateDir, build: '0.1.1 avx2' });
    expect(second.describe('a').exact).toBe(false);
    await second.create({ id: 'b' });
    expect(second.describe('b').exact).toBe(true);
  });
});

test.each<[string, NetworkDefinition]>([
  ['a reservoir in f64', { kind: 'Reservoir', options: { units: 20, inputs: 3, seed: 3, dtype: 'f64', leak: 0.4 } }],
  ['delays and their products', { kind: 'Nvar', options: { inputs: 3, delay: 3, dtype: 'f64' } }],
])('sessions of another kind of network go on to the bit: %s', async (_kind, definition) => {
  const stateDir = folder();
  const definitions = { default: definition };
  const first = await start({ stateDir, definitions });
  await first.create({ id: 'a', targets: { outputs: 1, ridge: 1 } });
  await first.create({ id: 'b' });
  await first.create({ id: 'whole' });
  const { outputs } = await first.steps('whole', { from: 0, rows: rowsOf(0, 25) });
  await first.steps('b', { from: 0, rows: rowsOf(0, 20) });
  await first.steps('a', { from: 0, rows: rowsOf(0, 20), targets: rowsOf(0, 20, 0, 1) });
  const { weights } = await first.readout('a');
  await first.close();
  const second = await start({ stateDir, definitions });
  const rest = await second.steps('b', { from: 20, rows: rowsOf(20, 5) });
  expect(lists(rest.outputs)).toEqual(lists(outputs).slice(20));
  const { network } = (await networksOf(definitions))[0]!;
  const plain = network.run(rowsOf(0, 25));
  network.close();
  for (const [i, value] of outputs.data.entries()) expect(value).toBeCloseTo(plain.data[i]!, 10);
  expect((await second.readout('a')).weights).toEqual(weights);
});

test('a configuration change while sessions run changes none of their bits over a restart', async () => {
  const stateDir = folder();
  const first = await start({ stateDir });
  await first.create({ id: 'a' });
  await first.steps('a', { from: 0, rows: rowsOf(0, 8) });
  first.replaceNetworks(await networksOf({ default: other }));
  await first.create({ id: 'b' });
  await first.steps('a', { from: 8, rows: rowsOf(8, 8) });
  await first.close();
  const second = await start({ stateDir, definitions: { default: tree } });
  expect(second.describe('b').fingerprint).not.toBe(second.describe('a').fingerprint);
  const { outputs } = await second.steps('a', { from: 16, rows: rowsOf(16, 2) });
  expect(lists(outputs)).toEqual(await undisturbed(16, 2));
});

test('a session whose network is not there can be deleted', async () => {
  const stateDir = folder();
  const first = await start({ stateDir });
  await first.create({ id: 'a' });
  await first.close();
  const second = await start({ stateDir, definitions: { default: other }, maxNetworks: 1 });
  await second.remove('a');
  expect((await second.create({ id: 'a' })).created).toBe(true);
  expect(second.describe('a').inputs).toBe(3);
});

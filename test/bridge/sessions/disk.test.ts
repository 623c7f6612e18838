/** Sessions on a disk that fails, is killed or loses power, and while the journal is compacted. */
import { expect, test, vi } from 'vitest';
import { silentLogger } from '../../../src/bridge/logs/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { SessionService, treeDefinition } from '../../../src/bridge/sessions/index.js';
import { RecursiveLeastSquares } from '../../../src/readout/index.js';
import { StreamPool } from '../../../src/streams/index.js';
import { MemoryFiles } from '../journal/memory-files.js';
import { lists, networksOf, rowsOf, type StartOptions, start, tree } from './fixtures.js';

const other = treeDefinition({ depth: 2, units: 12, inputs: 3, seed: 1 });
const targets = { outputs: 1, ridge: 1e-3 };
const targetsOf = (from: number, count: number) => rowsOf(from + 1, count).map((row) => [row[0]!]);

async function startOn(files: MemoryFiles, { definitions = { default: tree }, ...options }: StartOptions = {}) {
  const networks = await networksOf(definitions);
  const rest = { stateDir: '/state', checkpointMs: 1, log: silentLogger, metrics: new MetricsRegistry(), ...options };
  return SessionService.start({ ...rest, networks }, files);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((turn) => setTimeout(turn, 2));
}

async function undisturbed(total: number, seed: number) {
  const service = await start();
  await service.create({ id: 'u' });
  await service.create({ id: 'l', targets });
  const { outputs } = await service.steps('u', { from: 0, rows: rowsOf(0, total, seed) });
  await service.steps('l', { from: 0, rows: rowsOf(0, total, seed), targets: targetsOf(0, total) });
  const { weights, error, persistence } = await service.readout('l');
  return { states: lists(outputs), weights, error, persistence };
}

test('while the disk fails sessions go on, degraded; ack and creation get storage; it recovers by itself', async () => {
  const files = new MemoryFiles();
  const service = await startOn(files);
  await service.create({ id: 'a' });
  await service.steps('a', { from: 0, rows: rowsOf(0, 5), ack: 'durable' });
  let isBroken = true;
  files.fault = (operation) => {
    if (isBroken && operation === 'datasync') throw new Error('EIO');
    return undefined;
  };
  await expect(service.steps('a', { from: 5, rows: rowsOf(5, 5), ack: 'durable' })).rejects.toMatchObject({
    code: 'storage',
  });
  const degraded = await service.steps('a', { from: 10, rows: rowsOf(10, 5) });
  expect(degraded).toMatchObject({ offset: 15, durable: 5, durability: 'degraded' });
  await expect(service.create({ id: 'b' })).rejects.toMatchObject({ code: 'storage', status: 503 });
  expect(() => service.describe('b')).toThrow(expect.objectContaining({ code: 'session_unknown' }));
  isBroken = false;
  await until(() => service.describe('a').durable === 15);
  expect(service.describe('a').durability).toBeUndefined();
  expect((await service.create({ id: 'b' })).created).toBe(true);
  await service.close();
  const again = await startOn(files.cutPower());
  expect(again.describe('a')).toMatchObject({ offset: 15, durable: 15 });
  expect(again.describe('b').offset).toBe(0);
  await again.close();
});

test('beyond undurableMaxBytes rows are refused with storage, and nothing of them is applied', async () => {
  const files = new MemoryFiles();
  const service = await startOn(files, { undurableMaxBytes: 20_000 });
  await service.create({ id: 'a' });
  files.fault = (operation) => {
    if (operation === 'datasync') throw new Error('ENOSPC');
    return undefined;
  };
  let at = 0;
  const feed = async () => {
    for (;;) {
      await service.steps('a', { from: at, rows: rowsOf(at, 100) });
      at += 100;
    }
  };
  await expect(feed()).rejects.toMatchObject({ code: 'storage' });
  expect(at).toBeGreaterThan(0);
  expect(service.describe('a').offset).toBe(at);
  files.fault = () => undefined;
  await service.close();
});

test.each([1, 2, 3, 4])(
  'after a power failure no row below an answered durable is lost, and states are right to the bit (%i)',
  async (run) => {
    const files = new MemoryFiles();
    const service = await startOn(files, { compactBytes: 4096 });
    const total = 300;
    const ids = ['a', 'b', 'c'];
    const answered = new Map<string, number>();
    for (const id of ids) await service.create({ id });
    for (const id of ids) await service.create({ id: `l${id}`, targets });
    let left: MemoryFiles | null = null;
    const feed = async (id: string, seed: number, learns: boolean) => {
      for (let at = 0; at < total; ) {
        const count = 1 + ((at * 7 + seed * 3 + run) % 23);
        const some = Math.min(count, total - at);
        const targetRows = learns ? { targets: targetsOf(at, some) } : {};
        const answer = await service.steps(id, { from: at, rows: rowsOf(at, some, seed), ...targetRows });
        if (left === null) answered.set(id, answer.durable);
        at = answer.offset;
        if (id === 'b' && at > 60 * run && left === null) left = run % 2 === 0 ? files.kill() : files.cutPower();
      }
    };
    await Promise.all(ids.flatMap((id, seed) => [feed(id, seed, false), feed(`l${id}`, seed, true)]));
    await service.close();
    const again = await startOn(left!);
    for (const [seed, id] of ids.entries()) {
      const { states, weights, error, persistence } = await undisturbed(total, seed);
      const plain = again.describe(id);
      expect(plain.offset).toBe(plain.durable);
      expect(plain.offset).toBeGreaterThanOrEqual(answered.get(id)!);
      const rest = await again.steps(id, {
        from: plain.offset,
        rows: rowsOf(plain.offset, total - plain.offset, seed),
      });
      expect(lists(rest.outputs)).toEqual(states.slice(plain.offset));
      const { offset } = again.describe(`l${id}`);
      expect(offset).toBeGreaterThanOrEqual(answered.get(`l${id}`)!);
      const some = total - offset;
      await again.steps(`l${id}`, { from: offset, rows: rowsOf(offset, some, seed), targets: targetsOf(offset, some) });
      expect(await again.readout(`l${id}`)).toMatchObject({ weights, error, persistence, learned: total });
    }
    await again.close();
  },
);

test('a compaction between requests keeps states, learners and sessions whose network is not there', async () => {
  let files = new MemoryFiles();
  const first = await startOn(files);
  await first.create({ id: 'a' });
  await first.create({ id: 'l', targets });
  await first.steps('a', { from: 0, rows: rowsOf(0, 50) });
  await first.steps('l', { from: 0, rows: rowsOf(0, 50), targets: targetsOf(0, 50) });
  await first.close();
  files = files.cutPower();
  const second = await startOn(files, { definitions: { default: other }, maxNetworks: 1, compactBytes: 4096 });
  await second.create({ id: 'b' });
  for (let at = 0; at < 6000; at += 100) {
    await second.steps('b', { from: at, rows: rowsOf(at, 100), ack: 'durable' });
  }
  await second.close();
  expect(files.names().some((name) => name.includes('snapshot'))).toBe(true);
  files = files.cutPower();
  const third = await startOn(files);
  const { states, weights, error } = await undisturbed(52, 0);
  const { outputs } = await third.steps('a', { from: 50, rows: rowsOf(50, 2) });
  expect(lists(outputs)).toEqual(states.slice(50));
  await third.steps('l', { from: 50, rows: rowsOf(50, 2), targets: targetsOf(50, 2) });
  expect(await third.readout('l')).toMatchObject({ weights, error, learned: 52 });
  expect(third.describe('b').offset).toBe(6000);
  await third.close();
});

test('rows beyond stateMaxBytes find room again: the journal is compacted before they are refused', async () => {
  const files = new MemoryFiles();
  const service = await startOn(files, { stateMaxBytes: 40_000 });
  await service.create({ id: 'a', outputs: [0] });
  for (let at = 0; at < 10_000; at += 100) {
    await service.steps('a', { from: at, rows: rowsOf(at, 100), ack: 'durable' });
  }
  expect(service.describe('a').durable).toBe(10_000);
  await service.close();
  const again = await startOn(files.cutPower());
  expect(again.describe('a').offset).toBe(10_000);
  await again.close();
});

function breakable() {
  const files = new MemoryFiles();
  const disk = { files, isBroken: false };
  files.fault = (operation) => {
    if (disk.isBroken && operation === 'datasync') throw new Error('EIO');
    return undefined;
  };
  return disk;
}

/** Rows until the journal takes no more. */
async function fill(service: SessionService, id: string) {
  for (let at = service.describe(id).offset; ; ) {
    const answer = await service.steps(id, { from: at, rows: rowsOf(at, 5) }).catch(() => null);
    if (answer === null) return;
    at = answer.offset;
  }
}

test('a session that is deleted while the journal is full ends once the disk is back, and stays gone', async () => {
  const disk = breakable();
  const service = await startOn(disk.files, { undurableMaxBytes: 2000 });
  const ids = ['b', 'c', 'd', 'e'];
  for (const id of ['a', ...ids]) await service.create({ id });
  disk.isBroken = true;
  await fill(service, 'a');
  for (const id of [...ids, ...ids]) await expect(service.remove(id)).rejects.toMatchObject({ code: 'storage' });
  disk.isBroken = false;
  await until(() => service.describe('a').durability === undefined);
  for (const id of ids) await service.remove(id).catch(({ code }) => expect(code).toBe('session_gone'));
  expect(service.list().items.map(({ id }) => id)).toEqual(['a']);
  await service.close();
  const again = await startOn(disk.files.cutPower());
  expect(() => again.describe('e')).toThrow(expect.objectContaining({ code: 'session_gone' }));
  await again.close();
});

test('a creation that was refused while the disk failed is unknown, also after a restart, and stops no compaction', async () => {
  const disk = breakable();
  const service = await startOn(disk.files, { undurableMaxBytes: 2000, compactBytes: 1 });
  await service.create({ id: 'a' });
  disk.isBroken = true;
  await fill(service, 'a');
  for (const id of ['b', 'c', 'd']) await expect(service.create({ id })).rejects.toMatchObject({ code: 'storage' });
  disk.isBroken = false;
  await until(() => service.describe('a').durability === undefined);
  const { offset } = service.describe('a');
  await service.steps('a', { from: offset, rows: rowsOf(offset, 1), ack: 'durable' });
  await until(() => disk.files.names().some((name) => name.includes('snapshot')));
  await service.close();
  const again = await startOn(disk.files.cutPower());
  for (const id of ['b', 'c', 'd']) {
    expect(() => again.describe(id)).toThrow(expect.objectContaining({ code: 'session_unknown' }));
  }
  await again.close();
});

test.each([
  ['a run', false],
  ['a learner', true],
])('after %s of one session failed the journal is compacted, and a restart recovers the session', async (_, learns) => {
  const files = new MemoryFiles();
  const service = await startOn(files, { compactBytes: 4096 });
  await service.create({ id: 'a', ...(learns && { targets }) });
  await service.create({ id: 'b' });
  const some = (from: number, count: number) => ({
    from,
    rows: rowsOf(from, count),
    ...(learns && { targets: targetsOf(from, count) }),
  });
  await service.steps('a', some(0, 100));
  const failing = learns
    ? vi.spyOn(RecursiveLeastSquares.prototype, 'updateAsync')
    : vi.spyOn(StreamPool.prototype, 'runAsync');
  failing.mockRejectedValueOnce(new Error('no memory'));
  await expect(service.steps('a', some(100, 100))).rejects.toMatchObject({ code: 'internal' });
  failing.mockRestore();
  for (let at = 0; at < 3000; at += 100) {
    await service.steps('b', { from: at, rows: rowsOf(at, 100), ack: 'durable' });
  }
  await service.close();
  expect(files.names().some((name) => name.includes('snapshot'))).toBe(true);
  const again = await startOn(files.cutPower());
  expect(again.describe('a').offset).toBe(200);
  const { outputs } = await again.steps('a', some(200, 5));
  const whole = await start();
  await whole.create({ id: 'a', ...(learns && { targets }) });
  expect(lists(outputs)).toEqual(lists((await whole.steps('a', some(0, 205))).outputs).slice(200));
  await again.close();
});

test('the second of two callers who create an id is answered where the first one leaves', async () => {
  const service = await startOn(new MemoryFiles());
  const stop = new AbortController();
  const first = service.create({ id: 'a' }, stop.signal);
  const second = service.create({ id: 'a' });
  stop.abort(new Error('left'));
  await expect(first).rejects.toThrow('left');
  expect(await second).toMatchObject({ created: false, session: { id: 'a', offset: 0 } });
  expect(service.describe('a').offset).toBe(0);
  await service.close();
});

test('a deletion beside another one is answered once the end is durable', async () => {
  const disk = breakable();
  const service = await startOn(disk.files);
  await service.create({ id: 'a' });
  const begun = service.steps('a', { from: 0, rows: rowsOf(0, 300) });
  await new Promise((turn) => setImmediate(turn));
  await new Promise((turn) => setImmediate(turn));
  disk.isBroken = true;
  const both = [service.remove('a'), service.remove('a')];
  const codes = Promise.all(
    both.map((one) =>
      one.then(
        () => 'removed',
        ({ code }) => code,
      ),
    ),
  );
  await begun;
  expect(await codes).toEqual(['storage', 'storage']);
  disk.isBroken = false;
  await service.close();
});

test('a session that is deleted while the disk fails is gone, and stays so when the disk is back', async () => {
  const files = new MemoryFiles();
  const service = await startOn(files);
  await service.create({ id: 'a' });
  let isBroken = true;
  files.fault = (operation) => {
    if (isBroken && operation === 'datasync') throw new Error('EIO');
    return undefined;
  };
  await expect(service.remove('a')).rejects.toMatchObject({ code: 'storage' });
  await expect(service.remove('a')).rejects.toMatchObject({ code: 'storage' });
  isBroken = false;
  let last = 'storage';
  while (last === 'storage') {
    await new Promise((turn) => setTimeout(turn, 2));
    await service.remove('a').catch(({ code }) => {
      last = code;
    });
  }
  expect(last).toBe('session_gone');
  await service.close();
  const again = await startOn(files.cutPower());
  expect(() => again.describe('a')).toThrow(expect.objectContaining({ code: 'session_gone' }));
  await again.close();
});

test('an altered record in the middle quarantines its session alone, also over a compaction, until it is deleted', async () => {
  const files = new MemoryFiles();
  const first = await startOn(files);
  for (const id of ['a', 'b']) await first.create({ id });
  for (let at = 0; at < 30; at += 10) {
    await first.steps('a', { from: at, rows: rowsOf(at, 10, 1), ack: 'durable' });
    await first.steps('b', { from: at, rows: rowsOf(at, 10, 2), ack: 'durable' });
  }
  await first.close();
  const damaged = files.cutPower();
  const row = Buffer.from(Float32Array.from(rowsOf(10, 1, 1)[0]!).buffer);
  const segment = damaged.names().find((name) => Buffer.from(damaged.get(name)).includes(row))!;
  const bytes = damaged.get(segment).slice();
  bytes[Buffer.from(bytes).indexOf(row)]! ^= 1;
  damaged.set(segment, bytes);
  const metrics = new MetricsRegistry();
  const second = await startOn(damaged, { metrics, compactBytes: 1024 });
  expect(metrics.text()).toContain('dtesn_recovery_sessions{result="quarantined"} 1');
  const lost = expect.objectContaining({ code: 'storage', message: expect.stringContaining('delete it') });
  await expect(second.steps('a', { from: 30, rows: rowsOf(30, 1, 1) })).rejects.toEqual(lost);
  expect(second.list().items.map(({ id, blocked }) => [id, blocked])).toEqual([
    ['a', 'quarantined'],
    ['b', undefined],
  ]);
  for (let at = 30; at < 300; at += 10) {
    await second.steps('b', { from: at, rows: rowsOf(at, 10, 2), ack: 'durable' });
  }
  await second.close();
  const third = await startOn(damaged.cutPower());
  await expect(third.steps('a', { from: 30, rows: rowsOf(30, 1, 1) })).rejects.toEqual(lost);
  const { outputs } = await third.steps('b', { from: 300, rows: rowsOf(300, 1, 2) });
  expect(lists(outputs)).toEqual((await undisturbed(301, 2)).states.slice(300));
  await third.remove('a');
  expect((await third.create({ id: 'a' })).session.offset).toBe(0);
  await third.close();
});

/** The journal on a real directory with its real thread, and on a file system in memory where the order of calls matters. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { crc32c } from '../../../src/bridge/journal/crc32c.js';
import { isStateDirError, Journal } from '../../../src/bridge/journal/index.js';
import { isBridgeError } from '../../../src/bridge/messages/index.js';
import { ManualClock } from '../../manual-clock.js';
import fc from '../../property/fast-check.js';
import { CountingSessions, checkedOffset, dir, rowsOf, session, turns } from './journal-fixture.js';
import { MemoryFiles } from './memory-files.js';

const folders: string[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'journal-'));
  folders.push(made);
  return path.join(made, 'state');
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

// RFC 3720, appendix B.4, and the check value of CRC-32/ISCSI.
test('the checksum is CRC32C', () => {
  const text = (value: string) => new TextEncoder().encode(value);
  expect(crc32c(text('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
});

test('the checksum by tables is that of the definition bit by bit', () => {
  const bitwise = (bytes: Uint8Array): number => {
    let crc = 0xffffffff;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc >>> 0;
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => crc32c(bytes) === bitwise(bytes)));
});

describe('on a directory', () => {
  test('sessions, rows, targets and ends come back after a restart', async () => {
    const options = { dir: folder() };
    const before = await CountingSessions.open(undefined, options);
    expect(before.sessions).toEqual([]);
    const { service } = before;
    service.create(session('a'));
    service.create(session('b', { dtype: 'f64', targets: 0, inputs: 3 }));
    service.create(session('gone'));
    service.feed('a', 3);
    service.feed('b', 1);
    service.feed('a', 4);
    service.end('gone');
    await service.journal.close();

    const { sessions, ended, unnamed, journal } = await CountingSessions.open(undefined, options);
    expect(sessions.map((one) => [one.session.id, checkedOffset(one), one.quarantined])).toEqual([
      ['a', 7, null],
      ['b', 1, null],
    ]);
    expect(sessions.map((one) => one.session)).toEqual([
      session('a'),
      session('b', { dtype: 'f64', targets: 0, inputs: 3 }),
    ]);
    expect(ended.map(({ id, reason }) => [id, reason])).toEqual([['gone', 'deleted']]);
    expect(unnamed).toBe(0);
    await journal.close();
  });

  test('the directory has mode 0700 and its files 0600, also where the directory was open to others', async () => {
    const state = folder();
    mkdirSync(state, { mode: 0o755 });
    chmodSync(state, 0o755);
    const { service, journal } = await CountingSessions.open(undefined, { dir: state });
    await journal.whenDurable(service.create(session('a')));
    expect(statSync(state).mode & 0o777).toBe(0o700);
    const names = readdirSync(state);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(statSync(path.join(state, name)).mode & 0o777).toBe(0o600);
    await journal.close();
  });

  test('a state directory that is a file is refused in one line with exit code 78', async () => {
    const state = folder();
    writeFileSync(state, 'a file');
    const error = await failure(CountingSessions.open(undefined, { dir: state }));
    expect(isStateDirError(error)).toBe(true);
    expect(error).toMatchObject({ exitCode: 78 });
    expect((error as Error).message).toMatch(/^The state directory [^\n]+ cannot be used: [^\n]*$/);
  });

  test('a group commit follows an append without a call, and the listener gets its sequence', async () => {
    const { service, journal } = await CountingSessions.open(undefined, { dir: folder(), checkpointMs: 5 });
    const committed = new Promise<number>((resolve) => journal.onCommit(resolve));
    const sequence = service.create(session('a'));
    expect(journal.durable).toBeLessThan(sequence);
    expect(journal.figures).toMatchObject({ commits: 0, undurableRows: 0 });
    expect(await committed).toBe(sequence);
    expect(journal.durable).toBe(sequence);
    expect(journal.figures).toMatchObject({ commits: 1, errors: 0, undurableBytes: 0, oldestUndurableMs: 0 });
    expect(journal.figures.stateBytes).toBeGreaterThan(0);
    await journal.close();
  });

  test('compaction keeps every session and shortens the directory', async () => {
    const options = { dir: folder(), compactBytes: 4096, checkpointMs: 1 };
    const { service, journal } = await CountingSessions.open(undefined, options);
    for (const id of ['a', 'b', 'c']) service.create(session(id));
    for (let turn = 0; turn < 200; turn++) {
      await journal.whenDurable(service.feed(['a', 'b', 'c'][turn % 3]!, 4));
      if (turn === 100) service.end('c');
      if (turn === 100) service.create(session('c', { epoch: 'second' }));
    }
    await journal.close();
    expect(journal.figures.compactions).toBeGreaterThan(1);
    const again = await CountingSessions.open(undefined, options);
    expect(again.sessions.map((one) => [one.session.id, checkedOffset(one), one.quarantined])).toEqual(
      [...service.offsets].map(([id, offset]) => [id, offset, null]),
    );
    expect(again.sessions[0]!.session.definition).toEqual(session('a').definition);
    expect(again.ended.map(({ id, epoch }) => [id, epoch])).toEqual([['c', 'epoch-of-c']]);
    expect(again.journal.figures.stateBytes).toBeLessThan(20_000);
    await again.journal.close();
  });
});

test('any records come back as they were appended', async () => {
  const shape = fc.record({
    inputs: fc.integer({ min: 1, max: 5 }),
    targets: fc.integer({ min: 0, max: 3 }),
    dtype: fc.constantFrom('f32' as const, 'f64' as const),
    counts: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 6 }),
    id: fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/),
    definition: fc.jsonValue(),
  });
  const law = fc.asyncProperty(fc.uniqueArray(shape, { selector: ({ id }) => id, maxLength: 5 }), async (shapes) => {
    const files = new MemoryFiles();
    const { service, journal } = await CountingSessions.open(files);
    const all = shapes.map(({ counts, id, ...more }) => session(id, { ...more, fingerprint: `of ${id}` }));
    for (const one of all) service.create(one);
    for (const [index, { counts, id }] of shapes.entries())
      for (const count of counts) service.feed(all[index]!.id ?? id, count);
    await journal.close();
    const { sessions } = await CountingSessions.open(files.cutPower());
    // -0 is no JSON number.
    expect(sessions.map((one) => one.session)).toEqual(JSON.parse(JSON.stringify(all)));
    expect(sessions.map(checkedOffset)).toEqual(shapes.map(({ counts }) => counts.reduce((a, b) => a + b, 0)));
  });
  await fc.assert(law);
});

test('a definition is stored once for all sessions of its fingerprint', async () => {
  const files = new MemoryFiles();
  const { service, journal } = await CountingSessions.open(files);
  const definition = { text: 'x'.repeat(10_000) };
  for (let index = 0; index < 10; index++) service.create(session(`s${index}`, { definition }));
  await journal.commit();
  expect(journal.figures.stateBytes).toBeLessThan(16_000);
  const { sessions } = await CountingSessions.open(files.cutPower());
  expect(sessions.map((one) => one.session.definition)).toEqual(Array(10).fill(definition));
  expect(sessions[0]!.session.definition).toBe(sessions[9]!.session.definition);
});

test('append takes a copy of the rows', async () => {
  const files = new MemoryFiles();
  const { service, journal } = await CountingSessions.open(files);
  const one = session('a');
  service.create(one);
  const record = { kind: 'rows' as const, id: 'a', epoch: one.epoch, from: 0, ...rowsOf(one, 0, 2) };
  journal.append(record);
  record.rows.fill(0);
  record.targets?.fill(0);
  await journal.close();
  expect((await CountingSessions.open(files.kill())).sessions.map(checkedOffset)).toEqual([2]);
});

test('rows that do not continue their session are refused', async () => {
  const { service, journal } = await CountingSessions.open(new MemoryFiles());
  const one = session('a');
  service.create(one);
  const record = { kind: 'rows' as const, id: 'a', epoch: one.epoch, from: 0, ...rowsOf(one, 0, 2) };
  expect(() => journal.append({ ...record, from: 1 })).toThrow('Expected rows from 0 on for session a');
  expect(() => journal.append({ ...record, epoch: 'other' })).toThrow(
    'Expected a session that has begun and not ended',
  );
  expect(() => journal.append({ ...record, rows: new Float64Array(4) })).toThrow('Expected rows of f32');
  expect(() => journal.append({ ...record, rows: new Float32Array(3) })).toThrow('Expected rows of 2 values');
  expect(() => journal.append({ ...record, targets: new Float64Array(1) })).toThrow('Expected 2 targets');
  expect(() => service.create(one)).toThrow('Expected a new epoch');
  expect(journal.append(record)).toBe(3);
});

test('durable moves only after fdatasync has returned', async () => {
  const files = new MemoryFiles();
  const { service, journal } = await CountingSessions.open(files);
  let durableAtSync = -1;
  files.fault = (operation) => {
    if (operation === 'datasync') durableAtSync = journal.durable;
    return undefined;
  };
  await journal.whenDurable(service.create(session('a')));
  expect(durableAtSync).toBe(0);
  expect(journal.durable).toBe(2);
  const seen = await CountingSessions.open(files.cutPower());
  expect(seen.sessions).toHaveLength(1);
});

test('records wait for the checkpoint, and for none when somebody waits for them', async () => {
  const clock = new ManualClock(turns);
  const { service, journal } = await CountingSessions.open(new MemoryFiles(), { clock, checkpointMs: 250 });
  const sequence = service.create(session('a'));
  await clock.pass(249);
  expect(journal.durable).toBe(0);
  expect(journal.figures.oldestUndurableMs).toBe(249);
  await clock.pass(1);
  await turns();
  expect(journal.durable).toBe(sequence);
  const fed = service.feed('a', 1);
  await journal.whenDurable(fed);
  expect(journal.durable).toBe(fed);
});

test('whenDurable follows its signal', async () => {
  const { service, journal } = await CountingSessions.open(new MemoryFiles());
  const sequence = service.create(session('a'));
  const reason = new Error('given up');
  expect(await failure(journal.whenDurable(sequence, AbortSignal.abort(reason)))).toBe(reason);
  expect(await failure(journal.whenDurable(sequence + 1))).toBeInstanceOf(RangeError);
});

test('ended sessions are known for an hour and then forgotten', async () => {
  const files = new MemoryFiles();
  const { service, journal } = await CountingSessions.open(files);
  service.create(session('a'));
  service.end('a');
  await journal.close();
  vi.useFakeTimers({ toFake: ['Date'] });
  const now = Date.now();
  vi.setSystemTime(now + 3_590_000);
  expect((await CountingSessions.open(files.kill())).ended.map(({ id }) => id)).toEqual(['a']);
  vi.setSystemTime(now + 3_610_000);
  expect((await CountingSessions.open(files.kill())).ended).toEqual([]);
});

test('rows beyond stateMaxBytes are refused with storage, and an end makes room', async () => {
  const files = new MemoryFiles();
  const clock = new ManualClock(turns);
  const { service, journal } = await CountingSessions.open(files, { stateMaxBytes: 20_000, clock, checkpointMs: 10 });
  for (let index = 0; index < 40; index++) service.create(session(`s${index}`));
  let error: unknown = null;
  for (let turn = 0; turn < 400 && error === null; turn++) {
    try {
      service.create(session(`more${turn}`));
    } catch (thrown) {
      error = thrown;
    }
    await clock.pass(10);
    await turns();
  }
  expect(isBridgeError(error) && error.code).toBe('storage');
  expect(journal.figures.compactions).toBeGreaterThan(0);
  for (const id of [...service.offsets.keys()].slice(1)) service.end(id);
  const first = [...service.offsets.keys()][0]!;
  // Ends are remembered for an hour, in fewer bytes than a session takes.
  for (let turn = 0; turn < 3; turn++) await clock.pass(5000);
  await turns();
  expect(() => service.feed(first, 1)).not.toThrow();
});

test('while a compaction runs the disk takes at most undurableMaxBytes beyond stateMaxBytes', async () => {
  const files = new MemoryFiles();
  const clock = new ManualClock(turns);
  const bounds = { stateMaxBytes: 20_000, undurableMaxBytes: 10_000 };
  let proceed = () => {};
  const held = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  const one = session('a');
  async function* snapshots() {
    await held;
    yield { session: one, offset: 0, parts: {} };
  }
  const { journal } = await Journal.open({ dir, snapshots, clock, checkpointMs: 10, ...bounds }, files);
  journal.append({ kind: 'create', session: one });
  let refused: unknown = null;
  for (let at = 0; at < 10_000 && refused === null; at += 10) {
    try {
      journal.append({ kind: 'rows', id: 'a', epoch: one.epoch, from: at, ...rowsOf(one, at, 10) });
    } catch (error) {
      refused = error;
    }
    await clock.pass(10);
    await turns();
  }
  expect(isBridgeError(refused) && refused.code).toBe('storage');
  expect(journal.figures.stateBytes).toBeGreaterThan(bounds.stateMaxBytes);
  expect(journal.figures.stateBytes).toBeLessThan(bounds.stateMaxBytes + bounds.undurableMaxBytes + 1000);
  proceed();
  await journal.close();
});

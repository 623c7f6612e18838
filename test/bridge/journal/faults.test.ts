/** Disks that fail, and processes that end, at every operation of the file system. */
import { describe, expect, test } from 'vitest';
import { isBridgeError } from '../../../src/bridge/messages/index.js';
import { ManualClock } from '../../manual-clock.js';
import fc from '../../property/fast-check.js';
import { CountingSessions, checkedOffset, session, turns } from './journal-fixture.js';
import { MemoryFiles, type Operation } from './memory-files.js';

const ids = ['a', 'b', 'c'];

/** What was appended, and which of it was durable when `durable` last moved. */
class Witness {
  readonly #appended: { sequence: number; id: string; offset: number | null }[] = [];

  /** Set when the process is killed: what goes on in the test after that was never appended. */
  ended = false;

  note(sequence: number, id: string, offset: number | null): void {
    if (!this.ended) this.#appended.push({ sequence, id, offset });
  }

  /** Offsets by id below a sequence; an ended session has none. */
  at(sequence: number): Map<string, number> {
    const offsets = new Map<string, number>();
    for (const one of this.#appended) {
      if (one.sequence > sequence) break;
      if (one.offset === null) offsets.delete(one.id);
      else offsets.set(one.id, one.offset);
    }
    return offsets;
  }

  /** Throws where a session of the image has fewer rows than were durable, or more than were appended. */
  async check(files: MemoryFiles, durable: number): Promise<void> {
    const { sessions, unnamed } = await CountingSessions.open(files);
    if (unnamed > 0) throw new Error('a session is unnamed');
    const found = new Map(sessions.map((one) => [one.session.id, checkedOffset(one)]));
    const quarantined = sessions.filter((one) => one.quarantined !== null);
    if (quarantined.length > 0) throw new Error(`quarantined: ${quarantined[0]!.quarantined}`);
    const last = this.at(Number.POSITIVE_INFINITY);
    for (const [id, offset] of this.at(durable)) {
      const ended = !last.has(id);
      if (!ended && (found.get(id) ?? -1) < offset)
        throw new Error(`${id} has ${found.get(id)} of ${offset} durable rows`);
    }
    for (const [id, offset] of found) {
      if (offset > (last.get(id) ?? offset)) throw new Error(`${id} has more rows than were appended`);
    }
  }
}

/** Sessions that are fed, ended and created again over commits and compactions, until `rounds` are over or an error is thrown. */
async function run(
  service: CountingSessions,
  witness: Witness,
  rounds: number,
  each: () => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const id of ids) {
      if (!service.sessions.has(id)) witness.note(service.create(session(id, { epoch: `of ${round}` })), id, 0);
      const sequence = service.feed(id, 1 + (round % 3));
      witness.note(sequence, id, service.offsets.get(id)!);
    }
    if (round % 5 === 4) witness.note(service.end('c'), 'c', null);
    await each();
  }
}

describe('a process that ends', () => {
  /** The operations of a run without faults. */
  async function operations(): Promise<number> {
    const files = new MemoryFiles();
    const { service, journal } = await CountingSessions.open(files, { compactBytes: 1500 });
    await run(service, new Witness(), 20, async () => {
      await journal.commit();
      await turns(3);
    });
    await turns();
    expect(journal.figures.compactions).toBeGreaterThan(1);
    return files.operations.length;
  }

  test.each([
    ['before it', 0],
    ['after a half of what it writes', 0.5],
  ])('at any operation, %s, loses nothing durable, by kill -9 or by a power failure', async (_name, part) => {
    const count = await operations();
    expect(count).toBeGreaterThan(80);
    for (let last = 1; last <= count; last++) {
      const files = new MemoryFiles();
      const witness = new Witness();
      let done = 0;
      const images: MemoryFiles[] = [];
      let durable = 0;
      let journal: CountingSessions['journal'] | undefined;
      files.fault = (operation, _path, bytes) => {
        if (images.length > 0) throw new Error('killed');
        if (++done < last) return undefined;
        if (operation === 'write' && part > 0 && done === last) return Math.max(1, Math.floor(bytes * part));
        durable = journal?.durable ?? 0;
        images.push(files.kill(), files.cutPower());
        witness.ended = true;
        throw new Error('killed');
      };
      try {
        const opened = await CountingSessions.open(files, { compactBytes: 1500 });
        journal = opened.journal;
        await run(opened.service, witness, 20, async () => {
          await opened.journal.commit();
          await turns(3);
        });
        await turns();
      } catch (error) {
        if (images.length === 0) throw error; // else the process was killed
      }
      expect(images).toHaveLength(2);
      for (const image of images) await witness.check(image, durable);
      await journal?.close().catch(() => {});
    }
  });
});

test('a disk that fails now and then loses nothing, and all is durable when it works again', async () => {
  const fallible: Operation[] = ['write', 'datasync', 'sync', 'truncate', 'create', 'rename', 'remove', 'readWhole'];
  const faults = fc.array(fc.record({ after: fc.nat(25), times: fc.integer({ min: 1, max: 6 }), half: fc.boolean() }), {
    minLength: 1,
    maxLength: 6,
  });
  const law = fc.asyncProperty(faults, async (plan) => {
    const files = new MemoryFiles();
    const clock = new ManualClock(() => turns(4));
    const { service, journal } = await CountingSessions.open(files, { compactBytes: 1500, clock, checkpointMs: 10 });
    const queue = plan.map((one) => ({ ...one }));
    let checked = 0;
    files.fault = (operation, _path, bytes) => {
      const next = queue[0];
      if (next === undefined || !fallible.includes(operation) || next.after-- > 0) return undefined;
      if (--next.times <= 0) queue.shift();
      if (operation === 'write' && next.half && bytes > 1) return Math.floor(bytes / 2);
      throw new Error('EIO: i/o error');
    };
    const witness = new Witness();
    await run(service, witness, 20, async () => {
      await clock.pass(10);
      if (journal.durable > checked) {
        checked = journal.durable;
        await witness.check(files.cutPower(), checked);
      }
    });
    queue.length = 0;
    await clock.pass(20_000);
    await turns();
    expect(journal.failing).toBeNull();
    expect(journal.figures.undurableBytes).toBe(0);
    for (const image of [files.kill(), files.cutPower()]) {
      const { sessions } = await CountingSessions.open(image);
      expect(new Map(sessions.map((one) => [one.session.id, checkedOffset(one)]))).toEqual(service.offsets);
      expect(sessions.map(({ quarantined }) => quarantined)).toEqual(sessions.map(() => null));
    }
    await journal.close();
    expect(files.openDescriptors).toBe(0);
  });
  await fc.assert(law);
});

test('while the disk fails sessions go on, durable stands still, and callers that wait get storage', async () => {
  const files = new MemoryFiles();
  const clock = new ManualClock(turns);
  const attempts: number[] = [];
  const { service, journal } = await CountingSessions.open(files, {
    clock,
    checkpointMs: 10,
    onAttempt: (_seconds, failure) => failure !== null && attempts.push(clock.now()),
  });
  await journal.whenDurable(service.create(session('a')));
  const { durable } = journal;
  files.fault = (operation) => {
    if (operation === 'write') throw new Error('ENOSPC: no space left on device, write');
    return undefined;
  };
  const waiting = journal.whenDurable(service.feed('a', 1)).catch((error: unknown) => error);
  expect(await waiting).toMatchObject({ code: 'storage' });
  expect(journal.failing).toMatch('ENOSPC');
  await clock.pass(60_000);
  service.feed('a', 1);
  expect(journal.durable).toBe(durable);
  expect(journal.figures).toMatchObject({ undurableRows: 2 });
  const pauses = attempts.slice(1).map((at, index) => at - attempts[index]!);
  expect(pauses.slice(0, 7)).toEqual([100, 200, 400, 800, 1600, 3200, 5000]);
  expect(Math.max(...pauses)).toBe(5000);
  await expect(journal.whenDurable(durable + 1)).rejects.toThrow('ENOSPC');
  await expect(journal.commit()).rejects.toThrow('ENOSPC');
  files.fault = () => undefined;
  await clock.pass(5000);
  expect(journal.failing).toBeNull();
  await journal.commit();
  expect((await CountingSessions.open(files.cutPower())).sessions.map(checkedOffset)).toEqual([2]);
});

test('append throws storage when more than undurableMaxBytes wait, and takes records again afterwards', async () => {
  const files = new MemoryFiles();
  const clock = new ManualClock(turns);
  const { service, journal } = await CountingSessions.open(files, { clock, undurableMaxBytes: 5000 });
  service.create(session('a'));
  files.fault = (operation) => {
    if (operation === 'datasync') throw new Error('EIO: i/o error, fdatasync');
    return undefined;
  };
  await clock.pass(300);
  let refused: unknown = null;
  let fed = 0;
  while (refused === null && fed < 10_000) {
    try {
      service.feed('a', 10);
      fed += 10;
    } catch (error) {
      refused = error;
    }
  }
  expect(isBridgeError(refused) && refused.code).toBe('storage');
  files.fault = () => undefined;
  await clock.pass(10_000);
  service.feed('a', 10);
  await journal.commit();
  expect((await CountingSessions.open(files.cutPower())).sessions.map(checkedOffset)).toEqual([fed + 10]);
});

test('records whose fdatasync failed are written again, to another segment', async () => {
  const files = new MemoryFiles();
  const clock = new ManualClock(turns);
  const { service, journal } = await CountingSessions.open(files, { clock, checkpointMs: 10 });
  await journal.whenDurable(service.create(session('a')));
  const [before] = files.names().filter((name) => files.get(name).length > 0);
  const { length } = files.get(before!);
  let failures = 1;
  files.fault = (operation) => {
    if (operation === 'datasync' && failures-- > 0) throw new Error('EIO: i/o error, fdatasync');
    return undefined;
  };
  service.feed('a', 1);
  await clock.pass(10);
  await clock.pass(200);
  expect(journal.failing).toBeNull();
  expect(files.get(before!).length).toBe(length);
  expect(files.names().filter((name) => files.get(name).length > 0)).toHaveLength(2);
  expect((await CountingSessions.open(files.cutPower())).sessions.map(checkedOffset)).toEqual([1]);
});

test('a lack of descriptors stops no commit, not even one that needs another segment', async () => {
  const files = new MemoryFiles();
  const clock = new ManualClock(turns);
  const { service, journal } = await CountingSessions.open(files, { clock, checkpointMs: 10 });
  await journal.whenDurable(service.create(session('a')));
  let failures = 1;
  files.fault = (operation) => {
    if (operation === 'create' || operation === 'openDirectory') throw new Error('EMFILE: too many open files');
    if (operation === 'datasync' && failures-- > 0) throw new Error('EIO: i/o error, fdatasync');
    return undefined;
  };
  service.feed('a', 1);
  await clock.pass(500);
  expect(journal.failing).toBeNull();
  service.feed('a', 1);
  await journal.commit();
  expect((await CountingSessions.open(files.cutPower())).sessions.map(checkedOffset)).toEqual([2]);
});

test('a compaction to which a session is missing removes no segment', async () => {
  const files = new MemoryFiles();
  const warnings: unknown[] = [];
  const log = { info: () => {}, warn: (message: string, fields?: object) => warnings.push({ message, ...fields }) };
  const { service, journal } = await CountingSessions.open(files, { compactBytes: 1, log, snapshots: () => [] });
  service.create(session('a'));
  await journal.commit();
  await turns();
  expect(warnings).toEqual([{ message: 'journal not compacted', reason: 'no snapshot of session a was given' }]);
  expect((await CountingSessions.open(files.cutPower())).sessions).toHaveLength(1);
});

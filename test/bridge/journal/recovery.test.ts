/** What a damaged journal gives back: right rows or none, and no session less than what was durable of it. */
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/bridge/journal/crc32c.js';
import { CountingSessions, checkedOffset, dir, session } from './journal-fixture.js';
import { MemoryFiles } from './memory-files.js';

interface Journal {
  files: MemoryFiles;
  /** Durable rows of each session that has not ended. */
  durable: Map<string, number>;
}

/** Four sessions over several groups: a and b in all of them, c in the first alone, d created last and alone. */
async function smallJournal(compacted: boolean): Promise<Journal> {
  const files = new MemoryFiles();
  const { service, journal } = await CountingSessions.open(files, { compactBytes: compacted ? 1 : 2 ** 30 });
  for (const id of ['a', 'b', 'c']) service.create(session(id));
  service.feed('c', 2);
  await journal.commit();
  while (compacted && journal.figures.compactions === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 3; turn++) {
    service.feed('a', 1);
    service.feed('b', 2);
    await journal.commit();
  }
  service.create(session('d'));
  service.feed('d', 1);
  await journal.commit();
  return { files, durable: new Map(service.offsets) };
}

/** How many sessions are not served with all their durable rows; throws where one is served with fewer or wrong ones. */
async function unserved({ files, durable }: Journal): Promise<number> {
  const { sessions, unnamed, journal } = await CountingSessions.open(files);
  const served = new Map(
    sessions.flatMap((one) => (one.quarantined === null ? [[one.session.id, checkedOffset(one)]] : [])),
  );
  for (const one of sessions) checkedOffset(one);
  for (const [id, offset] of served) {
    if (typeof offset !== 'number' || offset < durable.get(String(id))!)
      throw new Error(`${id} is served with ${offset} rows`);
  }
  const quarantined = sessions.length - served.size;
  if (served.size + quarantined + unnamed < durable.size) throw new Error('a session is missing without a word');
  await journal.close();
  return durable.size - served.size;
}

const changed = ({ files }: Journal, name: string, change: (bytes: Uint8Array) => Uint8Array): MemoryFiles => {
  const copy = files.kill();
  copy.set(name, change(copy.get(name).slice()));
  return copy;
};

const flipped = (at: number, bit: number) => (bytes: Uint8Array) => {
  bytes[at]! ^= 1 << bit;
  return bytes;
};

describe.each([
  ['segments alone', false],
  ['a snapshot and segments', true],
])('of %s', { timeout: 120_000 }, (_name, compacted) => {
  test('a journal that is whole gives all sessions back', async () => {
    expect(await unserved(await smallJournal(compacted))).toBe(0);
  });

  test('a bit flipped at any byte costs at most the one session whose record it hit', async () => {
    const journal = await smallJournal(compacted);
    const names = journal.files.names().filter((name) => journal.files.get(name).length > 0);
    expect(names.some((name) => name.includes('snapshot'))).toBe(compacted);
    let [hit, flips] = [0, 0];
    for (const name of names) {
      for (let at = 0; at < journal.files.get(name).length; at++) {
        const lost = await unserved({ ...journal, files: changed(journal, name, flipped(at, at % 8)) });
        if (lost > 1) throw new Error(`${lost} sessions are not served after a flip at ${at} of ${name}`);
        hit += lost;
        flips++;
      }
    }
    expect(hit).toBeGreaterThan(flips / 4);
  });

  test('a last segment cut at any byte gives a prefix of what was appended', async () => {
    const { files } = await smallJournal(compacted);
    const name = files
      .names()
      .filter((one) => one.includes('segment') && files.get(one).length > 0)
      .at(-1)!;
    const { length } = files.get(name);
    const rows: number[] = [];
    for (let bytes = 0; bytes <= length; bytes++) {
      const cut = files.kill();
      cut.set(name, files.get(name).slice(0, bytes));
      const { sessions, unnamed, service } = await CountingSessions.open(cut);
      expect(unnamed).toBe(0);
      expect(sessions.filter(({ quarantined }) => quarantined !== null)).toEqual([]);
      rows.push(sessions.reduce((sum, one) => sum + checkedOffset(one), sessions.length));
      // What is appended after the cut is read after it.
      service.create(session('later'));
      service.feed('later', 1);
      await service.journal.close();
      const again = await CountingSessions.open(cut.cutPower());
      expect(again.sessions.map((one) => [one.session.id, checkedOffset(one)])).toEqual([...service.offsets]);
    }
    expect(rows).toEqual([...rows].sort((a, b) => a - b));
    expect(rows.at(-1)).toBe(4 + 3 + 6 + 2 + 1);
  });

  test('a segment in the middle cut at any byte serves no session with fewer rows than were durable', async () => {
    const journal = await smallJournal(compacted);
    const name = journal.files
      .names()
      .filter((one) => one.includes('segment') && journal.files.get(one).length > 0)
      .at(-1)!;
    const again = await CountingSessions.open(journal.files);
    again.service.feed('a', 1);
    again.service.create(session('e'));
    await again.journal.close();
    journal.durable = new Map(again.service.offsets);
    for (let bytes = 0; bytes < journal.files.get(name).length; bytes++) {
      await unserved({ ...journal, files: changed(journal, name, (all) => all.slice(0, bytes)) });
    }
  });

  test('regions of zeros of any place and length serve no session with fewer rows than were durable', async () => {
    const journal = await smallJournal(compacted);
    const names = journal.files.names().filter((name) => journal.files.get(name).length > 0);
    const again = await CountingSessions.open(journal.files);
    again.service.feed('a', 1);
    await again.journal.close();
    journal.durable = new Map(again.service.offsets);
    for (const name of names) {
      const { length } = journal.files.get(name);
      for (let at = 0; at < length; at += 40) {
        for (const bytes of [8, 56, 136, 512]) {
          await unserved({ ...journal, files: changed(journal, name, (all) => all.fill(0, at, at + bytes)) });
        }
      }
    }
  });
});

async function feedUntilCompacted(service: CountingSessions): Promise<void> {
  while (service.journal.figures.compactions === 0) {
    service.feed('a', 1);
    await service.journal.commit();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a quarantined session stays so over restarts and compactions, until it is ended', async () => {
  const journal = await smallJournal(false);
  const name = `${dir}/segment-000000000001`;
  const { length } = journal.files.get(name);
  let at = 0;
  for (; at < length; at += 8) {
    const { sessions } = await CountingSessions.open(changed(journal, name, flipped(at, 0)));
    if (sessions.some((one) => one.session.id === 'b' && one.quarantined !== null)) break;
  }
  let files = changed(journal, name, flipped(at, 0));
  for (let turn = 0; turn < 3; turn++) {
    const { service, sessions } = await CountingSessions.open(files, { compactBytes: 1 });
    expect(sessions.filter(({ quarantined }) => quarantined !== null).map((one) => one.session.id)).toEqual(['b']);
    await feedUntilCompacted(service);
    await service.journal.close();
    files = files.cutPower();
    expect(files.names().some((one) => one.includes('damaged-segment'))).toBe(true);
  }
  const { service, journal: last } = await CountingSessions.open(files, { compactBytes: 1 });
  last.append({ kind: 'end', id: 'b', epoch: 'epoch-of-b', reason: 'deleted' });
  await feedUntilCompacted(service);
  await last.close();
  expect(files.names().some((one) => one.includes('damaged-'))).toBe(false);
  const { sessions } = await CountingSessions.open(files.cutPower());
  expect(sessions.map((one) => [one.session.id, checkedOffset(one)])).toEqual([...service.offsets]);
});

test('a damaged snapshot is passed over for an older whole one', async () => {
  const files = new MemoryFiles();
  const { service, journal } = await CountingSessions.open(files, { compactBytes: 1 });
  service.create(session('a'));
  service.feed('a', 3);
  await journal.commit();
  while (journal.figures.compactions < 1) await new Promise((resolve) => setImmediate(resolve));
  // The second compaction is killed when the new snapshot has its name and the old one is to be removed.
  let image: MemoryFiles | null = null;
  files.fault = (operation, path) => {
    if (operation === 'remove' && path.includes('snapshot') && !path.endsWith('.tmp')) image ??= files.kill();
    return undefined;
  };
  for (let turn = 0; turn < 100 && image === null; turn++) {
    service.feed('a', 5);
    await journal.commit();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const left = image as MemoryFiles | null;
  const snapshots = left!.names().filter((name) => name.includes('snapshot'));
  expect(snapshots).toHaveLength(2);
  const reached = checkedOffset((await CountingSessions.open(left!.kill())).sessions[0]!);
  const newest = left!.get(snapshots[1]!);
  for (let at = 0; at < newest.length; at++) {
    const damaged = left!.kill();
    damaged.set(snapshots[1]!, flipped(at, 3)(newest.slice()));
    const { sessions, unnamed } = await CountingSessions.open(damaged);
    expect([unnamed, sessions.length, sessions[0]!.quarantined]).toEqual([0, 1, null]);
    expect(checkedOffset(sessions[0]!)).toBe(reached);
  }
});

test('a snapshot that was not finished is removed', async () => {
  const { files } = await smallJournal(false);
  files.set(`${dir}/snapshot-000000000009.tmp`, new Uint8Array(100));
  await CountingSessions.open(files);
  expect(files.names().filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a state directory of another format is refused, and left as it is', async () => {
  const { files } = await smallJournal(false);
  const name = `${dir}/segment-000000000001`;
  const bytes = files.get(name).slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(32, 2, true);
  view.setUint32(44, crc32c(bytes, 0, 44), true);
  files.set(name, bytes);
  const names = files.names();
  await expect(CountingSessions.open(files)).rejects.toThrow(
    'The state directory /state cannot be used: file 1 has format 2, this version reads format 1',
  );
  expect(files.names()).toEqual(names);
});

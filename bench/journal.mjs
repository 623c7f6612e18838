/**
 * The journal of the bridge: what an append costs the main thread, rows a second until they are durable, bytes written a row,
 * and the recovery of 10,000 sessions with states of 4 KB (1,024 values of f32).
 *
 * The limit of recovery is one read of the same bytes. Two values a row; each record holds one row.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compile } from '../scripts/build/bundle.mjs';
import { round } from './measure.mjs';

const SESSIONS = 10_000;
const STATE_BYTES = 4096;
const INPUTS = 2;
const rows = new Float32Array(INPUTS);

// The journal is no entry point of the package.
const root = path.dirname(import.meta.dirname);
const compiled = path.join(root, 'node_modules/.cache/dtesn-journal');
const sources = { journal: 'src/bridge/journal/index.ts', 'journal-worker': 'src/bridge/journal/journal-worker.ts' };
await compile(root, sources, compiled);
const { Journal } = createRequire(import.meta.url)(path.join(compiled, 'journal.js'));

export async function run({ quick }) {
  const dir = mkdtempSync(path.join(tmpdir(), 'journal-bench-'));
  try {
    const sessions = quick ? SESSIONS / 10 : SESSIONS;
    const fed = await feed(dir, sessions, quick ? 10 : 50);
    return [fed, await recovery(dir, sessions)];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function feed(dir, sessions, rounds) {
  const offsets = new Float64Array(sessions);
  const records = Array.from({ length: sessions }, (_, index) => recordOf(index));
  function* snapshots() {
    for (const [index, session] of records.entries()) {
      yield { session, offset: offsets[index], parts: { state: new Uint8Array(STATE_BYTES).fill(index) } };
    }
  }
  const { journal } = await Journal.open({ dir, snapshots, compactBytes: 2 ** 16 });
  for (const session of records) journal.append({ kind: 'create', session });
  await journal.commit();
  const before = journal.figures.writtenBytes;
  let [appending, count] = [0, 0];
  const began = performance.now();
  for (let turn = 0; turn < rounds; turn++) {
    const start = performance.now();
    for (const [index, { id, epoch }] of records.entries()) {
      journal.append({ kind: 'rows', id, epoch, from: offsets[index]++, rows, targets: null });
    }
    appending += performance.now() - start;
    count += sessions;
    await journal.commit();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = (performance.now() - began) / 1000;
  const { writtenBytes } = journal.figures;
  const longest = await untilCompacted(journal, records[0], offsets);
  await journal.close();
  return {
    task: `${sessions} sessions, ${rounds} group commits of a row each`,
    'main thread ms a 10,000 appends': round((appending / count) * 10_000),
    'durable rows/s': round(count / seconds),
    'bytes written a row': round((writtenBytes - before) / count),
    'longest commit ms beside the compaction': round(longest),
  };
}

/** Feeds one session until every session is in a snapshot; returns how long the longest commit took meanwhile. */
async function untilCompacted(journal, { id, epoch }, offsets) {
  let longest = 0;
  while (journal.figures.compactions === 0) {
    journal.append({ kind: 'rows', id, epoch, from: offsets[0]++, rows, targets: null });
    const start = performance.now();
    await journal.commit();
    longest = Math.max(longest, performance.now() - start);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return longest;
}

async function recovery(dir, sessions) {
  const names = readdirSync(dir);
  const start = performance.now();
  const bytes = names.reduce((sum, name) => sum + readFileSync(path.join(dir, name)).length, 0);
  const read = performance.now() - start;
  const began = performance.now();
  const opened = await Journal.open({ dir, snapshots: () => [] });
  const took = performance.now() - began;
  await opened.journal.close();
  if (opened.sessions.length !== sessions)
    throw new Error(`${opened.sessions.length} of ${sessions} sessions came back`);
  return {
    task: `recovery of ${sessions} sessions, ${round(bytes / 2 ** 20)} MiB`,
    'recovery ms': round(took),
    'one read ms': round(read),
    'rows replayed': opened.sessions.reduce(
      (sum, one) => sum + one.rows.reduce((all, { rows: { length } }) => all + length / INPUTS, 0),
      0,
    ),
  };
}

function recordOf(index) {
  return {
    ...{ id: `session-${index}`, epoch: `${index}`.padStart(16, '0'), network: 'default', fingerprint: 'f'.repeat(64) },
    ...{ inputs: INPUTS, targets: 0, dtype: 'f32', createdAt: '2026-01-01T00:00:00.000Z', definition: { units: 1024 } },
  };
}

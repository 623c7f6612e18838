/**
 * What a state-dir holds: the newest whole snapshot and the records of the segments since.
 *
 *     segment-000000000007     records, from the sequence of its file record on
 *     snapshot-000000000007    the sessions as they were when segment 7 began, or later; sealed by a commit record
 *     snapshot-*.tmp           a snapshot whose writing was interrupted: removed
 *     damaged-*                files kept because a session is quarantined
 *
 * Where the newest snapshot is damaged an older whole one is taken, which has its segments as long as it is there; else what
 * is sound of the newest one, and its other sessions are quarantined.
 */
import type { FileOperations } from './file-operations.js';
import { checkFormat, commitEntries, recordKinds } from './record-format.js';
import { scanRecords } from './record-scan.js';
import { Replay } from './replay.js';

export const FILE_NAME = /^(segment|snapshot)-(\d{12})$/;
export const DAMAGED = 'damaged-';
export const TEMPORARY = '.tmp';
const UNFINISHED = /^snapshot-\d{12}\.tmp$/;

/** No session's number: stands for those of a snapshot whose list of sessions is damaged. */
const UNKNOWN = 0;

export function fileName(kind: 'segment' | 'snapshot', number: number): string {
  return `${kind}-${String(number).padStart(12, '0')}`;
}

export interface Recovery {
  replay: Replay;
  /** The snapshot, which the parts of the sessions view. */
  buffers: ArrayBuffer[];
  /** Bytes by name of all files that stay. */
  sizes: Map<string, number>;
  segments: string[];
  snapshot: string | null;
  nextFile: number;
  /** Whether a session is quarantined or unnamed since this recovery, so that the files should be kept. */
  newlyDamaged: boolean;
}

export function recover(files: FileOperations, dir: string, wallMs: () => number): Recovery {
  const names = files.list(dir);
  for (const name of names) if (UNFINISHED.test(name)) files.remove(`${dir}/${name}`);
  const numbered = (kind: string): number[] =>
    names
      .flatMap((name) => (FILE_NAME.exec(name)?.[1] === kind ? [Number(name.slice(-12))] : []))
      .sort((a, b) => a - b);
  const snapshots = numbered('snapshot').reverse();
  const segments = numbered('segment');

  const sizes = new Map<string, number>();
  const read = (name: string): Uint8Array<ArrayBuffer> => {
    const buffer = files.readWhole(`${dir}/${name}`);
    sizes.set(name, buffer.byteLength);
    return new Uint8Array(buffer);
  };
  const loaded = snapshots.map((number) => () => {
    const bytes = read(fileName('snapshot', number));
    return { number, bytes, ...loadSnapshot(bytes, wallMs) };
  });
  const newest = loaded[0]?.();
  const chosen = newest?.whole === false ? (firstWhole(loaded.slice(1)) ?? newest) : newest;
  const replay = chosen?.replay ?? new Replay(1, wallMs);
  const before = new Set([...replay.sessions.values()].filter(({ quarantined }) => quarantined !== null));

  const replayed = segments
    .filter((number) => number >= (chosen?.number ?? 0))
    .map((number) => fileName('segment', number));
  for (const name of replayed) {
    const bytes = read(name);
    for (const record of scanRecords(bytes)) if (record !== null) replay.apply(record);
  }
  replay.finish();
  for (const name of names) if (name.startsWith(DAMAGED)) read(name);
  const quarantined = [...replay.sessions.values()].filter((session) => session.quarantined !== null);
  return {
    replay,
    buffers: chosen === undefined ? [] : [chosen.bytes.buffer],
    sizes,
    segments: replayed,
    snapshot: chosen === undefined ? null : fileName('snapshot', chosen.number),
    nextFile: 1 + Math.max(0, ...snapshots, ...segments),
    newlyDamaged: chosen?.whole === false || replay.unnamed.size > 0 || quarantined.some((one) => !before.has(one)),
  };
}

function firstWhole<T extends { whole: boolean }>(loaders: (() => T)[]): T | undefined {
  for (const load of loaders) {
    const one = load();
    if (one.whole) return one;
  }
  return undefined;
}

/** The sessions of a snapshot, and whether all of it is sound. */
export function loadSnapshot(bytes: Uint8Array, wallMs: () => number): { replay: Replay; whole: boolean } {
  const replay = new Replay(1, wallMs);
  let expected = 0;
  let ended = false;
  let whole = true;
  for (const record of scanRecords(bytes)) {
    if (record === null || ended) {
      whole = false;
      continue;
    }
    const { header, payload, sound } = record;
    const { kind, session } = header;
    if (
      kind === recordKinds.file ? expected !== 0 : header.sequence !== expected - (kind === recordKinds.commit ? 1 : 0)
    ) {
      whole = false;
    }
    expected = kind === recordKinds.file ? 1 : header.sequence + 1;
    if (!sound) {
      whole = false;
      if (kind === recordKinds.create) replay.unnamed.add(session);
      if (kind === recordKinds.parts) replay.quarantine(session, 'its snapshot is damaged');
    } else if (kind === recordKinds.file) {
      checkFormat(header);
      replay.nextSequence = header.sequence;
      replay.nextSession = Math.max(replay.nextSession, session);
      replay.firstSession = session;
    } else if (kind === recordKinds.network) replay.network(payload);
    else if (kind === recordKinds.create) replay.create(header, payload);
    else if (kind === recordKinds.parts) replay.parts(header, payload);
    else if (kind === recordKinds.end) replay.end(header, payload);
    else if (kind === recordKinds.commit) {
      ended = true;
      replay.nextSequence = header.from;
      for (const entry of commitEntries(payload))
        if (!replay.sessions.has(entry.session)) replay.unnamed.add(entry.session);
    }
  }
  if (!ended) replay.unnamed.add(UNKNOWN);
  for (const { number, parts } of replay.sessions.values()) {
    if (parts === null) replay.quarantine(number, 'its snapshot is damaged');
  }
  return { replay, whole: whole && ended };
}

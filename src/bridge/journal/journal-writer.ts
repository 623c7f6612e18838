/**
 * Writes groups of records to segments, and snapshots; runs on the journal's thread, and in tests without one.
 *
 * A group is durable when fdatasync has returned. A group that was not stays in memory and is written again: after a failed
 * write over its own partial tail, after a failed fdatasync to a new segment, because the kernel may have dropped the pages and
 * reports that once. The next segment is opened ahead, its name made durable, so that a lack of descriptors does not stop
 * commits.
 */
import type { FileOperations } from './file-operations.js';
import type { Records } from './record-buffer.js';
import { type CommitEntry, commitRecord, fileRecord, recordKinds } from './record-format.js';
import { type Group, sealAll, sealedGroup } from './record-group.js';
import { DAMAGED, FILE_NAME, fileName, loadSnapshot, type Recovery, recover, TEMPORARY } from './recovery.js';
import { StateDirError } from './state-dir-error.js';

/** A segment of this size is followed by another one, so that recovery reads files of bounded size. */
const SEGMENT_BYTES = 256 * 2 ** 20;
const FULL = new Set(['ENOSPC', 'EDQUOT']);

export interface Outcome {
  /** Each record up to this sequence is durable. */
  durable: number;
  /** Why records wait, or null. */
  failure: string | null;
  stateBytes: number;
  /** Bytes of the segments since the last snapshot, and how many they are. */
  segmentBytes: number;
  segments: number;
  snapshotBytes: number;
  writtenBytes: number;
}

interface Segment {
  name: string;
  number: number;
  descriptor: number;
  /** Bytes that are durable. */
  bytes: number;
}

interface OpenSnapshot {
  number: number;
  descriptor: number;
  bytes: number;
  sessions: CommitEntry[];
  records: number;
  nextSequence: number;
}

export class JournalWriter {
  readonly #files: FileOperations;
  readonly #dir: string;
  readonly #wallMs: () => number;
  #directory = -1;
  #sizes = new Map<string, number>();
  #current: Segment | null = null;
  #ahead: Segment | null = null;
  #nextFile = 1;
  /** The number after those of all sessions whose creation is durable. */
  #nextSession = 1;
  #snapshotNumber = 0;
  #pending: Group[] = [];
  #durable = 0;
  #failure: string | null = null;
  #snapshot: OpenSnapshot | null = null;
  #writtenBytes = 0;
  #keepFiles = false;

  constructor(files: FileOperations, dir: string, wallMs: () => number) {
    this.#files = files;
    this.#dir = dir;
    this.#wallMs = wallMs;
  }

  /** Recovers what the directory holds and makes it durable, for a killed process may not have. Throws StateDirError. */
  open(): { recovery: Recovery; outcome: Outcome } {
    try {
      this.#files.makeDirectory(this.#dir);
      this.#directory = this.#files.openDirectory(this.#dir);
      const recovery = recover(this.#files, this.#dir, this.#wallMs);
      for (const name of recovery.segments) this.#files.syncFile(this.#path(name));
      this.#files.sync(this.#directory);
      this.#sizes = recovery.sizes;
      this.#nextFile = recovery.nextFile;
      this.#nextSession = recovery.replay.nextSession;
      this.#durable = recovery.replay.nextSequence - 1;
      this.#keepFiles = recovery.newlyDamaged;
      this.#snapshotNumber = recovery.snapshot === null ? 0 : Number(recovery.snapshot.slice(-12));
      this.#ahead = this.#createWhereRoom();
      return { recovery, outcome: this.#outcome() };
    } catch (error) {
      this.close();
      const reason = messageOf(error).replaceAll('\n', ' ');
      throw new StateDirError(`The state directory ${this.#dir} cannot be used: ${reason}`, { cause: error });
    }
  }

  /** Writes these records, and those that wait, in one group; `null` tries those that wait alone. */
  commit(records: Records | null): Outcome {
    if (records !== null) this.#take(sealedGroup(records));
    if (this.#pending.length > 0) this.#flush();
    return this.#outcome();
  }

  /** Begins a snapshot of the sessions as they are from now on: what is written later stands in a new segment. */
  beginSnapshot(): Outcome {
    this.commit(null);
    if (this.#failure !== null) throw new Error(this.#failure);
    this.abortSnapshot();
    if (this.#current === null || this.#current.bytes > 0) {
      this.#leave();
      this.#current = this.#next();
    }
    const { number } = this.#current;
    const descriptor = this.#files.create(this.#path(fileName('snapshot', number) + TEMPORARY));
    const nextSequence = this.#durable + 1;
    this.#snapshot = { number, descriptor, bytes: 0, sessions: [], records: 0, nextSequence };
    this.#appendSnapshot(fileRecord(number, nextSequence, this.#nextSession));
    return this.#outcome();
  }

  writeSnapshot(records: Records): Outcome {
    const bytes = new Uint8Array(records.buffer, 0, records.length);
    sealAll(bytes, ({ kind, session, from }) => {
      this.#opened.records++;
      if (kind === recordKinds.parts) this.#opened.sessions.push({ session, offset: from, ended: false });
    });
    this.#appendSnapshot(bytes);
    return this.#outcome();
  }

  /**
   * Makes the snapshot durable, reads it again, gives it its name, and removes what it replaces: older snapshots first, so
   * that a snapshot that is there has its segments.
   */
  finishSnapshot(quarantined: boolean): Outcome {
    this.commit(null);
    if (this.#failure !== null) throw new Error(this.#failure);
    const { number, descriptor, sessions, records, nextSequence } = this.#opened;
    this.#appendSnapshot(commitRecord(nextSequence, records, sessions));
    this.#files.sync(descriptor);
    const name = fileName('snapshot', number);
    const temporary = this.#path(name + TEMPORARY);
    const bytes = this.#files.readWhole(temporary);
    if (!loadSnapshot(new Uint8Array(bytes), this.#wallMs).whole)
      throw new Error(`${temporary} reads otherwise than written`);
    this.#files.rename(temporary, this.#path(name));
    this.#files.close(descriptor);
    this.#snapshot = null;
    this.#sizes.set(name, bytes.byteLength);
    this.#files.sync(this.#directory);
    this.#snapshotNumber = number;
    this.#removeBefore(number, quarantined);
    return this.#outcome();
  }

  abortSnapshot(): Outcome {
    const snapshot = this.#snapshot;
    this.#snapshot = null;
    if (snapshot !== null) {
      attempt(() => this.#files.close(snapshot.descriptor));
      attempt(() => this.#files.remove(this.#path(fileName('snapshot', snapshot.number) + TEMPORARY)));
    }
    return this.#outcome();
  }

  close(): void {
    this.abortSnapshot();
    this.#leave();
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead !== null) this.#discard(ahead);
    if (this.#directory >= 0) attempt(() => this.#files.close(this.#directory));
    this.#directory = -1;
  }

  get #opened(): OpenSnapshot {
    if (this.#snapshot === null) throw new Error('no snapshot was begun');
    return this.#snapshot;
  }

  /** A group continues the one before it: what is durable says so of every record below it. */
  #take(group: Group): void {
    const last = this.#pending.at(-1)?.last ?? this.#durable;
    if (group.first !== last + 1) throw new Error(`records ${last + 1} to ${group.first - 1} did not reach the writer`);
    this.#pending.push(group);
  }

  #appendSnapshot(bytes: Uint8Array): void {
    this.#write(this.#opened.descriptor, bytes, this.#opened.bytes);
    this.#opened.bytes += bytes.length;
  }

  #flush(): void {
    let segment: Segment | null = null;
    let written = false;
    try {
      if (this.#current !== null && this.#current.bytes > SEGMENT_BYTES) this.#leave();
      segment = this.#current ??= this.#next();
      let position = segment.bytes;
      if (position === 0) {
        position += this.#write(
          segment.descriptor,
          fileRecord(segment.number, this.#pending[0]!.first, this.#nextSession),
          0,
        );
      }
      for (const { chunks } of this.#pending) {
        for (const chunk of chunks) position += this.#write(segment.descriptor, chunk, position);
      }
      written = true;
      this.#files.datasync(segment.descriptor);
      segment.bytes = position;
      this.#sizes.set(segment.name, position);
      this.#durable = this.#pending.at(-1)!.last;
      this.#nextSession = Math.max(this.#nextSession, ...this.#pending.map(({ nextSession }) => nextSession));
      this.#pending = [];
      this.#failure = null;
    } catch (error) {
      this.#failure = messageOf(error);
      if (segment !== null) this.#retreat(segment, written);
    }
    this.#ahead ??= attempt(() => this.#create()) ?? null;
  }

  /** After a failure: cuts the tail that is not durable, and leaves the segment where its pages cannot be trusted. */
  #retreat(segment: Segment, unsynced: boolean): void {
    let cut = false;
    attempt(() => {
      this.#files.truncate(segment.descriptor, segment.bytes);
      cut = true;
    });
    if (unsynced || !cut) this.#leave();
  }

  /** Closes the current segment; the next group begins another one. */
  #leave(): void {
    const segment = this.#current;
    this.#current = null;
    if (segment === null) return;
    if (segment.bytes === 0) this.#discard(segment);
    else attempt(() => this.#files.close(segment.descriptor));
  }

  #discard({ descriptor, name }: Segment): void {
    attempt(() => this.#files.close(descriptor));
    attempt(() => this.#files.remove(this.#path(name)));
    this.#sizes.delete(name);
  }

  #next(): Segment {
    const segment = this.#ahead ?? this.#create();
    this.#ahead = null;
    this.#sizes.set(segment.name, 0);
    return segment;
  }

  /** Null on a full disk: sessions are served all the same, and commits fail until there is room. */
  #createWhereRoom(): Segment | null {
    try {
      return this.#create();
    } catch (error) {
      if (!FULL.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      return null;
    }
  }

  /** An empty segment whose name is durable. */
  #create(): Segment {
    const number = this.#nextFile;
    const name = fileName('segment', number);
    const descriptor = this.#files.create(this.#path(name));
    this.#nextFile++;
    const segment = { name, number, descriptor, bytes: 0 };
    try {
      this.#files.sync(this.#directory);
    } catch (error) {
      this.#discard(segment);
      throw error;
    }
    return segment;
  }

  #write(descriptor: number, bytes: Uint8Array, position: number): number {
    for (let done = 0; done < bytes.length; ) {
      const count = this.#files.write(descriptor, bytes.subarray(done), position + done);
      if (count === 0) throw new Error('the disk took no byte');
      done += count;
    }
    this.#writtenBytes += bytes.length;
    return bytes.length;
  }

  /** Files that hold what a quarantined session lost are kept under another name until no session is quarantined. */
  #removeBefore(number: number, quarantined: boolean): void {
    const named = this.#files.list(this.#dir).sort().reverse(); // snapshots before segments, newest first
    for (const name of named.filter((one) => Number(FILE_NAME.exec(one)?.[2] ?? number) < number)) {
      if (quarantined && this.#keepFiles) {
        this.#files.rename(this.#path(name), this.#path(DAMAGED + name));
        this.#sizes.set(DAMAGED + name, this.#sizes.get(name) ?? 0);
      } else this.#files.remove(this.#path(name));
      this.#sizes.delete(name);
    }
    if (!quarantined) {
      for (const name of named.filter((one) => one.startsWith(DAMAGED))) {
        this.#files.remove(this.#path(name));
        this.#sizes.delete(name);
      }
    }
    if (this.#keepFiles) this.#files.sync(this.#directory);
    this.#keepFiles = false;
  }

  #outcome(): Outcome {
    let [stateBytes, segmentBytes, segments, snapshotBytes] = [0, 0, 0, 0];
    for (const [name, bytes] of this.#sizes) {
      stateBytes += bytes;
      const [, kind, number] = FILE_NAME.exec(name) ?? [];
      if (kind === 'segment' && Number(number) >= this.#snapshotNumber) {
        segmentBytes += bytes;
        segments++;
      } else if (kind === 'snapshot' && Number(number) === this.#snapshotNumber) snapshotBytes = bytes;
    }
    stateBytes += this.#snapshot?.bytes ?? 0;
    const [durable, failure, writtenBytes] = [this.#durable, this.#failure, this.#writtenBytes];
    return { durable, failure, stateBytes, segmentBytes, segments, snapshotBytes, writtenBytes };
  }

  #path(name: string): string {
    return `${this.#dir}/${name}`;
  }
}

/** Best effort: failures of closing, truncating and removing are ignored: closing, cutting, removing. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

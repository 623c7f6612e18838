/**
 * Compaction: a snapshot of every session takes the place of the segments before it.
 *
 * A new segment is begun first, so that what is appended meanwhile stands after the snapshot; sessions are copied one after
 * the other between micro-batches, each together with the rows it covers, and replay skips those rows. It is due when the
 * segments outgrow the snapshot, when they are many, when damage was found, and while the disk's bound still leaves room for a
 * second snapshot. One that fails changes nothing, and is tried again after RETRY_MS.
 */
import { setImmediate } from 'node:timers/promises';
import { type Clock, wallMs } from '../../abort/index.js';
import type { JournalLog, SessionSnapshot } from './journal-types.js';
import type { Outcome } from './journal-writer.js';
import { RecordBuffer } from './record-buffer.js';
import { recordKinds } from './record-format.js';
import type { LedgerEntry, SessionLedger } from './session-ledger.js';
import type { WriterThread } from './writer-thread.js';

const CHUNK_BYTES = 256 * 1024;
const MOST_SEGMENTS = 64;
const RETRY_MS = 5000;

export interface CompactionParts {
  thread: WriterThread;
  ledger: SessionLedger;
  snapshots: () => Iterable<SessionSnapshot> | AsyncIterable<SessionSnapshot>;
  compactBytes: number;
  stateMaxBytes: number;
  damaged: boolean;
  clock: Clock;
  log: JournalLog | undefined;
}

export class Compaction {
  readonly #parts: CompactionParts;
  readonly #buffer = new RecordBuffer();
  #running: Promise<Outcome | null> | null = null;
  #notBefore = 0;
  #damaged: boolean;
  #closing = false;
  #sequence = 0;
  count = 0;

  constructor(parts: CompactionParts) {
    this.#parts = parts;
    this.#damaged = parts.damaged;
  }

  get running(): boolean {
    return this.#running !== null;
  }

  /** Begins a compaction where one is due, or where `isFull` says that rows find no room; the promise holds what it left, or null where there was none or it failed. */
  async consider(outcome: Outcome, isFull = false): Promise<Outcome | null> {
    const due = (isFull || this.#due(outcome)) && outcome.failure === null && !this.#closing;
    if (this.#running !== null || !due || this.#parts.clock.now() < this.#notBefore) return null;
    this.#running = this.#run();
    try {
      const left = await this.#running;
      if (left === null || this.#presses(left)) this.#notBefore = this.#parts.clock.now() + RETRY_MS;
      return left;
    } finally {
      this.#running = null;
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#running;
  }

  #due(outcome: Outcome): boolean {
    const { segmentBytes, segments, snapshotBytes } = outcome;
    const outgrown = segmentBytes > Math.max(this.#parts.compactBytes, 2 * snapshotBytes);
    return outgrown || segments > MOST_SEGMENTS || this.#damaged || this.#presses(outcome);
  }

  /** Whether the disk's bound leaves no room for a second snapshot, and a compaction would free some. */
  #presses({ stateBytes, segmentBytes, snapshotBytes }: Outcome): boolean {
    const { stateMaxBytes } = this.#parts;
    if (stateBytes > stateMaxBytes) return true;
    return stateBytes + snapshotBytes > stateMaxBytes && segmentBytes > snapshotBytes / 4;
  }

  async #run(): Promise<Outcome | null> {
    const { thread, ledger, log, clock } = this.#parts;
    const began = clock.now();
    try {
      const owed = new Set(ledger.entries());
      await thread.request({ act: 'beginSnapshot' });
      ledger.beginSnapshot();
      this.#sequence = 0;
      this.#buffer.take();
      const quarantined = await this.#write(owed);
      const outcome = await thread.request({ act: 'finishSnapshot', quarantined });
      this.#damaged = false;
      this.count++;
      const { stateBytes, snapshotBytes } = outcome;
      log?.info('journal compacted', { ms: Math.round(clock.now() - began), stateBytes, snapshotBytes });
      return outcome;
    } catch (error) {
      await thread.request({ act: 'abortSnapshot' }).catch(() => {}); // the thread that ended has no snapshot
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#closing) log?.warn('journal not compacted', { reason });
      return null;
    }
  }

  /** Returns whether a session in it is quarantined. */
  async #write(owed: Set<LedgerEntry>): Promise<boolean> {
    const { ledger } = this.#parts;
    const defined = new Set<string>();
    let quarantined = false;
    for (const entry of [...owed].filter((one) => one.quarantined !== null)) {
      if (!isLive(ledger, entry)) continue;
      quarantined = true;
      await this.#writeSession(entry, entry.quarantined!, defined);
      owed.delete(entry);
    }
    for await (const snapshot of this.#parts.snapshots()) {
      if (this.#closing) throw new Error('the journal is closed');
      const entry = ledger.get(snapshot.session.id, snapshot.session.epoch);
      if (entry === undefined || entry.quarantined !== null) continue; // it has ended since the copy was taken
      if (snapshot.offset > entry.next) throw new Error(`a snapshot of ${entry.session.id} covers rows never appended`);
      await this.#writeSession(entry, snapshot, defined);
      owed.delete(entry);
    }
    const missing = [...owed].find((entry) => isLive(ledger, entry));
    if (missing !== undefined) throw new Error(`no snapshot of session ${missing.session.id} was given`);
    for (const { number, ...end } of ledger.recentlyEnded(wallMs())) {
      this.#buffer.json(recordKinds.end, ++this.#sequence, number, end);
      await this.#flushChunk();
    }
    ledger.forgetDefinitions();
    await this.#flush();
    return quarantined;
  }

  async #writeSession(
    entry: LedgerEntry,
    snapshot: SessionSnapshot & { quarantined?: string | null },
    defined: Set<string>,
  ) {
    const { number, session } = entry;
    const { fingerprint } = session;
    const definition = this.#parts.ledger.definitionOf(fingerprint);
    if (definition !== undefined && !defined.has(fingerprint)) {
      this.#buffer.json(recordKinds.network, ++this.#sequence, 0, { fingerprint, definition });
    }
    defined.add(fingerprint);
    const mark = snapshot.quarantined == null ? {} : { quarantined: snapshot.quarantined };
    this.#buffer.json(recordKinds.create, ++this.#sequence, number, { ...session, ...mark });
    this.#buffer.parts(++this.#sequence, number, snapshot.offset, snapshot.parts);
    await this.#flushChunk();
  }

  /** Hands a full chunk to the thread, and lets the event loop turn. */
  async #flushChunk(): Promise<void> {
    if (this.#buffer.length < CHUNK_BYTES) return;
    await this.#flush();
    await setImmediate();
  }

  async #flush(): Promise<void> {
    if (this.#buffer.length === 0) return;
    const records = this.#buffer.take();
    await this.#parts.thread.request({ act: 'writeSnapshot', records }, [records.buffer]);
  }
}

function isLive(ledger: SessionLedger, { session }: LedgerEntry): boolean {
  return ledger.get(session.id, session.epoch) !== undefined;
}

/**
 * The one journal of a state-dir: what sessions were created, fed and ended.
 *
 *     sequence := append(record)          copies it into a buffer, nothing more
 *     every checkpointMs                  the buffer goes to a thread, which writes it and calls fdatasync: a group commit
 *     durable                             the last sequence of the last group whose fdatasync returned
 *
 * A caller in whenDurable makes the group commit begin at once, or as soon as the one under way has ended. While the disk fails
 * `failing` says why, `durable` stands still and append goes on within `undurableMaxBytes`; it is tried again after pauses that
 * grow to 5 s, and what waited is written then. The end of a session is taken beyond any bound. While a compaction makes room,
 * `stateMaxBytes` may be exceeded by `undurableMaxBytes`.
 * Errors: BridgeError `storage`; RangeError and TypeError for a record that does not continue its session.
 */
import { type Clock, wallMs } from '../../abort/index.js';
import { checkOptions, ListenerErrors } from '../../errors/index.js';
import { Compaction } from './compaction.js';
import { DurabilityWaiters, storageError } from './durability.js';
import { endedWithinTheHour } from './ended-sessions.js';
import type { FileOperations } from './file-operations.js';
import { journalOptions } from './journal-options.js';
import type { JournalFigures, JournalOptions, JournalRecord, RecoveredState } from './journal-types.js';
import type { Outcome } from './journal-writer.js';
import { RecordBuffer } from './record-buffer.js';
import { recordKinds } from './record-format.js';
import { SessionLedger } from './session-ledger.js';
import type { Opened } from './writer-requests.js';
import { WriterThread } from './writer-thread.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** Records that were handed over together and are not durable. */
interface Group {
  last: number;
  bytes: number;
  rows: number;
  /** When the first of them was appended. */
  since: number;
}

type CheckedOptions = ReturnType<typeof journalOptions.parse>;

export class Journal {
  readonly #options: CheckedOptions;
  readonly #clock: Clock;
  readonly #thread: WriterThread;
  readonly #ledger: SessionLedger;
  readonly #compaction: Compaction;
  readonly #buffer = new RecordBuffer();
  readonly #waiters = new DurabilityWaiters();
  readonly #listeners: ((durable: number) => void)[] = [];
  readonly #listenerErrors = new ListenerErrors();
  #sequence: number;
  #durable: number;
  #failing: string | null = null;
  #outcome: Outcome;
  /** Handed over, oldest first. */
  #groups: Group[] = [];
  /** Bytes of the groups. */
  #handedBytes = 0;
  /** In the buffer. */
  #open: Group = { last: 0, bytes: 0, rows: 0, since: 0 };
  #attempting: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #closed = false;
  #commits = 0;
  #errors = 0;
  #lastCommitSeconds = 0;
  #lastSuccessSeconds = 0;

  /**
   * Opens the journal, and recovers what it holds. `files` puts another file system in the place of Node's and has the
   * writer run on the calling thread: for tests. Errors: StateDirError.
   */
  static async open(options: JournalOptions, files?: FileOperations): Promise<RecoveredState & { journal: Journal }> {
    const checked = checkOptions(journalOptions, options, 'Journal');
    const thread = new WriterThread(checked.dir, files);
    let opened: Opened;
    try {
      opened = await thread.request({ act: 'open' });
    } catch (error) {
      await thread.close();
      throw error;
    }
    const journal = new Journal(checked, thread, opened);
    const { definitions, unnamed, ended } = opened;
    const sessions = opened.sessions.map(({ number, session, ...recovered }) => {
      const { fingerprint } = session;
      const known = definitions.has(fingerprint) ? { definition: definitions.get(fingerprint) } : {};
      return { ...recovered, session: { ...session, ...known } };
    });
    const quarantined = sessions.filter((session) => session.quarantined !== null);
    if (quarantined.length > 0 || unnamed > 0) {
      const ids = quarantined.slice(0, 20).map(({ session }) => session.id);
      checked.log?.warn('sessions are quarantined', { quarantined: quarantined.length, unnamed, ids });
    }
    return {
      journal,
      sessions,
      ended: ended.filter((end) => endedWithinTheHour(end, wallMs())).map(({ number, ...end }) => end),
      unnamed,
    };
  }

  private constructor(options: CheckedOptions, thread: WriterThread, opened: Opened) {
    this.#options = options;
    this.#clock = options.clock;
    this.#thread = thread;
    this.#ledger = new SessionLedger(opened);
    this.#sequence = this.#durable = opened.nextSequence - 1;
    this.#outcome = opened.outcome;
    this.#compaction = new Compaction({
      thread,
      ledger: this.#ledger,
      snapshots: options.snapshots,
      compactBytes: options.compactBytes,
      stateMaxBytes: options.stateMaxBytes ?? Number.POSITIVE_INFINITY,
      damaged: opened.newlyDamaged,
      clock: options.clock,
      log: options.log,
    });
  }

  /** Every record up to this sequence has survived fdatasync. */
  get durable(): number {
    return this.#durable;
  }

  /** Why the disk takes no records, or null while it does. */
  get failing(): string | null {
    return this.#failing;
  }

  get figures(): JournalFigures {
    const groups = this.#open.bytes > 0 ? [...this.#groups, this.#open] : this.#groups;
    return {
      commits: this.#commits,
      errors: this.#errors,
      lastCommitSeconds: this.#lastCommitSeconds,
      lastSuccessSeconds: this.#lastSuccessSeconds,
      undurableRows: groups.reduce((sum, { rows }) => sum + rows, 0),
      undurableBytes: this.#undurableBytes,
      oldestUndurableMs: groups[0] === undefined ? 0 : this.#clock.now() - groups[0].since,
      stateBytes: this.#outcome.stateBytes,
      writtenBytes: this.#outcome.writtenBytes,
      compactions: this.#compaction.count,
    };
  }

  /** Takes a copy of the record; returns its sequence. Synchronous: nothing is written yet. */
  append(record: JournalRecord): number {
    this.#checkRoom(record);
    if (record.kind === 'rows') {
      const { entry, count } = this.#ledger.rows(record);
      if (count === 0) return this.#sequence;
      this.#buffer.rows(this.#begin(count), entry.number, record.from, count, record.rows, record.targets);
      entry.next += count;
    } else if (record.kind === 'create') {
      const { session } = record;
      const needsDefinition = this.#ledger.needsDefinition(session);
      const { number, session: stored } = this.#ledger.create(session);
      const { fingerprint, definition } = session;
      if (needsDefinition) this.#buffer.json(recordKinds.network, this.#begin(0), 0, { fingerprint, definition });
      this.#buffer.json(recordKinds.create, this.#begin(0), number, stored);
    } else {
      const { id, epoch, reason } = record;
      const entry = this.#ledger.get(id, epoch);
      if (entry === undefined)
        throw new RangeError(`Expected a session that has begun but received ${id} of epoch ${epoch}`);
      const end = { id, epoch, reason, endedAt: new Date(wallMs()).toISOString() };
      this.#ledger.end(entry, end);
      this.#buffer.json(recordKinds.end, this.#begin(0), entry.number, end);
    }
    this.#open.bytes = this.#buffer.length;
    this.#schedule();
    return this.#sequence;
  }

  /** Begins a commit where none is under way. Rejects with BridgeError `storage` while the disk fails. */
  async whenDurable(sequence: number, signal?: AbortSignal): Promise<void> {
    if (sequence <= this.#durable) return;
    if (sequence > this.#sequence) {
      throw new RangeError(`Expected the sequence of a record, at most ${this.#sequence}, but received ${sequence}`);
    }
    if (this.#failing !== null) throw storageError(this.#failing);
    const durable = this.#waiters.wait(sequence, signal);
    void this.#attempt();
    return durable;
  }

  /** Commits what was appended so far, now; while the disk fails this is another attempt. */
  async commit(): Promise<void> {
    const last = this.#sequence;
    while (this.#durable < last) {
      await this.#attempt();
      if (this.#failing !== null && this.#durable < last) throw storageError(this.#failing);
    }
  }

  /** Called with the durable sequence each time it has moved. */
  onCommit(listener: (durable: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Commits what is left, and rejects where the disk does not take it; closed in any case. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#compaction.close();
      await this.commit();
    } finally {
      this.#cancelTimer?.();
      await this.#thread.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #undurableBytes(): number {
    return this.#handedBytes + this.#buffer.length;
  }

  #checkRoom(record: JournalRecord): void {
    if (this.#closed) throw storageError('the journal is closed');
    if (record.kind === 'end') return;
    const { undurableMaxBytes, stateMaxBytes = Number.POSITIVE_INFINITY } = this.#options;
    const waiting = this.#undurableBytes;
    const more = record.kind === 'rows' ? RecordBuffer.bytesOfRows(record.rows, record.targets) : 0;
    if (waiting + more > undurableMaxBytes) {
      throw storageError(
        this.#failing ?? `${waiting} bytes wait for the disk, undurableMaxBytes is ${undurableMaxBytes}`,
      );
    }
    const beyond = this.#outcome.stateBytes + waiting + more - stateMaxBytes;
    if (beyond <= 0) return;
    if (!this.#compaction.running) void this.#compact(true);
    if (!this.#compaction.running || beyond > undurableMaxBytes) {
      throw storageError(`it holds stateMaxBytes, ${stateMaxBytes} bytes`);
    }
  }

  #begin(rows: number): number {
    if (this.#open.bytes === 0) this.#open.since = this.#clock.now();
    this.#open.rows += rows;
    this.#open.last = ++this.#sequence;
    return this.#sequence;
  }

  #schedule(): void {
    if (this.#cancelTimer !== null || this.#attempting !== null || this.#buffer.length === 0) return;
    this.#timer(this.#options.checkpointMs);
  }

  #timer(ms: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(ms, () => void this.#attempt(), { hold: true });
  }

  /** A group commit of what is in the buffer and what waits in the thread, or the one that is under way. */
  #attempt(): Promise<void> {
    this.#attempting ??= this.#handOver().finally(() => {
      this.#attempting = null;
      this.#continue();
    });
    return this.#attempting;
  }

  async #handOver(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const began = this.#clock.now();
    const records = this.#buffer.length === 0 ? null : this.#buffer.take();
    if (records !== null) {
      this.#groups.push(this.#open);
      this.#handedBytes += this.#open.bytes;
      this.#open = { last: 0, bytes: 0, rows: 0, since: 0 };
    }
    const before = this.#durable;
    try {
      this.#outcome = await this.#thread.request({ act: 'commit', records }, records === null ? [] : [records.buffer]);
      this.#durable = this.#outcome.durable;
      this.#note(this.#outcome.failure, (this.#clock.now() - began) / 1000);
    } catch (error) {
      this.#note(error instanceof Error ? error.message : String(error), (this.#clock.now() - began) / 1000);
    }
    this.#groups = this.#groups.filter(({ last }) => last > this.#durable);
    this.#handedBytes = this.#groups.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#waiters.settle(this.#durable, this.#failing);
    if (this.#durable > before) this.#notify();
  }

  /** After an attempt: the next one, at once where a caller waits, and a compaction where one is due. */
  #continue(): void {
    if (this.#failing !== null) {
      if (this.#closed) return;
      this.#timer(this.#pauseMs);
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs);
    } else if (this.#waiters.size > 0) void this.#attempt();
    else this.#schedule();
    void this.#compact();
  }

  async #compact(isFull = false): Promise<void> {
    const left = await this.#compaction.consider(this.#outcome, isFull);
    if (left !== null) this.#outcome = left;
  }

  #notify(): void {
    for (const listener of this.#listeners) void this.#listenerErrors.call(listener, 'commit', [this.#durable]);
  }

  #note(failure: string | null, seconds: number): void {
    if (failure === null) {
      this.#commits++;
      this.#lastCommitSeconds = seconds;
      this.#lastSuccessSeconds = wallMs() / 1000;
      this.#pauseMs = FIRST_PAUSE_MS;
      if (this.#failing !== null) this.#options.log?.info('the state directory takes records again');
    } else {
      this.#errors++;
      if (this.#failing !== failure)
        this.#options.log?.warn('the state directory takes no records', { reason: failure });
    }
    this.#failing = failure;
    this.#options.onAttempt?.(seconds, failure);
  }
}

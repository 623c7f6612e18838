/**
 * Applies the records of segments, in order, to the sessions of a snapshot.
 *
 * Records have consecutive sequences. A sequence that was seen is skipped; one that is missing is a gap, and these say what it
 * held: a record in it whose header is legible names its session; the commit record of its group gives the offset that each
 * session of the group had. A gap that no commit record covers may concern every session of that time: each is quarantined
 * unless a later record continues exactly where it stood. What is damaged at the very end, with nothing true behind it, was
 * never durable: it is cut.
 */
import type { EndedSession, SessionRecord } from './journal-types.js';
import { partsOf } from './record-buffer.js';
import {
  type CommitEntry,
  checkFormat,
  commitEntries,
  jsonOf,
  padded,
  type RecordHeader,
  recordKinds,
} from './record-format.js';
import type { ScannedRecord } from './record-scan.js';
import type { RowsPiece } from './rows-pieces.js';

export interface ReplayedSession {
  number: number;
  session: SessionRecord;
  offset: number;
  parts: Record<string, Uint8Array> | null;
  pieces: RowsPiece[];
  /** Rows known: where the next record continues. */
  next: number;
  quarantined: string | null;
}

export interface NumberedEnd extends EndedSession {
  number: number;
}

interface Gap {
  first: number;
  last: number;
  /** Sessions that may have lost rows in it. */
  suspects: Set<number>;
}

const GAP = 'records of the journal that may concern it are damaged';
const ROWS = 'a record of its rows is damaged';

export class Replay {
  readonly sessions = new Map<number, ReplayedSession>();
  readonly ended = new Map<number, NumberedEnd>();
  readonly definitions = new Map<string, unknown>();
  /** Numbers of sessions whose creation could not be read. */
  readonly unnamed = new Set<number>();
  nextSequence: number;
  nextSession = 1;
  /** Sessions of lower numbers are in the snapshot, or had ended. */
  firstSession = 1;
  #gaps: Gap[] = [];
  /** Records with a legible header and a damaged payload, not yet known to be more than a torn tail. */
  #doubtful: RecordHeader[] = [];
  readonly #now: () => number;

  constructor(nextSequence: number, wallMs: () => number) {
    this.nextSequence = nextSequence;
    this.#now = wallMs;
  }

  apply({ header, payload, sound }: ScannedRecord): void {
    const { kind, sequence } = header;
    if (!sound) {
      this.#doubtful.push(header);
    } else if (kind === recordKinds.file) {
      checkFormat(header);
      this.#reach(sequence);
      this.nextSession = Math.max(this.nextSession, header.session);
    } else if (kind === recordKinds.commit) {
      this.#reach(sequence + 1);
      this.#confirm(header.from, sequence, commitEntries(payload));
    } else if (sequence >= this.nextSequence) {
      this.#reach(sequence);
      this.nextSequence = sequence + 1;
      this.#change(header, payload);
    }
  }

  /** After the last record: what is still doubtful was never durable, what is still suspect is quarantined. */
  finish(): void {
    for (const { suspects } of this.#gaps) for (const number of suspects) this.quarantine(number, GAP);
    this.#gaps = [];
    this.#doubtful = [];
    for (let number = this.firstSession; number < this.nextSession; number++) {
      if (!this.sessions.has(number) && !this.ended.has(number)) this.unnamed.add(number);
    }
  }

  create(header: RecordHeader, payload: Uint8Array): void {
    const { quarantined = null, ...session } = jsonOf(payload) as SessionRecord & { quarantined?: string };
    const number = header.session;
    this.#know(number);
    this.sessions.set(number, { number, session, offset: 0, parts: null, pieces: [], next: 0, quarantined });
  }

  parts(header: RecordHeader, payload: Uint8Array): void {
    const session = this.#named(header.session);
    if (session === undefined) return;
    session.parts = partsOf(payload);
    session.offset = session.next = header.from;
  }

  end(header: RecordHeader, payload: Uint8Array): void {
    this.#know(header.session);
    this.#end({ number: header.session, ...(jsonOf(payload) as EndedSession) });
  }

  network(payload: Uint8Array): void {
    const { fingerprint, definition } = jsonOf(payload) as { fingerprint: string; definition: unknown };
    this.definitions.set(fingerprint, definition);
  }

  quarantine(number: number, reason: string): void {
    const session = this.#named(number);
    if (session !== undefined) session.quarantined ??= reason;
  }

  #change(header: RecordHeader, payload: Uint8Array): void {
    if (header.kind === recordKinds.rows) this.#rows(header, payload);
    else if (header.kind === recordKinds.create) {
      // A snapshot taken after its record was appended holds it already.
      const known = this.sessions.has(header.session) || this.ended.has(header.session);
      if (!known) this.create(header, payload);
    } else if (header.kind === recordKinds.end) this.end(header, payload);
    else if (header.kind === recordKinds.network) this.network(payload);
  }

  #rows({ session: number, from, count, targets, valueBytes }: RecordHeader, payload: Uint8Array): void {
    const session = this.#named(number);
    if (session === undefined || session.quarantined !== null) return;
    if (from > session.next) {
      this.quarantine(number, `rows ${session.next} to ${from - 1} are missing`);
      return;
    }
    const { inputs } = session.session;
    if (payload.length !== padded(count * inputs * valueBytes) + 8 * targets * count) {
      this.quarantine(number, 'a record of its rows has another size than its session says');
      return;
    }
    this.#clear(number);
    if (from + count <= session.next) return;
    const skipped = session.next - from;
    session.pieces.push({
      payload,
      from: session.next,
      count: count - skipped,
      targets,
      rowsAt: valueBytes * inputs * skipped,
      targetsAt: padded(count * inputs * valueBytes) + 8 * targets * skipped,
    });
    session.next = from + count;
  }

  /** All sequences below `next` have been written: those that were not seen are lost. */
  #reach(next: number): void {
    if (next > this.nextSequence) {
      const lost = new Map(this.#doubtful.filter(({ sequence }) => sequence < next).map((one) => [one.sequence, one]));
      let first = this.nextSequence;
      for (const [sequence, header] of [...lost].sort(([a], [b]) => a - b)) {
        if (sequence < first) continue;
        this.#gap(first, sequence - 1);
        this.#lose(header);
        first = sequence + 1;
      }
      this.#gap(first, next - 1);
      this.nextSequence = next;
    }
    this.#doubtful = [];
  }

  #gap(first: number, last: number): void {
    if (first <= last) this.#gaps.push({ first, last, suspects: new Set(this.sessions.keys()) });
  }

  /** A record is lost whose header is legible. */
  #lose({ kind, session: number }: RecordHeader): void {
    if (kind === recordKinds.rows) this.quarantine(number, ROWS);
    else if (kind === recordKinds.create) this.unnamed.add(number);
    else if (kind === recordKinds.end) this.#endedAtLeast(number);
  }

  /** A commit record: what it says of its sessions holds, and no gap within its group concerns another one. */
  #confirm(first: number, last: number, entries: readonly CommitEntry[]): void {
    for (const { session: number, offset, ended } of entries) {
      this.#know(number);
      const session = this.sessions.get(number);
      if (this.ended.has(number)) continue;
      if (ended) this.#endedAtLeast(number);
      else if (session === undefined) this.unnamed.add(number);
      else if (session.next < offset) this.quarantine(number, `rows ${session.next} to ${offset - 1} are missing`);
      else this.#clear(number);
    }
    for (const gap of this.#gaps) if (gap.last >= first && gap.first <= last) gap.last = first - 1;
    this.#gaps = this.#gaps.filter((gap) => gap.first <= gap.last);
  }

  #clear(number: number): void {
    for (const { suspects } of this.#gaps) suspects.delete(number);
  }

  /** Its end is known, not its time. */
  #endedAtLeast(number: number): void {
    const session = this.sessions.get(number)?.session;
    if (session === undefined) return;
    const endedAt = new Date(this.#now()).toISOString();
    this.#end({ number, id: session.id, epoch: session.epoch, reason: 'deleted', endedAt });
  }

  #end(end: NumberedEnd): void {
    this.sessions.delete(end.number);
    this.unnamed.delete(end.number);
    this.#clear(end.number);
    this.ended.set(end.number, end);
  }

  #named(number: number): ReplayedSession | undefined {
    this.#know(number);
    const session = this.sessions.get(number);
    if (session === undefined && !this.ended.has(number)) this.unnamed.add(number);
    return session;
  }

  #know(number: number): void {
    this.nextSession = Math.max(this.nextSession, number + 1);
  }
}

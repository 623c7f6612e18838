/** The sessions that have begun and not ended, as the journal knows them: their numbers on disk and how far their rows go. */
import { endedWithinTheHour, forgetOldest } from './ended-sessions.js';
import type { EndedSession, JournalRecord, RecoveredSession, SessionRecord } from './journal-types.js';
import type { NumberedEnd } from './replay.js';
import type { Opened } from './writer-requests.js';

export interface LedgerEntry {
  number: number;
  session: SessionRecord;
  /** Rows appended. */
  next: number;
  /** What stays on disk of a session that is not served. */
  quarantined: RecoveredSession | null;
}

type RowsRecord = Extract<JournalRecord, { kind: 'rows' }>;

export class SessionLedger {
  /** By id and epoch; a session that is quarantined may stand beside a later one of its id. */
  readonly #byId = new Map<string, Map<string, LedgerEntry>>();
  /** Those that ended, by their numbers, the oldest first: at most MOST_ENDED, and at a snapshot those of the last hour. */
  readonly #ended: Map<number, NumberedEnd>;
  /** Definitions by fingerprint. */
  readonly #definitions: Map<string, unknown>;
  /** Fingerprints whose definition stands in the files that stay. */
  #stored: Set<string>;
  #nextNumber: number;

  constructor({ sessions, ended, definitions, nextSession }: Opened) {
    for (const recovered of sessions) {
      const { number, session, offset, rows, quarantined } = recovered;
      const next = rows.reduce((sum, one) => sum + one.rows.length / session.inputs, offset);
      const kept = quarantined === null ? null : { ...recovered, rows: [] };
      this.#add({ number, session, next, quarantined: kept });
    }
    this.#ended = new Map(ended.map((end) => [end.number, end]));
    this.#definitions = definitions;
    this.#stored = new Set(definitions.keys());
    this.#nextNumber = nextSession;
  }

  *entries(): Generator<LedgerEntry> {
    for (const epochs of this.#byId.values()) yield* epochs.values();
  }

  get(id: string, epoch: string): LedgerEntry | undefined {
    return this.#byId.get(id)?.get(epoch);
  }

  /** Whether the definition has to be written before the session. */
  needsDefinition({ fingerprint, definition }: SessionRecord): boolean {
    return definition !== undefined && !this.#stored.has(fingerprint);
  }

  create({ definition, ...session }: SessionRecord): LedgerEntry {
    if (this.get(session.id, session.epoch) !== undefined) {
      throw new RangeError(`Expected a new epoch for session ${session.id} but received one that the journal holds`);
    }
    if (definition !== undefined) {
      this.#definitions.set(session.fingerprint, definition);
      this.#stored.add(session.fingerprint);
    }
    const entry = { number: this.#nextNumber++, session, next: 0, quarantined: null };
    this.#add(entry);
    return entry;
  }

  end(entry: LedgerEntry, end: EndedSession): void {
    const { id, epoch } = entry.session;
    const epochs = this.#byId.get(id);
    epochs?.delete(epoch);
    if (epochs?.size === 0) this.#byId.delete(id);
    this.#ended.set(entry.number, { ...end, number: entry.number });
    forgetOldest(this.#ended);
  }

  /** The entry whose rows these are, checked, and how many they are. */
  rows({ id, epoch, from, rows, targets }: RowsRecord): { entry: LedgerEntry; count: number } {
    const entry = this.get(id, epoch);
    if (entry === undefined || entry.quarantined !== null) {
      throw new RangeError(`Expected a session that has begun and not ended but received ${id} of epoch ${epoch}`);
    }
    const { inputs, targets: outputs, dtype } = entry.session;
    const count = rows.length / inputs;
    if (rows.BYTES_PER_ELEMENT !== (dtype === 'f32' ? 4 : 8)) {
      throw new TypeError(`Expected rows of ${dtype} for session ${id} but received a ${rows.constructor.name}`);
    }
    if (!Number.isInteger(count)) {
      throw new RangeError(`Expected rows of ${inputs} values for session ${id} but received ${rows.length} values`);
    }
    if (targets !== null && targets.length !== count * outputs) {
      throw new RangeError(`Expected ${count * outputs} targets for session ${id} but received ${targets.length}`);
    }
    if (from !== entry.next) {
      throw new RangeError(`Expected rows from ${entry.next} on for session ${id} but received them from ${from}`);
    }
    return { entry, count };
  }

  /** From now on definitions are written to the new segment; those of sessions in the snapshot stand in it. */
  beginSnapshot(): void {
    this.#stored = new Set();
  }

  definitionOf(fingerprint: string): unknown {
    return this.#definitions.get(fingerprint);
  }

  /** A copy of the sessions that ended within the last hour; older ones are forgotten. */
  recentlyEnded(wallMs: number): NumberedEnd[] {
    for (const [number, end] of this.#ended) {
      if (endedWithinTheHour(end, wallMs)) break;
      this.#ended.delete(number);
    }
    return [...this.#ended.values()];
  }

  /** Forgets definitions that no session uses. */
  forgetDefinitions(): void {
    const used = new Set([...this.entries()].map(({ session }) => session.fingerprint));
    for (const fingerprint of this.#definitions.keys()) {
      if (!used.has(fingerprint)) {
        this.#definitions.delete(fingerprint);
        this.#stored.delete(fingerprint);
      }
    }
  }

  #add(entry: LedgerEntry): void {
    const { id, epoch } = entry.session;
    const epochs = this.#byId.get(id) ?? new Map<string, LedgerEntry>();
    this.#byId.set(id, epochs.set(epoch, entry));
  }
}

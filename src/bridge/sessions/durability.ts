/**
 * What of the sessions survives power loss: records go to the journal, and each group commit moves the sessions' `durable`.
 * Without a journal nothing does.
 */

import type { Journal, JournalRecord } from '../journal/index.js';
import { BridgeError } from '../messages/index.js';
import type { Session } from './session.js';

interface Pending {
  session: Session;
  sequence: number;
  offset: number;
}

export class Durability {
  readonly #journal: Journal | null;
  /** Rows appended and not durable yet, in the order of their sequence. */
  #pending: Pending[] = [];
  #first = 0;

  constructor(journal: Journal | null) {
    this.#journal = journal;
    journal?.onCommit((sequence) => this.#committed(sequence));
  }

  /** What answers say of it; undefined when all is well. */
  get state(): 'degraded' | 'none' | undefined {
    if (this.#journal === null) return 'none';
    return this.#journal.failing === null ? undefined : 'degraded';
  }

  /** Errors: BridgeError `storage` where too many bytes wait for the disk; nothing was appended then. */
  append(record: JournalRecord, session: Session): void {
    if (this.#journal === null) return;
    session.sequence = this.#journal.append(record);
    if (record.kind !== 'rows') return;
    const offset = record.from + record.rows.length / session.record.inputs;
    this.#pending.push({ session, sequence: session.sequence, offset });
  }

  /** Appends the end of a session; returns its sequence number. */
  end(record: JournalRecord): number {
    return this.#journal === null ? 0 : this.#journal.append(record);
  }

  /** Errors: BridgeError `storage` while the disk fails. */
  async until(sequence: number, signal?: AbortSignal): Promise<void> {
    if (this.#journal !== null && this.#journal.durable < sequence) await this.#journal.whenDurable(sequence, signal);
  }

  /** Errors: BridgeError `impossible` without a journal. */
  require(): void {
    if (this.#journal !== null) return;
    throw new BridgeError(
      'impossible',
      'Expected no ack: "durable": this bridge keeps sessions in memory only (no state-dir)',
    );
  }

  #committed(sequence: number): void {
    const pending = this.#pending;
    while (this.#first < pending.length && pending[this.#first]!.sequence <= sequence) {
      const { session, offset } = pending[this.#first++]!;
      session.committed = Math.max(session.committed, offset);
    }
    if (2 * this.#first > pending.length) {
      this.#pending = pending.slice(this.#first);
      this.#first = 0;
    }
  }
}

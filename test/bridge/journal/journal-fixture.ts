/** Sessions of a journal under test: each row says which session and which number it is, so that a wrong row is seen. */

import type { FileOperations } from '../../../src/bridge/journal/file-operations.js';
import {
  Journal,
  type JournalOptions,
  type RecoveredSession,
  type SessionRecord,
  type SessionSnapshot,
} from '../../../src/bridge/journal/index.js';

export const dir = '/state';

export function session(id: string, more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id,
    epoch: `epoch-of-${id}`,
    network: 'default',
    fingerprint: 'f'.repeat(64),
    inputs: 2,
    targets: 1,
    dtype: 'f32',
    createdAt: '2026-01-01T00:00:00.000Z',
    definition: { units: 8, note: 'é' },
    ...more,
  };
}

const seedOf = ({ id }: SessionRecord): number =>
  [...id].reduce((sum, character) => 31 * sum + character.charCodeAt(0), 7) % 997;

/** Rows from..from+count-1 of a session. */
export function rowsOf(of: SessionRecord, from: number, count: number) {
  const value = (index: number, width: number) => seedOf(of) + from + Math.floor(index / width) + (index % width) / 4;
  const length = count * of.inputs;
  const rows = of.dtype === 'f32' ? new Float32Array(length) : new Float64Array(length);
  for (let index = 0; index < length; index++) rows[index] = value(index, of.inputs);
  const targets = of.targets === 0 ? null : new Float64Array(count * of.targets);
  targets?.forEach((_, index) => {
    targets[index] = -value(index, of.targets);
  });
  return { rows, targets };
}

/** A service that only counts: its state is the offset, written as bytes. */
export class CountingSessions {
  readonly offsets = new Map<string, number>();
  readonly sessions = new Map<string, SessionRecord>();
  journal!: Journal;

  static async open(files?: FileOperations, options: Partial<JournalOptions> = {}) {
    const service = new CountingSessions();
    const opened = await Journal.open({ dir, snapshots: () => service.snapshots(), ...options }, files);
    service.journal = opened.journal;
    for (const recovered of opened.sessions) {
      if (recovered.quarantined !== null) continue;
      service.sessions.set(recovered.session.id, recovered.session);
      service.offsets.set(recovered.session.id, checkedOffset(recovered));
    }
    return { service, ...opened };
  }

  create(of: SessionRecord): number {
    const sequence = this.journal.append({ kind: 'create', session: of });
    this.sessions.set(of.id, of);
    this.offsets.set(of.id, 0);
    return sequence;
  }

  feed(id: string, count: number): number {
    const of = this.sessions.get(id)!;
    const from = this.offsets.get(id)!;
    const sequence = this.journal.append({ kind: 'rows', id, epoch: of.epoch, from, ...rowsOf(of, from, count) });
    this.offsets.set(id, from + count);
    return sequence;
  }

  end(id: string): number {
    const { epoch } = this.sessions.get(id)!;
    this.sessions.delete(id);
    this.offsets.delete(id);
    return this.journal.append({ kind: 'end', id, epoch, reason: 'deleted' });
  }

  *snapshots(): Generator<SessionSnapshot> {
    for (const [id, of] of this.sessions) {
      const offset = this.offsets.get(id)!;
      yield { session: of, offset, parts: { state: new Uint8Array(new Float64Array([offset, seedOf(of)]).buffer) } };
    }
  }
}

/** The offset that a recovered session reaches; throws where a row, a target or the snapshot is another one's. */
export function checkedOffset(recovered: RecoveredSession): number {
  const { session: of, offset, parts, rows, quarantined } = recovered;
  if (offset > 0 || parts['state'] !== undefined) {
    const state = new Float64Array(parts['state']!.slice().buffer);
    if (quarantined === null && (state[0] !== offset || state[1] !== seedOf(of)))
      throw new Error(`wrong snapshot of ${of.id}`);
  }
  let next = offset;
  for (const one of rows) {
    const count = one.rows.length / of.inputs;
    const expected = rowsOf(of, next, count);
    if (one.from !== next || !same(one.rows, expected.rows) || !same(one.targets, expected.targets)) {
      throw new Error(`wrong rows of ${of.id} from ${one.from}`);
    }
    next += count;
  }
  return next;
}

function same(a: Float32Array | Float64Array | null, b: Float32Array | Float64Array | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.constructor === b.constructor && a.length === b.length && a.every((value, index) => Object.is(value, b[index]))
  );
}

/** Turns of the event loop, for what goes on without a caller. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

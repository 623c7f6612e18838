/**
 * A session that cannot be served: its network cannot be rebuilt, or rows of it may be lost. It stays on disk until it is
 * deleted, or until a later start can rebuild its network.
 *
 * At compaction its snapshot carries, beside the parts of the old one, the rows after it:
 *
 *     parts.tail = JSON [{ from, rows, targets }], lengths in bytes      parts.tailBytes = rows and targets, one after the other
 */

import type { RecoveredSession, SessionSnapshot } from '../journal/index.js';
import { BridgeError } from '../messages/index.js';
import type { KeptRecord } from './session.js';

export type BlockedReason = 'network_changed' | 'quarantined';
type RecoveredRows = RecoveredSession['rows'];

export class BlockedSession {
  readonly record: KeptRecord;
  readonly blocked: BlockedReason;
  readonly recovered: RecoveredSession;
  /** Rows on disk. */
  readonly offset: number;
  readonly durable: number;
  readonly exact = false;
  /** Columns of its outputs; 0 where only its network has them. */
  readonly width: number;
  ending: Promise<number> | null = null;

  constructor(recovered: RecoveredSession, blocked: BlockedReason) {
    this.record = recovered.session as KeptRecord;
    this.recovered = recovered;
    this.blocked = blocked;
    const last = recovered.rows.at(-1);
    this.offset = last === undefined ? recovered.offset : last.from + last.rows.length / this.record.inputs;
    this.durable = this.offset;
    const { columns, learner } = this.record.settings;
    this.width = columns?.length ?? learner?.outputs ?? 0;
  }

  error(): BridgeError {
    const { record, offset } = this;
    const details = { offset, durable: offset };
    if (this.blocked === 'network_changed') {
      const text = `The network ${record.network} of session ${record.id} cannot be rebuilt as it was: delete the session, or restart with its configuration`;
      return new BridgeError('network_changed', text, { details });
    }
    const text = `Rows of session ${record.id} may be lost (${this.recovered.quarantined}): delete it and begin again`;
    return new BridgeError('storage', text, { details });
  }

  /** What a compaction keeps of it. */
  snapshot(): SessionSnapshot {
    const { session, parts, rows } = this.recovered;
    return { session, offset: this.offset, parts: rows.length === 0 ? parts : { ...parts, ...tailOf(rows) } };
  }
}

/** The parts of rows that stand after a snapshot's state. */
export function tailOf(rows: RecoveredRows): Record<string, Uint8Array> {
  const meta = rows.map(({ from, rows: some, targets }) => ({
    from,
    rows: some.byteLength,
    targets: targets === null ? null : targets.byteLength,
  }));
  const views = rows.flatMap(({ rows: some, targets }) => (targets === null ? [some] : [some, targets]));
  return { tail: Buffer.from(JSON.stringify(meta)), tailBytes: Buffer.concat(views.map(bytesOf)) };
}

/** A recovered session with the rows of its tail in front of those of the journal. */
export function withTail(recovered: RecoveredSession): RecoveredSession {
  const { tail, tailBytes, ...parts } = recovered.parts;
  if (tail === undefined || tailBytes === undefined) return recovered;
  const Rows = recovered.session.dtype === 'f32' ? Float32Array : Float64Array;
  const meta = JSON.parse(Buffer.from(tail).toString()) as { from: number; rows: number; targets: number | null }[];
  let at = 0;
  const next = (bytes: number) => {
    at += bytes;
    return tailBytes.slice(at - bytes, at).buffer;
  };
  const rows = meta.map(({ from, rows: bytes, targets }) => ({
    from,
    rows: new Rows(next(bytes)),
    targets: targets === null ? null : new Float64Array(next(targets)),
  }));
  return { ...recovered, offset: meta[0]!.from, parts, rows: [...rows, ...recovered.rows] };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The records of one group commit, sealed, with the commit record that ends them. */
import type { Records } from './record-buffer.js';
import {
  type CommitEntry,
  commitRecord,
  headerAt,
  type RecordHeader,
  recordKinds,
  seal,
  viewOf,
} from './record-format.js';

export interface Group {
  chunks: Uint8Array[];
  first: number;
  last: number;
  /** The number after those of its sessions. */
  nextSession: number;
}

export function sealedGroup({ buffer, length }: Records): Group {
  const bytes = new Uint8Array(buffer, 0, length);
  const entries = new Map<number, CommitEntry>();
  let first = 0;
  let last = 0;
  let nextSession = 1;
  sealAll(bytes, ({ kind, sequence, session, from, count }) => {
    first ||= sequence;
    last = sequence;
    if (kind === recordKinds.network) return;
    nextSession = Math.max(nextSession, session + 1);
    const before = entries.get(session);
    const offset = kind === recordKinds.rows ? from + count : (before?.offset ?? 0);
    entries.set(session, { session, offset, ended: kind === recordKinds.end });
  });
  return { chunks: [bytes, commitRecord(first, last, [...entries.values()])], first, last, nextSession };
}

/** Fills in the checksums of records one after the other. */
export function sealAll(bytes: Uint8Array, each: (header: RecordHeader) => void): void {
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length; ) {
    each(headerAt(view, at));
    at = seal(bytes, view, at);
  }
}

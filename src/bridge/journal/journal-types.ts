/**
 * What goes into the journal of a state-dir and what comes out of it after a restart.
 *
 * A session is one creation of an id: its `epoch` tells it from a later creation of the same id. Rows of a session are
 * numbered from 0; a record of rows continues where the record before it ended.
 */
import type { Clock } from '../../abort/index.js';

/** What identifies a session on disk. */
export interface SessionRecord {
  id: string;
  /** Random, new for each creation of the id. */
  epoch: string;
  network: string;
  /** SHA-256 of the network and its readout. */
  fingerprint: string;
  /** Values a row. */
  inputs: number;
  /** Outputs learned, each a target value a row; 0 for none. */
  targets: number;
  dtype: 'f32' | 'f64';
  /** RFC 3339. */
  createdAt: string;
  /** What rebuilds the network, a JSON value; stored once a fingerprint, and the same object in all its recovered sessions. */
  definition?: unknown;
}

export type Rows = Float32Array | Float64Array;

/** 'withdrawn': a creation that was refused, so that its id is unknown. */
export type EndReason = 'deleted' | 'expired' | 'withdrawn';

export type JournalRecord =
  | { kind: 'create'; session: SessionRecord }
  | { kind: 'end'; id: string; epoch: string; reason: EndReason }
  | {
      kind: 'rows';
      id: string;
      epoch: string;
      /** The number of the first row: rows of this session appended so far. */
      from: number;
      /** count x inputs, of the session's dtype. */
      rows: Rows;
      /** count x targets, or null where these rows have none. */
      targets: Float64Array | null;
    };

/** A copy of a session between micro-batches; its parts are opaque bytes ('state', 'learner', ...). */
export interface SessionSnapshot {
  session: SessionRecord;
  /** Rows that the parts cover. */
  offset: number;
  parts: Record<string, Uint8Array>;
}

/** Rows to replay after the snapshot of a session. */
export interface RecoveredRows {
  from: number;
  rows: Rows;
  targets: Float64Array | null;
}

export interface RecoveredSession extends SessionSnapshot {
  /** In order, without a gap, the first from `offset`. Without a snapshot `offset` is 0 and `parts` is empty. */
  rows: RecoveredRows[];
  /** Why rows of it may be lost, or null. Such a session stays on disk until it is ended, and must not be served. */
  quarantined: string | null;
}

export interface EndedSession {
  id: string;
  epoch: string;
  reason: EndReason;
  /** RFC 3339. */
  endedAt: string;
}

/** What a journal holds when it is opened. */
export interface RecoveredState {
  sessions: RecoveredSession[];
  /** Sessions that ended within the last hour. */
  ended: EndedSession[];
  /** Sessions of which not even the id could be read; their rows are not served. */
  unnamed: number;
}

/** Figures of a journal, for metrics; read at any time. */
export interface JournalFigures {
  readonly commits: number;
  readonly errors: number;
  /** How long the last commit took from the transfer of its records until fdatasync returned. */
  readonly lastCommitSeconds: number;
  /** Wall time of the last commit that succeeded, in seconds since 1970; 0 before the first. */
  readonly lastSuccessSeconds: number;
  readonly undurableRows: number;
  readonly undurableBytes: number;
  /** Age of the oldest record that is not durable, 0 when all are. */
  readonly oldestUndurableMs: number;
  /** Bytes of segments and snapshots on disk. */
  readonly stateBytes: number;
  readonly writtenBytes: number;
  readonly compactions: number;
}

export interface JournalLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

export interface JournalOptions {
  /** The state-dir; made with mode 0700 where it is missing. Locking it is the caller's part. */
  dir: string;
  /** Milliseconds between group commits; 250 by default. */
  checkpointMs?: number | undefined;
  /** Bytes of disk after which compaction is forced, and rows are refused where it does not help; none by default. */
  stateMaxBytes?: number | undefined;
  /** Bytes that may wait for the disk before append throws `storage`; 64 MiB by default. */
  undurableMaxBytes?: number | undefined;
  /** Bytes of segments after which a compaction begins at the earliest; 16 MiB by default, and at least twice the snapshot. */
  compactBytes?: number | undefined;
  /** Asked for at compaction: a copy of each session that has begun and not ended, taken when the iterator yields it. */
  snapshots: () => Iterable<SessionSnapshot> | AsyncIterable<SessionSnapshot>;
  /** After each attempt of a group commit: seconds, and why it failed or null. */
  onAttempt?: ((seconds: number, failure: string | null) => void) | undefined;
  log?: JournalLog | undefined;
  clock?: Clock | undefined;
}

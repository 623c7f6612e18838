/** What the session service needs of the rooms beside it: the log, the metrics and the journal. */

export interface SessionLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

type Labels = Record<string, string>;

export interface SessionMetrics {
  counter(name: string, help: string, labels?: string[]): { inc(labels?: Labels, by?: number): void };
  gauge(name: string, help: string, labels?: string[]): { set(labels: Labels, value: number): void };
  collect(call: () => void): void;
}

export interface SessionRecord {
  id: string;
  epoch: string;
  network: string;
  fingerprint: string;
  inputs: number;
  targets: number;
  dtype: 'f32' | 'f64';
  createdAt: string;
  definition?: unknown;
}

export type JournalRecord =
  | { kind: 'create'; session: SessionRecord }
  | { kind: 'end'; id: string; epoch: string; reason: 'deleted' | 'expired' }
  | {
      kind: 'rows';
      id: string;
      epoch: string;
      from: number;
      rows: Float32Array | Float64Array;
      targets: Float64Array | null;
    };

export interface SessionSnapshot {
  session: SessionRecord;
  offset: number;
  parts: Record<string, Uint8Array>;
}

export interface RecoveredSession extends SessionSnapshot {
  rows: { from: number; rows: Float32Array | Float64Array; targets: Float64Array | null }[];
  quarantined: string | null;
}

export interface SessionJournal {
  append(record: JournalRecord): number;
  readonly durable: number;
  whenDurable(sequence: number, signal?: AbortSignal): Promise<void>;
  commit(): Promise<void>;
  readonly failing: string | null;
  readonly figures: JournalFigures;
  onCommit(listener: (durableSequence: number) => void): void;
  close(): Promise<void>;
}

export interface JournalFigures {
  readonly errors: number;
  readonly lastCommitSeconds: number;
  readonly lastSuccessSeconds: number;
  readonly undurableRows: number;
  readonly oldestUndurableMs: number;
  readonly stateBytes: number;
}

export interface RecoveredState {
  sessions: RecoveredSession[];
  ended: { id: string; reason: 'deleted' | 'expired'; agoMs: number }[];
}

/**
 * What the session service takes and answers, in plain values: routes turn JSON and frames into these and back.
 *
 *     offset    rows applied in this process            durable   rows that survive kill -9 and power loss; durable <= offset
 *     epoch     random, new for each creation: a late retry cannot feed a session that was created again under the same id
 */
import type { Floats } from '../../native/index.js';

/** Rows of a frame, row-major. */
export interface RowMatrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Floats;
}

/** Rows of JSON, or of a frame. */
export type Rows = readonly (readonly number[])[] | RowMatrix;

/** What a session learns: recursive least squares from its states to targets that come with rows. */
export interface LearnerSettings {
  /** Columns of the targets, 1 to 64. */
  outputs: number;
  /** P begins as I / ridge; a finite number above 0. Default 1e-6. */
  ridge?: number | undefined;
  /** In (0, 1]; default 1: nothing is forgotten. */
  forgetting?: number | undefined;
}

export interface CreateSession {
  /** Of A-Z, a-z, 0-9 and `. _ : -`, 1 to 128 characters, case-sensitive; random when left out. */
  id?: string | undefined;
  /** Name of the network; 'default' when left out. */
  network?: string | undefined;
  /** Left out, the session learns nothing. */
  targets?: LearnerSettings | undefined;
  /** Which columns of the outputs are answered, at most 64; all of them when left out. */
  outputs?: readonly number[] | undefined;
}

/** Where a session stands. */
export interface SessionPlace {
  id: string;
  epoch: string;
  offset: number;
  durable: number;
  /** 'degraded': the disk fails, and `durable` stands still; 'none': the service has no state directory. */
  durability?: 'degraded' | 'none';
}

export interface CreateResult {
  /** Whether the session is new (201), or was there with the same network (200). */
  created: boolean;
  session: SessionPlace;
}

export interface StepsRequest {
  /** Number of the first row: rows below the session's offset are skipped, and a gap is an error. */
  from: number;
  rows: Rows;
  /** Targets of the rows, as many; only of sessions that learn. */
  targets?: Rows | undefined;
  /** Another epoch than the session's is an error. */
  epoch?: string | undefined;
  /** 'durable' answers once the rows survive power loss: after the next group commit. */
  ack?: 'durable' | undefined;
  /** Milliseconds within which the first row must be begun; no bound when left out. Beyond them nothing is applied. */
  budgetMs?: number | undefined;
}

export interface StepsAnswer extends SessionPlace {
  /** Number of the row that the first row of `outputs` belongs to. */
  outputsFrom: number;
  /** One row of outputs a row of input, from `outputsFrom` on. */
  outputs: RowMatrix;
}

/** One of many requests for steps. */
export interface StepsItem extends StepsRequest {
  id: string;
}

/** The outcome of one item: its answer, or its error, a BridgeError. */
export type StepsOutcome = { id: string; answer: StepsAnswer } | { id: string; error: unknown };

export interface SessionDescription extends SessionPlace {
  network: string;
  /** SHA-256 of the network's weights, readout, dtype and definition, hexadecimal. */
  fingerprint: string;
  /** Elements of a row. */
  inputs: number;
  /** Elements of a row of outputs. */
  outputs: number;
  /** Columns of the targets; 0 for a session that learns nothing. */
  targets: number;
  dtype: 'f32' | 'f64';
  /** RFC 3339. */
  createdAt: string;
  /**
   * Whether the outputs are those of an undisturbed run to the bit: false once the session was recovered by another version
   * of dtesn or another instruction set than it began with.
   */
  exact: boolean;
  /** Why the session cannot be served: its network cannot be rebuilt, or its journal has a bad record. */
  blocked?: 'network_changed' | 'quarantined';
}

export interface SessionList {
  items: SessionDescription[];
  /** The last id of this page, for `after`; absent on the last page. */
  next?: string;
}

/** What a session has learned. Errors are exponentially weighted means of squared errors over rows and targets. */
export interface ReadoutAnswer {
  id: string;
  epoch: string;
  offset: number;
  /** (states) x (targets). */
  weights: RowMatrix;
  /** One number a target. */
  bias: Float64Array;
  /** Rows learned. */
  learned: number;
  /** Mean squared error of the predictions before each row was learned; null before the first row. */
  error: number | null;
  /** The same of persistence, which predicts the last target; null before the second row. */
  persistence: number | null;
  /** Why nothing is learned any more: the inverse correlation lost positive definiteness; null while it learns. */
  stopped: string | null;
}

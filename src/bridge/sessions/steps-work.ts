/**
 * The rows of one request on their way through a session: waiting, begun (appended to the journal), applied slice by slice.
 *
 * A request that waits can be withdrawn; one that has begun is applied to its end.
 */
import { type Floats, floats } from '../../native/index.js';
import type { StoredRows } from './rows.js';
import type { Session } from './session.js';

export interface StepsResult {
  outputsFrom: number;
  count: number;
  outputs: Floats;
  /** Sequence of the journal that makes the rows durable. */
  sequence: number;
}

export class StepsWork {
  readonly session: Session;
  readonly from: number;
  readonly rows: StoredRows;
  readonly targets: Float64Array | null;
  /** Rows of the journal: they are not appended again, and their outputs are not kept. */
  readonly replay: boolean;
  readonly done: Promise<StepsResult>;
  /** Rows of the request below the session's offset when it began. */
  skipped = 0;
  /** Rows applied. */
  applied = 0;
  /** Outputs of the rows that are applied. */
  outputs: Floats = new Float64Array(0);
  resolve!: (result: StepsResult) => void;
  reject!: (error: unknown) => void;

  constructor(session: Session, from: number, rows: StoredRows, targets: Float64Array | null, replay = false) {
    this.session = session;
    this.from = from;
    this.rows = rows;
    this.targets = targets;
    this.replay = replay;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  get end(): number {
    return this.from + this.rows.count;
  }

  /** Bytes of the outputs where no row is skipped, or where a retry is answered again. */
  get outputBytes(): number {
    return this.rows.count * this.session.rowBytes;
  }

  /** Rows that are to be applied. */
  get fresh(): number {
    return this.rows.count - this.skipped;
  }

  /** Rows that are still to be applied. */
  get left(): number {
    return this.fresh - this.applied;
  }

  /** Rows below the offset are left out. */
  begin(offset: number): void {
    this.skipped = Math.min(this.rows.count, offset - this.from);
    if (!this.replay) this.outputs = floats(this.session.outputDtype, this.fresh * this.session.width);
  }

  /** The next rows that are to be applied, at most `most`. */
  next(most: number): { count: number; rows: Floats; targets: Float64Array | null } {
    const first = this.skipped + this.applied;
    const count = Math.min(this.left, most);
    const { inputs } = this.session.record;
    const columns = this.session.record.targets;
    return {
      count,
      rows: this.rows.data.subarray(first * inputs, (first + count) * inputs),
      targets: this.targets?.subarray(first * columns, (first + count) * columns) ?? null,
    };
  }
}

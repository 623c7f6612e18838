/**
 * One session: a stream through one network, with what it answers, learns and waits for.
 *
 * `work` is the request whose rows are being applied, `queue` those that wait for it: requests on one session run one after the
 * other. A hold keeps the next one from beginning while a copy of the state is taken.
 */
import { type Scaling, unscale } from '../../esn/index.js';
import type { FloatDtype, Floats } from '../../native/index.js';
import type { RecoveredSession, SessionRecord } from '../journal/index.js';
import { OnlineReadout } from './online-readout.js';
import type { PinnedNetwork } from './pinned-networks.js';
import type { LearnerSettings } from './requests.js';
import type { StepsWork } from './steps-work.js';
import type { Reading, StreamPlace } from './stream-chunks.js';

/** What a session keeps on disk beside its sizes. */
export interface SessionSettings {
  /** Version and instruction set at its creation. */
  build: string;
  /** Columns of the outputs that are answered; null for all. */
  columns: number[] | null;
  learner: LearnerSettings | null;
}

/** The record of a session, with its settings: both are JSON. */
export interface KeptRecord extends SessionRecord {
  settings: SessionSettings;
}

export class Session {
  readonly record: KeptRecord;
  readonly settings: SessionSettings;
  readonly pinned: PinnedNetwork;
  readonly learner: OnlineReadout | null;
  /** What a run keeps of each of its steps. */
  readonly reading: Reading;
  /** Elements of a row of outputs before columns are chosen. */
  readonly fullWidth: number;
  /** What outputs are answered in: states of f32 are f32, what a readout computes of them is f64. */
  readonly outputDtype: FloatDtype;
  /** From the units of the readout into those of the data; null where they are the same. */
  readonly outputScaling: Scaling | null;
  /** Rows applied. */
  offset = 0;
  /** Rows that survive power loss, once they are applied. */
  committed = 0;
  /** Sequence number of its last record in the journal. */
  sequence = 0;
  lastUsed: number;
  exact = true;
  readonly blocked = null;
  /** Resolves to the sequence number of its end; null while it goes on. */
  ending: Promise<number> | null = null;
  /** Resolves once the creation is durable. */
  created: Promise<void> = Promise.resolve();
  /** Its place in the pools; null until its first row. */
  place: StreamPlace | null = null;
  /** Why it stands still, and rows appended that its state does not hold: a run failed. A restart recovers it. */
  failed: { cause: unknown; left: RecoveredSession['rows'] } | null = null;
  work: StepsWork | null = null;
  /** Whether rows of `work` are in a batch. */
  busy = false;
  readonly queue: StepsWork[] = [];
  #holds = 0;
  #waiting: (() => void)[] = [];

  constructor(
    record: KeptRecord,
    { pinned, learner, now }: { pinned: PinnedNetwork; learner: OnlineReadout | null; now: number },
  ) {
    this.record = record;
    const { settings } = record;
    this.settings = settings;
    this.pinned = pinned;
    this.learner = learner;
    this.lastUsed = now;
    const { network, readout, outputScaling } = pinned.made;
    this.outputScaling = settings.learner === null ? outputScaling : null;
    this.fullWidth = settings.learner?.outputs ?? readout?.outputs ?? network.featureSize;
    this.outputDtype = settings.learner === null && readout === null ? record.dtype : 'f64';
    if (settings.learner !== null) this.reading = network.featureSize;
    else if (readout !== null) this.reading = 'readout';
    else this.reading = settings.columns === null ? network.featureSize : Math.max(...settings.columns) + 1;
  }

  get id(): string {
    return this.record.id;
  }

  get epoch(): string {
    return this.record.epoch;
  }

  /** Elements of a row of outputs. */
  get width(): number {
    return this.settings.columns?.length ?? this.fullWidth;
  }

  /** Bytes of a row of outputs. */
  get rowBytes(): number {
    return (this.outputDtype === 'f32' ? 4 : 8) * this.width;
  }

  /** Bytes of its learner, as their bound counts them; 0 where it learns nothing. */
  get learnerBytes(): number {
    return this.learner === null ? 0 : OnlineReadout.bytesOf(this.pinned.made.network.featureSize);
  }

  /** Rows that are applied and survive power loss. */
  get durable(): number {
    return Math.min(this.committed, this.offset);
  }

  get held(): boolean {
    return this.#holds > 0;
  }

  /** Runs a call between two requests: after the one under way, before the next. */
  async between<R>(call: () => R | Promise<R>): Promise<R> {
    this.#holds++;
    try {
      while (this.work !== null) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return await call();
    } finally {
      this.#holds--;
      if (!this.held && this.queue.length > 0) this.pinned.batches.wake(this);
    }
  }

  /** The request under way has ended. */
  idle(): void {
    this.work = null;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Writes the answered columns of `count` rows, which it puts into the units of the data, into `out` from its element `at` on. */
  answerOf(rows: Float64Array, count: number, out: Floats, at: number): void {
    const stride = rows.length / count;
    const { columns } = this.settings;
    if (this.outputScaling !== null) unscale(rows, this.outputScaling, stride);
    if (columns === null) {
      out.set(rows, at);
      return;
    }
    for (let row = 0; row < count; row++) {
      for (const column of columns) out[at++] = rows[row * stride + column]!;
    }
  }
}

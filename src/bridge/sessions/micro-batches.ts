/**
 * Micro-batches: the waiting requests of many sessions of one network as runs of its streams.
 *
 * A batch takes from each waiting session, in the order of their turn, at most SLICE rows of its first request, and at most ROWS
 * rows and NUMBERS kept numbers in all; what is left takes part in the next batch. A request begins with its record in the
 * journal: before that it can be withdrawn, afterwards it is applied to its end.
 */
import type { Floats } from '../../native/index.js';
import type { Logger } from '../logs/index.js';
import { BridgeError } from '../messages/index.js';
import type { Durability } from './durability.js';
import type { Session } from './session.js';
import type { StepsWork } from './steps-work.js';
import type { StreamChunks, StreamJob } from './stream-chunks.js';

const SLICE = 64;
const ROWS = 8192;
const NUMBERS = 4 * 2 ** 20;

interface Slice extends StreamJob {
  readonly session: Session;
  readonly work: StepsWork;
  readonly targets: Float64Array | null;
  /** The state before the run, of a session that learns: its learner may fail where the run did not. */
  readonly before: Floats | null;
}

export class MicroBatches {
  readonly #streams: StreamChunks;
  readonly #durability: Durability;
  readonly #log: Logger;
  readonly #ready = new Set<Session>();
  #running = false;

  constructor(streams: StreamChunks, durability: Durability, log: Logger) {
    this.#streams = streams;
    this.#durability = durability;
    this.#log = log;
  }

  add(work: StepsWork): void {
    work.session.queue.push(work);
    this.wake(work.session);
  }

  /** Takes a request back that has not begun; its promise rejects with the reason. Whether it did. */
  withdraw(work: StepsWork, reason: unknown): boolean {
    const at = work.session.queue.indexOf(work);
    if (at < 0) return false;
    work.session.queue.splice(at, 1);
    work.reject(reason);
    return true;
  }

  /** Lets a session take part in the next batch. */
  wake(session: Session): void {
    if (session.busy) return;
    this.#ready.add(session);
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    // Requests that arrive in the same turn of the event loop take part in the first batch.
    await new Promise((turn) => setImmediate(turn));
    while (this.#ready.size > 0) await this.#batch(this.#take());
    this.#running = false;
  }

  #take(): Slice[] {
    const slices: Slice[] = [];
    let rows = 0;
    let numbers = 0;
    for (const session of this.#ready) {
      if (rows >= ROWS || numbers >= NUMBERS) break;
      this.#ready.delete(session);
      if (session.work === null && !session.held) this.#begin(session);
      const { work } = session;
      if (work === null) continue;
      const reading = work.replay && session.learner === null ? 1 : session.reading;
      const width = reading === 'readout' ? session.fullWidth : reading;
      const most = Math.max(1, Math.min(SLICE, Math.floor((NUMBERS - numbers) / width)));
      const next = work.next(most);
      rows += next.count;
      numbers += next.count * width;
      session.busy = true;
      const place = session.place!;
      const before = session.learner === null ? null : place.state.slice();
      slices.push({ ...next, session, work, place, reading, before, kept: new Float64Array(0), failure: null });
    }
    return slices;
  }

  /** Begins the session's next request that has rows to apply; answers those before it that have none. */
  #begin(session: Session): void {
    for (let work = session.queue.shift(); work !== undefined; work = session.queue.shift()) {
      try {
        if (work.from > session.offset) throw gapError(session);
        work.begin(session.offset);
        if (work.fresh === 0) {
          work.resolve({ outputsFrom: session.offset, count: 0, outputs: work.outputs, sequence: session.sequence });
          continue;
        }
        session.place ??= this.#streams.begin();
        const { rows, targets } = work.next(work.fresh);
        const { id, epoch } = session;
        if (!work.replay) {
          this.#durability.append({ kind: 'rows', id, epoch, from: session.offset, rows, targets }, session);
        }
        session.work = work;
        return;
      } catch (error) {
        work.reject(error);
      }
    }
  }

  async #batch(slices: readonly Slice[]): Promise<void> {
    if (slices.length === 0) return;
    await this.#streams.run(slices);
    for (const slice of slices) {
      const { learner } = slice.session;
      if (slice.failure !== null) {
        this.#fail(slice.session, slice.failure);
        continue;
      }
      if (learner === null) {
        this.#applied(slice, slice.kept);
        continue;
      }
      learner.learn(slice.kept, slice.targets).then(
        (predictions) => this.#applied(slice, predictions),
        (error) => {
          slice.place.state.set(slice.before!);
          this.#fail(slice.session, error);
        },
      );
    }
  }

  /**
   * Rows of it are in the journal and not in the state: only a restart brings the session on. Until then a compaction keeps its
   * state before the run, and these rows.
   */
  #fail(session: Session, cause: unknown): void {
    const { id, offset, work } = session;
    this.#log.error('a run of a session failed: restart the bridge to recover it', {
      session: id,
      error: cause instanceof Error ? cause.message : String(cause),
    });
    session.failed = { cause, left: work === null ? [] : [{ from: offset, ...work.next(work.left) }] };
    const error = new BridgeError('internal', `A run of session ${id} failed: restart the bridge to recover it`, {
      cause,
    });
    work?.reject(error);
    for (const waiting of session.queue.splice(0)) waiting.reject(error);
    session.idle();
  }

  #applied({ session, work, count }: Slice, outputs: Float64Array): void {
    if (!work.replay) session.answerOf(outputs, count, work.outputs, work.applied * session.width);
    work.applied += count;
    session.offset += count;
    session.busy = false;
    if (work.left === 0) {
      const { skipped, from, fresh, outputs: all } = work;
      work.resolve({ outputsFrom: from + skipped, count: fresh, outputs: all, sequence: session.sequence });
      session.idle();
    }
    if (work.left > 0 || session.queue.length > 0) this.wake(session);
  }
}

function gapError(session: Session): BridgeError {
  const { offset: next, durable } = session;
  return new BridgeError('offset_gap', `Expected rows from ${next} on`, { details: { next, durable } });
}

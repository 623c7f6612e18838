/**
 * A request for steps from its check to its answer.
 *
 * The answer's outputs begin at the first row of the request where the session's last answer holds its skipped rows (a retry),
 * else at the first row that was applied.
 */
import type { Clock } from '../../abort/index.js';
import { floats } from '../../native/index.js';
import { BridgeError } from '../messages/index.js';
import { type AnswerForm, AnswerRoom } from './answer-room.js';
import { placeOf } from './describe.js';
import type { Durability } from './durability.js';
import type { CheckedOptions } from './options.js';
import { ReplayCache } from './replay-cache.js';
import type { StepsAnswer, StepsItem, StepsOutcome, StepsRequest } from './requests.js';
import { storedRows } from './rows.js';
import type { Session } from './session.js';
import type { SessionCounters } from './session-metrics.js';
import { type StepsResult, StepsWork } from './steps-work.js';

export class StepsRunner {
  readonly #durability: Durability;
  readonly #counters: SessionCounters;
  readonly #room: AnswerRoom;
  readonly #clock: Clock;
  readonly #answers: ReplayCache;

  constructor(durability: Durability, counters: SessionCounters, options: CheckedOptions) {
    const { answerMaxBytes, replayBytes, clock } = options;
    this.#clock = clock;
    this.#durability = durability;
    this.#counters = counters;
    this.#room = new AnswerRoom(answerMaxBytes);
    this.#answers = new ReplayCache(replayBytes);
  }

  /** The last answer of an ended session is dropped. */
  forget(session: Session): void {
    this.#answers.drop(session);
  }

  /** Errors: BridgeError `impossible` where the outputs are more than the form of the answer takes. */
  async run(session: Session, request: StepsRequest, form: AnswerForm, signal?: AbortSignal): Promise<StepsAnswer> {
    const work = this.#check(session, request);
    const leave = this.#room.take([work], form);
    return this.#run(work, request, signal).finally(leave);
  }

  /** The same of many requests in one answer; an item whose session is not there, or whose request is wrong, is an outcome. */
  async runMany(
    items: readonly StepsItem[],
    sessionOf: (id: string) => Session,
    form: AnswerForm,
    signal?: AbortSignal,
  ): Promise<StepsOutcome[]> {
    const checked = items.map((item) => {
      try {
        return { item, work: this.#check(sessionOf(item.id), item) };
      } catch (error) {
        return { item, error };
      }
    });
    const works = checked.flatMap(({ work }) => work ?? []);
    const leave = this.#room.take(works, form);
    const outcomes = checked.map(async ({ item, work, error }): Promise<StepsOutcome> => {
      const { id } = item;
      if (work === undefined) return { id, error };
      return this.#run(work, item, signal).then(
        (answer) => ({ id, answer }),
        (failure) => ({ id, error: failure }),
      );
    });
    return Promise.all(outcomes).finally(leave);
  }

  async #run(work: StepsWork, { ack, budgetMs }: StepsRequest, signal: AbortSignal | undefined): Promise<StepsAnswer> {
    const { session } = work;
    signal?.throwIfAborted();
    const { batches } = session.pinned;
    const withdraw = () => batches.withdraw(work, signal!.reason);
    signal?.addEventListener('abort', withdraw, { once: true });
    const cancel = this.#limit(work, budgetMs);
    let result: StepsResult;
    try {
      batches.add(work);
      result = await work.done;
    } catch (error) {
      this.#counters.rows('refused', work.rows.count);
      throw error;
    } finally {
      signal?.removeEventListener('abort', withdraw);
      cancel();
    }
    this.#counters.rows('applied', result.count);
    this.#counters.rows('skipped', work.rows.count - result.count);
    const outputs = this.#answer(session, work, result);
    if (ack === 'durable') await this.#durability.until(result.sequence, signal);
    return { ...placeOf(session, this.#durability), ...outputs };
  }

  /** Withdraws work that is not begun within its budget. Returns what ends the wait. */
  #limit(work: StepsWork, budgetMs: number | undefined): () => void {
    if (budgetMs === undefined) return () => {};
    return this.#clock.after(budgetMs, () => {
      const error = new BridgeError('budget', `The rows were not begun within their budget of ${budgetMs} ms`);
      if (work.session.pinned.batches.withdraw(work, error)) this.#counters.shed('budget');
    });
  }

  #check(session: Session, { from, rows, targets, epoch, ack }: StepsRequest): StepsWork {
    const { record, failed } = session;
    if (failed !== null) {
      throw new BridgeError('internal', `A run of session ${record.id} failed: restart the bridge`, {
        cause: failed.cause,
      });
    }
    if (epoch !== undefined && epoch !== record.epoch) {
      const details = { epoch: record.epoch };
      throw new BridgeError('session_epoch', `The session ${record.id} was created again since then`, { details });
    }
    if (!Number.isSafeInteger(from) || from < 0) {
      throw new BridgeError('malformed', 'Expected a whole number from 0 to 2^53 - 1 for from');
    }
    if (ack !== undefined && ack !== 'durable') throw new BridgeError('malformed', "Expected 'durable' for ack");
    if (ack === 'durable') this.#durability.require();
    const stored = storedRows(
      rows,
      { width: record.inputs, dtype: record.dtype, scaling: session.pinned.made.inputScaling },
      'rows',
    );
    const wanted = this.#targets(session, targets, stored.count);
    if (!Number.isSafeInteger(from + stored.count)) throw new BridgeError('impossible', 'Expected offsets below 2^53');
    return new StepsWork(session, from, stored, wanted);
  }

  #targets({ record }: Session, targets: StepsRequest['targets'], count: number): Float64Array | null {
    if (targets === undefined) return null;
    if (record.targets === 0) {
      throw new BridgeError('impossible', `Expected no targets: the session ${record.id} was created without them`);
    }
    const stored = storedRows(targets, { width: record.targets, dtype: 'f64', scaling: null }, 'targets');
    if (stored.count === count) return stored.data as Float64Array;
    throw new BridgeError(
      'impossible',
      `Expected a row of targets for each of ${count} rows but received ${stored.count}`,
    );
  }

  #answer(session: Session, work: StepsWork, { outputsFrom, count, outputs }: StepsResult) {
    const { width } = session;
    const before = this.#answers.find(session, work.from, outputsFrom, width, work.end);
    if (before === null) {
      if (count > 0) this.#answers.keep(session, { from: outputsFrom, count, outputs });
      return { outputsFrom, outputs: { rows: count, cols: width, data: outputs } };
    }
    const data = floats(session.outputDtype, before.length + outputs.length);
    data.set(before);
    data.set(outputs, before.length);
    const rows = data.length / width;
    if (count > 0) this.#answers.keep(session, { from: work.from, count: rows, outputs: data });
    return { outputsFrom: work.from, outputs: { rows, cols: width, data } };
  }
}

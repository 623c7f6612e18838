/** One session of the bridge, which survives a restart of the bridge. */

import type { z } from 'zod';
import { pause } from '../../abort/index.js';
import { argumentError, checkOptions, rangeError, shapeError } from '../../errors/index.js';
import {
  type SessionMessage,
  type StepsMessage,
  sessionReadoutSchema,
  sessionSchema,
  stepsAnswerSchema,
} from '../messages/index.js';
import { type BridgeCallCode, BridgeCallError, isBridgeCallError, isPassing } from './call-error.js';
import { type Call, delayAfter, type Exchange } from './exchange.js';
import { KeptRows } from './kept-rows.js';
import { type CallOptions, callOptionsSchema, type StepsOptions, stepsOptionsSchema } from './options.js';

/** The readout that a session has learned: weights (states x targets), bias, the rows that it learned from and its error. */
export type SessionReadoutMessage = z.infer<typeof sessionReadoutSchema>;

/** What a session takes from its client. */
export interface SessionSettings {
  timeoutMs: number;
  retries: number;
  resumeMs: number;
  maxKeptRows: number;
}

/** Numbers of rows and targets in one request: 1 MiB of JSON holds them at 25 characters each. */
const portionNumbers = 32_768;
const pollMs = 50;

const ending = new Set<BridgeCallCode>([
  'session_epoch',
  'session_unknown',
  'session_gone',
  'network_changed',
  'rows_lost',
  'other_writer',
]);

/**
 * One session of the bridge, which survives a restart of the bridge.
 *
 *     offset     rows that the bridge has applied
 *     durable    rows that survive kill -9 and a power failure, durable ≤ offset
 *     next       number of the row that steps() takes next
 *
 * Rows from `durable` on are kept here and dropped as it moves. When the connection breaks, the bridge drains or starts, or its
 * offset moved back, the session asks for the offset and sends again from there; the bridge skips what it already applied. This
 * goes on for `resumeMs` without progress, then the call fails; its rows stay kept, and the next call sends them first. What the
 * bridge refuses as malformed or impossible is not kept. Calls of one session run one after the other.
 *
 * Errors: BridgeCallError; `session_epoch`, `session_unknown`, `session_gone`, `network_changed`, `rows_lost` and `other_writer` end
 * the session for this client: each later call fails with the same error.
 */
export class BridgeSession {
  /** Id of the session, unique at its bridge. */
  readonly id: string;
  /** Which life of the id this is: a session that is created again has another. */
  readonly epoch: string;
  readonly #exchange: Exchange;
  readonly #settings: SessionSettings;
  readonly #kept: KeptRows;
  /** The offset of the bridge as far as known here; the next request begins with this row. */
  #offset: number;
  #durable: number;
  #durability: SessionMessage['durability'];
  /** Rows of a request, as far as the bridge has refused more for the size of their outputs. */
  #mostRows = Number.POSITIVE_INFINITY;
  #turn: Promise<unknown> = Promise.resolve();
  #ended: BridgeCallError | undefined;

  /** @internal Made by BridgeClient.session(). */
  constructor(exchange: Exchange, opened: SessionMessage, settings: SessionSettings) {
    this.id = opened.id;
    this.epoch = opened.epoch;
    this.#exchange = exchange;
    this.#settings = settings;
    this.#kept = new KeptRows(opened.offset);
    this.#offset = opened.offset;
    this.#durable = opened.durable;
    this.#durability = opened.durability;
  }

  /** Rows that the bridge had applied when it answered last. */
  get offset(): number {
    return this.#offset;
  }

  /** Rows that survive kill -9 and a power failure. */
  get durable(): number {
    return this.#durable;
  }

  /** 'degraded' while the bridge cannot write its journal, 'none' where it has none. */
  get durability(): SessionMessage['durability'] {
    return this.#durability;
  }

  /** Number of the row that steps() takes next. */
  get next(): number {
    return this.#kept.end;
  }

  /** Rows kept to be sent again. */
  get kept(): number {
    return this.#kept.count;
  }

  /** Applies rows in order; answers their outputs, where `outputsFrom` is the number of the first row that has some. */
  async steps(rows: readonly (readonly number[])[], options: StepsOptions = {}): Promise<StepsMessage> {
    const { targets, ack, signal } = checkOptions(stepsOptionsSchema, options, 'steps');
    checkRows(rows, 'rows');
    if (targets) checkRows(targets, 'targets');
    if (targets && targets.length !== rows.length) throw shapeError(`${rows.length} rows of targets`, targets.length);
    if (rows.length > this.#settings.maxKeptRows) {
      throw rangeError(`at most ${this.#settings.maxKeptRows} rows (maxKeptRows)`, 'rows', rows.length);
    }
    return this.#inTurn(signal, async () => {
      await this.#makeRoom(rows.length, signal);
      const first = this.#kept.end;
      this.#kept.append(rows, targets);
      try {
        return await this.#send(first, ack === 'durable', signal);
      } catch (error) {
        if (isRefusal(error)) this.#kept.cutBack(Math.max(first, this.#offset));
        throw error;
      }
    });
  }

  /** Sends what is still kept unsent, and resolves once every row that was given is durable. */
  async flush(options: CallOptions = {}): Promise<void> {
    const { signal } = checkOptions(callOptionsSchema, options, 'flush');
    await this.#inTurn(signal, async () => {
      if (this.#offset < this.#kept.end) await this.#send(this.#kept.end, false, signal);
      await this.#untilDurable(this.#kept.end, signal);
    });
  }

  /** What the session has learned. */
  async readout(options: CallOptions = {}): Promise<SessionReadoutMessage> {
    const { signal } = checkOptions(callOptionsSchema, options, 'readout');
    return this.#exchange.json(this.#call('GET', '/readout', signal), sessionReadoutSchema);
  }

  /** Deletes the session at the bridge. One that is to be continued later is not closed. */
  async close(options: CallOptions = {}): Promise<void> {
    const { signal } = checkOptions(callOptionsSchema, options, 'close');
    if (this.#ended?.code === 'closed') return;
    await this.#turn;
    try {
      await this.#exchange.json(this.#call('DELETE', '', signal));
    } catch (error) {
      const isGone = isBridgeCallError(error) && (error.status === 404 || error.status === 410);
      if (!isGone) throw error;
    }
    this.#ended = new BridgeCallError('closed', `The session ${this.id} is closed`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal At its opening: rows applied but not durable cannot be sent again from here, so their commit is awaited. */
  async settle(signal: AbortSignal | undefined): Promise<void> {
    await this.#untilDurable(this.#offset, signal);
  }

  #call(method: Call['method'], path: string, signal: AbortSignal | undefined): Call {
    const { timeoutMs, retries } = this.#settings;
    return { method, path: `/v1/sessions/${encodeURIComponent(this.id)}${path}`, timeoutMs, retries, signal };
  }

  #inTurn<T>(signal: AbortSignal | undefined, use: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(async () => {
      signal?.throwIfAborted();
      if (this.#ended) throw this.#ended;
      try {
        return await use();
      } catch (error) {
        if (isBridgeCallError(error) && ending.has(error.code)) this.#ended = error;
        throw error;
      }
    });
    this.#turn = run.catch(() => {});
    return run;
  }

  /** Sends all rows from the offset on; the outputs are those of row `first` and later. */
  async #send(first: number, ackDurable: boolean, signal: AbortSignal | undefined): Promise<StepsMessage> {
    const outputs = new Map<number, (number | null)[]>();
    let answer: StepsMessage | undefined;
    let waited = { since: this.#exchange.clock.now(), attempt: 0 };
    while (answer === undefined || this.#offset < this.#kept.end) {
      const from = this.#offset;
      const to = this.#kept.portionEnd(from, portionNumbers, this.#mostRows);
      try {
        answer = await this.#sendPortion(from, to, ackDurable && to === this.#kept.end, signal);
      } catch (error) {
        if (this.#takesFewer(error, to - from)) continue;
        await this.#recover(error, waited, signal);
        waited.attempt += 1;
        answer = undefined;
        continue;
      }
      for (const [i, row] of answer.outputs.entries()) outputs.set(answer.outputsFrom + i, row);
      waited = { since: this.#exchange.clock.now(), attempt: 0 };
    }
    const end = this.#kept.end;
    let outputsFrom = end;
    while (outputsFrom > first && outputs.has(outputsFrom - 1)) outputsFrom -= 1;
    const wanted = Array.from({ length: end - outputsFrom }, (_, i) => outputs.get(outputsFrom + i)!);
    this.#forget();
    return { ...answer, offset: this.#offset, durable: this.#durable, outputsFrom, outputs: wanted };
  }

  async #sendPortion(
    from: number,
    to: number,
    ackDurable: boolean,
    signal: AbortSignal | undefined,
  ): Promise<StepsMessage> {
    const json = { from, ...this.#kept.slice(from, to), epoch: this.epoch };
    const call = this.#call('POST', ackDurable ? '/steps?ack=durable' : '/steps', signal);
    const answer = await this.#exchange.json({ ...call, json, retries: 0 }, stepsAnswerSchema);
    if (answer.offset > to) throw this.#otherWriter(answer.offset, to);
    this.#offset = answer.offset;
    this.#take(answer as unknown as SessionMessage);
    return answer;
  }

  /** Whether the outputs of so many rows were too many for one answer; the next requests have fewer. */
  #takesFewer(error: unknown, rows: number): boolean {
    const most = isBridgeCallError(error) && error.code === 'impossible' ? Number(error.details['rows']) : 0;
    const isFewer = most >= 1 && most < rows;
    if (isFewer) this.#mostRows = most;
    return isFewer;
  }

  /** Finds the offset to go on from, or throws what cannot be mended. */
  async #recover(
    error: unknown,
    waited: { since: number; attempt: number },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (isBridgeCallError(error) && error.code === 'offset_gap') return this.#goBackTo(Number(error.details['next']));
    const isLate = isBridgeCallError(error) && error.code === 'timeout';
    if (!isPassing(error) && !isLate) throw error;
    const { clock } = this.#exchange;
    if (clock.now() - waited.since >= this.#settings.resumeMs) throw error;
    await pause(delayAfter(error as BridgeCallError, waited.attempt), signal ?? never, clock, { hold: true });
    let place: SessionMessage;
    try {
      place = await this.#place(signal);
    } catch (failure) {
      if (isPassing(failure) || (isBridgeCallError(failure) && failure.code === 'timeout')) return;
      throw failure;
    }
    if (place.offset > this.#kept.end) throw this.#otherWriter(place.offset, this.#kept.end);
    if (place.offset < this.#offset) this.#goBackTo(place.offset);
  }

  #goBackTo(offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < this.#kept.base || offset > this.#kept.end) {
      const message = `The session ${this.id} stands at row ${offset}; rows ${this.#kept.base} to ${this.#kept.end} are kept here`;
      throw new BridgeCallError('rows_lost', message, { details: { next: offset } });
    }
    this.#offset = offset;
  }

  async #place(signal: AbortSignal | undefined): Promise<SessionMessage> {
    const place = await this.#exchange.json({ ...this.#call('GET', '', signal), retries: 0 }, sessionSchema);
    if (place.epoch !== this.epoch) {
      throw new BridgeCallError('session_epoch', `The session ${this.id} was created again by another client`);
    }
    this.#take(place);
    return place;
  }

  #take({ durable, durability }: Pick<SessionMessage, 'durable' | 'durability'>): void {
    this.#durable = durable;
    this.#durability = durability;
  }

  /** Drops the rows that need not be sent again: all that were sent, where the bridge makes none durable. */
  #forget(): void {
    this.#kept.dropBelow(this.#durability === 'none' ? this.#offset : Math.min(this.#durable, this.#offset));
  }

  async #makeRoom(rows: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#kept.count + rows <= this.#settings.maxKeptRows) return;
    if (this.#offset < this.#kept.end) await this.#send(this.#kept.end, false, signal);
    await this.#untilDurable(this.#kept.end + rows - this.#settings.maxKeptRows, signal);
    if (this.#kept.count + rows <= this.#settings.maxKeptRows) return;
    const message = `The session ${this.id} keeps ${this.#kept.count} rows that the bridge has not made durable`;
    throw new BridgeCallError('buffer_full', message);
  }

  /** Polls until `durable` is at least `row`; a bridge without a journal makes nothing durable, and is not waited for. */
  async #untilDurable(row: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#exchange;
    let end = clock.now() + this.#settings.timeoutMs;
    let waited = { since: clock.now(), attempt: 0 };
    while (this.#durable < row && this.#durability !== 'none') {
      if (clock.now() >= end) {
        const message = `Rows up to ${row} of session ${this.id} did not become durable within ${this.#settings.timeoutMs} ms`;
        throw new BridgeCallError('timeout', message, { details: { durable: this.#durable } });
      }
      await pause(pollMs, signal ?? never, clock, { hold: true });
      try {
        const { offset } = await this.#place(signal);
        if (offset < this.#offset) this.#goBackTo(offset);
        waited = { since: clock.now(), attempt: 0 };
      } catch (error) {
        await this.#recover(error, waited, signal);
        waited.attempt += 1;
        end = clock.now() + this.#settings.timeoutMs;
      }
      if (this.#offset < this.#kept.end) await this.#send(this.#kept.end, false, signal);
    }
    this.#forget();
  }

  #otherWriter(offset: number, expected: number): BridgeCallError {
    const message = `The session ${this.id} stands at row ${offset}, after the last row that was sent from here, ${expected}`;
    return new BridgeCallError('other_writer', message);
  }
}

const never = new AbortController().signal;

/** Whether the bridge refused the rows of a request: none of them is applied. */
function isRefusal(error: unknown): boolean {
  return isBridgeCallError(error) && [400, 401, 403, 413, 415, 422].includes(error.status);
}

function checkRows(rows: unknown, argument: string): void {
  if (!Array.isArray(rows)) throw argumentError('an array of rows of finite numbers', argument, rows);
  for (const [i, row] of rows.entries()) {
    if (!Array.isArray(row)) throw argumentError('an array of finite numbers', `${argument}[${i}]`, row);
    const wrong = row.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw argumentError('a finite number', `${argument}[${i}][${wrong}]`, row[wrong]);
  }
}

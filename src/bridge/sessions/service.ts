/**
 * Sessions: long-lived streams of rows, each through one network, applied in micro-batches and durable through one journal.
 *
 *     const sessions = await SessionService.start({ networks, stateDir, log, metrics });
 *     const { session } = await sessions.create({ id: 'request-7', outputs: [0, 1] });
 *     await sessions.steps('request-7', { from: 0, rows: [[0.1, 0.2]] });     // { offset: 1, durable: 0, outputs, ... }
 *
 * An answer acknowledges application only: a caller keeps its rows from `durable` on, and after a restart sends them again from
 * the session's offset. All rows of a request are checked before any is applied; a row below the offset is skipped. Requests
 * on one session run one after the other. Outputs are those of the network's readout, its states where it has none, and in a
 * session that learns the predictions before each row is learned.
 *
 * A session that ended, also one that was idle too long, is session_gone at once; only `remove` waits until its end is durable.
 * A process that is killed in between comes back with the session.
 *
 * Errors: BridgeError session_unknown, session_gone, session_exists, session_epoch, offset_gap, network_changed, sessions_full,
 * memory, storage, impossible, malformed, draining, budget; the signal's reason for a request that was aborted before it began.
 */
import { untilAborted, wallMs } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import { ENDED_MS, type Journal, type RecoveredState } from '../journal/index.js';
import { BridgeError } from '../messages/index.js';
import type { AnswerForm } from './answer-room.js';
import type { BlockedSession } from './blocked-session.js';
import { thisBuild } from './build.js';
import { asksFor, idOf, makeSession } from './creation.js';
import { describeSession, placeOf } from './describe.js';
import { Durability } from './durability.js';
import { expireIdle } from './idle-expiry.js';
import { ModelRuns } from './model-runs.js';
import type { SessionNetwork } from './networks.js';
import { OnlineReadout } from './online-readout.js';
import { type JournalFiles, openJournal } from './open-journal.js';
import { type CheckedOptions, optionsSchema, type SessionBounds, type SessionServiceOptions } from './options.js';
import { PinnedNetworks } from './pinned-networks.js';
import { recoverSessions } from './recovery.js';
import type {
  CreateResult,
  CreateSession,
  ReadoutAnswer,
  SessionDescription,
  SessionList,
  SessionPlace,
  StepsAnswer,
  StepsItem,
  StepsOutcome,
  StepsRequest,
} from './requests.js';
import type { Session } from './session.js';
import { SessionCounters } from './session-metrics.js';
import { goneError, SessionTable } from './session-table.js';
import { snapshots } from './snapshots.js';
import { StepsRunner } from './steps-runner.js';

const MOST_ITEMS = 1000;
const MOST_LISTED = 1000;

export class SessionService {
  /** One-off runs of saved models. */
  readonly models: ModelRuns;
  #options: CheckedOptions;
  readonly #build: string;
  readonly #journal: Journal | null;
  readonly #durability: Durability;
  readonly #table: SessionTable;
  readonly #networks: PinnedNetworks;
  readonly #counters: SessionCounters;
  readonly #steps: StepsRunner;
  #learnerBytes = 0;
  #stopExpiry: () => void = () => {};
  #draining = false;

  private constructor(options: CheckedOptions, build: string, journal: Journal | null, table: SessionTable) {
    const { maxNetworks, networkBytes, metrics, log } = options;
    this.#options = options;
    this.#build = build;
    this.#journal = journal;
    this.#table = table;
    this.#durability = new Durability(journal);
    this.#networks = new PinnedNetworks(options.networks, this.#durability, log, { maxNetworks, networkBytes });
    this.models = new ModelRuns(this.#networks, options);
    this.#counters = new SessionCounters(
      metrics,
      () => table.size,
      () => journal?.figures ?? null,
    );
    this.#steps = new StepsRunner(this.#durability, this.#counters, options);
  }

  /**
   * Recovers the sessions of the state directory, then resolves. `files` puts another file system in the place of Node's: for
   * tests. Errors: those of the journal; BridgeError `impossible` for networks.
   */
  static async start(options: SessionServiceOptions, files?: JournalFiles): Promise<SessionService> {
    const checked = checkOptions(optionsSchema, options, 'SessionService');
    const table = new SessionTable(checked.clock);
    const build = checked.build ?? thisBuild();
    const { journal, ...recovered } = await openJournal(checked, () => snapshots(table), files);
    try {
      const service = new SessionService(checked, build, journal, table);
      await service.#recover(recovered);
      service.#stopExpiry = expireIdle(
        () => service.#served(),
        (session) => service.#expire(session),
        checked.clock,
        () => service.#options.idleMs,
      );
      return service;
    } catch (error) {
      await journal?.close();
      throw error;
    }
  }

  /** Sessions, and the rows applied to them since the start. */
  get figures(): { count: number; rowsApplied: number } {
    return { count: this.#table.size, rowsApplied: this.#counters.applied };
  }

  /** Of the rows: `ok`, `degraded` while the disk fails, `none` without a state directory. */
  get durability(): 'ok' | 'degraded' | 'none' {
    return this.#durability.state ?? 'ok';
  }

  async #recover({ sessions, ended }: RecoveredState): Promise<void> {
    const { clock, log } = this.#options;
    const parts = { networks: this.#networks, build: this.#build, log, now: clock.now() };
    const counts = { recovered: 0, network_changed: 0, quarantined: 0 };
    for (const session of await recoverSessions(sessions, parts)) {
      this.#table.add(session);
      counts[session.blocked ?? 'recovered']++;
      if (session.blocked === null) this.#learnerBytes += session.learnerBytes;
    }
    for (const { id, reason, endedAt } of ended) {
      const left = Math.min(ENDED_MS, ENDED_MS - (wallMs() - Date.parse(endedAt)));
      if (reason !== 'withdrawn' && this.#table.find(id) === undefined) this.#table.end(id, reason, 0, left);
    }
    for (const [result, count] of Object.entries(counts))
      this.#counters.recovered(result as keyof typeof counts, count);
    if (sessions.length > 0) log.info('sessions recovered', counts);
  }

  /** Creates a session; durable before it resolves. An id that exists with the same network resolves to where it stands. */
  async create(request: CreateSession = {}, signal?: AbortSignal): Promise<CreateResult> {
    const id = idOf(request);
    await this.#table.find(id)?.ending?.catch(() => undefined);
    this.#checkOpen();
    const existing = this.#table.find(id);
    if (existing !== undefined) return this.#existing(request, existing, signal);
    const session = this.#make(id, request);
    this.#table.add(session);
    session.created = this.#begin(session);
    await created(session, signal);
    return { created: true, session: placeOf(session, this.#durability) };
  }

  async #existing(
    request: CreateSession,
    existing: Session | BlockedSession,
    signal: AbortSignal | undefined,
  ): Promise<CreateResult> {
    if (existing.blocked !== null) throw existing.error();
    await created(existing, signal);
    if (!asksFor(request, existing)) {
      throw new BridgeError(
        'session_exists',
        `The session ${existing.id} exists with another network or other settings`,
      );
    }
    existing.lastUsed = this.#options.clock.now();
    return { created: false, session: placeOf(existing, this.#durability) };
  }

  #make(id: string, request: CreateSession): Session {
    const { maxSessions, maxRlsBytes, memoryFull, clock } = this.#options;
    if (this.#table.size >= maxSessions) {
      throw new BridgeError('sessions_full', `Expected at most ${maxSessions} sessions (maxSessions)`);
    }
    if (memoryFull()) throw new BridgeError('memory', 'The memory of the process is nearly used up');
    const pinned = this.#networks.named(request.network ?? 'default');
    const bytes = request.targets === undefined ? 0 : OnlineReadout.bytesOf(pinned.made.network.featureSize);
    if (this.#learnerBytes + bytes > maxRlsBytes) {
      throw new BridgeError(
        'sessions_full',
        `Expected learners of at most ${maxRlsBytes} bytes together (maxRlsBytes)`,
      );
    }
    const session = makeSession(id, request, { pinned, build: this.#build, now: clock.now() });
    this.#learnerBytes += bytes;
    pinned.sessions++;
    return session;
  }

  /** Without the signal of a caller: others wait for the same creation. */
  async #begin(session: Session): Promise<void> {
    try {
      this.#durability.append({ kind: 'create', session: session.record }, session);
      await this.#durability.until(session.sequence);
    } catch (error) {
      // The record may still reach the disk: its end follows it there.
      await session.between(() => {
        this.#undo(session);
      });
      throw error;
    }
  }

  /**
   * Applies rows; resolves to the outputs of those that were new, and of a retry's rows that the last answer held. Nothing is
   * applied where the outputs would be more than their form takes.
   */
  async steps(id: string, request: StepsRequest, signal?: AbortSignal, form: AnswerForm = {}): Promise<StepsAnswer> {
    return this.#steps.run(this.#stepping(id), request, form, signal);
  }

  /** Steps of at most 1,000 requests, of one session or many; outcomes in their order. `form` is that of all of them together. */
  async stepsMany(items: readonly StepsItem[], signal?: AbortSignal, form: AnswerForm = {}): Promise<StepsOutcome[]> {
    if (!Array.isArray(items) || items.length > MOST_ITEMS) {
      throw new BridgeError('malformed', `Expected an array of at most ${MOST_ITEMS} items`);
    }
    return this.#steps.runMany(items, (id) => this.#stepping(id), form, signal);
  }

  #stepping(id: string): Session {
    this.#checkOpen();
    const session = this.#table.served(id);
    session.lastUsed = this.#options.clock.now();
    return session;
  }

  describe(id: string): SessionDescription {
    return describeSession(this.#table.served(id), this.#durability);
  }

  /** Sessions by id, those above `after`; `limit` from 1 to 1,000, 100 by default. Sessions that cannot be served are among them. */
  list({ limit = 100, after = '' }: { limit?: number | undefined; after?: string | undefined } = {}): SessionList {
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED) {
      throw new BridgeError('malformed', `Expected a whole number from 1 to ${MOST_LISTED} for limit`);
    }
    const { items, isLast } = this.#table.page(limit, after);
    const described = items.map((session) => describeSession(session, this.#durability));
    return isLast ? { items: described } : { items: described, next: items.at(-1)!.record.id };
  }

  /** Ends a session after the request under way; durable before it resolves. Waiting requests reject with session_gone. */
  async remove(id: string, signal?: AbortSignal): Promise<SessionPlace> {
    const ending = this.#table.find(id)?.ending ?? null;
    if (ending !== null) await ending.catch(() => undefined);
    const gone = this.#table.find(id) === undefined ? this.#table.gone(id) : undefined;
    if (gone !== undefined) await this.#durability.until(gone.sequence, signal);
    const session = this.#table.any(id);
    const sequence = await this.#end(session, 'deleted');
    await this.#durability.until(sequence, signal);
    return placeOf(session, this.#durability);
  }

  /** What a session has learned. Errors: BridgeError `impossible` for one that learns nothing. */
  async readout(id: string, signal?: AbortSignal): Promise<ReadoutAnswer> {
    const session = this.#table.served(id);
    const { learner } = session;
    if (learner === null)
      throw new BridgeError('impossible', `The session ${id} was created without targets: it learns nothing`);
    return session.between(() => {
      signal?.throwIfAborted();
      if (session.ending !== null) throw goneError(id, 'deleted');
      const { weights, bias } = learner.readout();
      const { learned, error, persistence, stopped } = learner;
      const { epoch, offset } = session;
      return { id, epoch, offset, weights, bias, learned, error, persistence, stopped };
    });
  }

  /**
   * The networks of new sessions from now on; the service closes them. Errors: BridgeError `impossible` beyond maxNetworks or
   * networkBytes: nothing has changed then, and the caller closes `next`.
   */
  replaceNetworks(next: readonly SessionNetwork[], bounds: SessionBounds = this.#options): void {
    this.#networks.replace(next, bounds);
    this.#take(bounds);
  }

  /** The networks that new sessions may name. */
  get networks(): SessionNetwork[] {
    return [...this.#networks.names].map(([name, { made }]) => ({ ...made, name }));
  }

  /** Other bounds from now on; sessions that are there stay. Errors: as of `replaceNetworks`. */
  setBounds(bounds: SessionBounds): void {
    this.#networks.setBounds(bounds);
    this.#take(bounds);
  }

  /** Requests that wait are refused with `draining` and apply nothing, those that have begun are answered; then a commit. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#stopExpiry();
    const sessions = [...this.#served()];
    for (const { queue } of sessions) for (const work of queue.splice(0)) work.reject(drainingError());
    await Promise.all([this.models.drain(), ...sessions.map((session) => session.between(() => undefined))]);
    await this.#journal?.commit();
  }

  /** Drains, closes the journal and frees the networks. Runs of models end with `draining`. */
  async close(): Promise<void> {
    try {
      await Promise.all([this.models.close(), this.drain()]);
    } finally {
      try {
        await this.#journal?.close();
      } finally {
        for (const { learner } of this.#served()) learner?.close();
        this.#networks.close();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #take({ maxSessions, idleMs, maxRlsBytes }: SessionBounds): void {
    this.#options = { ...this.#options, maxSessions, idleMs, maxRlsBytes };
  }

  *#served(): Iterable<Session> {
    for (const session of this.#table.values()) if (session.blocked === null) yield session;
  }

  #checkOpen(): void {
    if (this.#draining) throw drainingError();
  }

  /** Resolves to the sequence number of the end. */
  #end(session: Session | BlockedSession, reason: 'deleted' | 'expired'): Promise<number> {
    if (session.ending !== null) return session.ending;
    const ending = this.#endAfterWork(session, reason);
    session.ending = ending;
    ending.catch(() => {
      session.ending = null;
    });
    return ending;
  }

  async #endAfterWork(session: Session | BlockedSession, reason: 'deleted' | 'expired'): Promise<number> {
    const { id, epoch } = session.record;
    const end = () => {
      const sequence = this.#durability.end({ kind: 'end', id, epoch, reason });
      this.#table.end(id, reason, sequence);
      if (session.blocked === null) this.#release(session, goneError(id, reason));
      return sequence;
    };
    return session.blocked === null ? session.between(end) : end();
  }

  /** Takes back a creation that did not become durable: its id is unknown again. */
  #undo(session: Session): void {
    const { id, epoch } = session.record;
    if (this.#table.find(id) !== session) return;
    try {
      if (session.sequence > 0) this.#durability.end({ kind: 'end', id, epoch, reason: 'withdrawn' });
    } catch (error) {
      this.#options.log.warn('a session whose creation failed may come back', { error: (error as Error).message });
    }
    this.#table.forget(session);
    this.#release(session, goneError(id, 'deleted'));
  }

  #release(session: Session, error: BridgeError): void {
    for (const work of session.queue.splice(0)) work.reject(error);
    this.#steps.forget(session);
    if (session.place !== null) session.pinned.streams.release(session.place);
    session.learner?.close();
    this.#learnerBytes -= session.learnerBytes;
    this.#networks.leave(session.pinned);
  }

  #expire(session: Session): void {
    this.#end(session, 'expired').catch((error: Error) => {
      this.#options.log.warn('a session that was idle too long did not end', { error: error.message });
    });
  }
}

/** Waits until the creation is durable; the signal ends the wait, not the creation. */
function created(session: Session, signal: AbortSignal | undefined): Promise<void> {
  return signal === undefined ? session.created : untilAborted(signal, session.created);
}

function drainingError(): BridgeError {
  return new BridgeError('draining', 'The bridge is shutting down: nothing of the request was applied');
}

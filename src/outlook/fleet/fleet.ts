/** Several engines, each watched, and which of them is to serve the next request. */
import { EventEmitter } from 'node:events';
import { type Clock, untilAborted } from '../../abort/index.js';
import type { Engine } from '../../engine/index.js';
import {
  argumentError,
  checkOptions,
  checkWhole,
  DtesnError,
  emit,
  ListenerErrors,
  rangeError,
} from '../../errors/index.js';
import {
  canServe,
  defaultIntervalMs,
  EngineMonitor,
  type EngineMonitorOptions,
  type EngineState,
  mostIntervalMs,
} from '../../monitor/index.js';
import type { ReportedLoad, TtftPrediction } from '../prediction/index.js';
import type { AdmissionRequest } from '../rules/index.js';
import type { ScaleHint, ScaleHintOptions } from '../scaling/index.js';
import type { RequestTicket } from './engine-outlook.js';
import {
  type FleetOptions,
  optionsSchema,
  outlookOptionsSchema,
  promptSchema,
  type SentRequest,
  sentRequestSchema,
} from './fleet-options.js';
import { type FleetAdmission, type FleetOutlook, OutlookOfFleet, type RoutingQuestion } from './fleet-outlook.js';
import { type LoadedEngine, loadCosts } from './load-cost.js';
import { owner } from './rendezvous.js';

/** One engine of a fleet: its state, its load and whether requests are picked for it. */
export interface FleetMember {
  engine: Engine;
  state: EngineState;
  /** Null while it is drained. */
  cost: number | null;
}

/**
 * Events of Fleet and their arguments: 'drained' when nothing is picked from an engine any more, 'restored' when it is
 * back.
 */
export interface FleetEvents {
  drained: [engine: Engine, state: EngineState];
  restored: [engine: Engine, state: EngineState];
}

/** The engine that is to serve a request, why it was chosen, and its cost. */
export interface FleetChoice {
  engine: Engine;
  /**
   * only       no other engine can serve
   * cheapest   no engine costs less
   * session    the engine of the session
   * moved      the session's own engine costs too much, so the cheapest
   */
  reason: 'only' | 'cheapest' | 'session' | 'moved';
  cost: number;
  /** Engines that could serve. */
  candidates: number;
  /** When the first token is expected; absent where the engine was chosen by its load. */
  ttft?: TtftPrediction;
}

interface Member extends LoadedEngine {
  engine: Engine;
  picked: number;
  sent: number;
  reported: LoadedEngine['reported'];
  /** Resolves with the first observation, or when it is removed. */
  seen: Promise<void>;
  leave: () => void;
}

const FIRST_WITHIN_MS = 1000;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Several engines, each watched, and which of them is to serve the next request.
 *
 *     cost = (1 + running + 3 waiting + picked) / (1.05 - KV usage)        four times that when saturated
 *
 * `picked` counts the picks since the engine was last observed, or the requests that its caller sent lately (`sent`) where
 * those are more, so that a burst between two observations spreads. What an engine does not say counts as the worst of those
 * that do. A load that came by another way (`report`) counts until a newer scrape; `factor` of a request multiplies costs. Engines in another state than ready, busy
 * and saturated are drained: nothing is picked from them until they are back. An engine with less free KV memory than
 * `promptTokens` costs as a saturated one.
 *
 * Locality: with a `session` the engine that rendezvous hashing gives that session serves it, so that its prefix cache is
 * reused, unless that costs more than `affinity` (2) times the cheapest. When engines come and go only their own
 * sessions move.
 *
 *     const fleet = new Fleet([engineA, engineB]);
 *     await fleet.observed();                     // every engine was observed once
 *     const engine = fleet.pick({ session: 'user-7' });
 *     const { engine, reason, cost } = fleet.choose({ session: 'user-7', promptTokens: 900 });
 *     fleet.add(engineC);                         // the others keep their history
 *     await fleet.remove(engineA);                // its watch ends, the engine stays the caller's
 *
 * With the option `outlook` it predicts times to first token from the requests that are reported to it (rules/):
 *
 *     const admission = fleet.admit({ promptTokens: 900, ttftSloMs: 2000 });
 *     const ticket = fleet.sent(engine, { promptTokens: 900, session: 'user-7' });
 *     ticket.firstToken();
 *     ticket.finished({ generatedTokens: 120 });
 *     fleet.predictTtft(engine, { promptTokens: 900 })             // { ms, p90Ms, basis, samples }
 *
 * `pick` and `choose` then take the least physics(own - known) / (1.05 - KV usage), while requests are reported; the costs above
 * count where none are.
 *
 * Observations of the engines are spread over the interval, whatever their number (phases by the golden ratio).
 * Options: `affinity`, `allowEmpty`, `spreadFirst`, `mostPerSecond`, `outlook`, `monitor` (those of EngineMonitor), `clock` (abort/clock.ts).
 * A listener that throws is reported as one of the monitors (`monitor.onListenerError`) and harms no other.
 * Errors: DtesnError ERR_DTESN_NO_ENGINE when every engine is drained, ERR_DTESN_STATE for what needs the option `outlook`,
 * ERR_DTESN_CLOSED for a question after close(); TypeError or RangeError ERR_DTESN_ARGUMENT.
 * Sources: Thaler & Ravishankar (1998), rendezvous hashing; Mirrokni, Thorup, Zadimoghaddam (2018), consistent hashing with
 * bounded loads.
 */
export class Fleet extends EventEmitter<FleetEvents> {
  /** By their labels, in the order in which they joined. */
  readonly #members = new Map<string, Member>();
  readonly #closing = new AbortController();
  readonly #affinity: number;
  readonly #allowEmpty: boolean;
  readonly #spreadFirst: boolean;
  readonly #mostPerSecond: number;
  readonly #monitor: EngineMonitorOptions;
  readonly #clock: Clock;
  readonly #errors: ListenerErrors;
  readonly #outlook: OutlookOfFleet | null;
  /** Engines added so far, which gives the next its phase. */
  #added = 0;

  constructor(engines: readonly Engine[], options: FleetOptions = {}) {
    super();
    if (!Array.isArray(engines)) throw argumentError('an array of engines', 'engines', engines);
    const checked = checkOptions(optionsSchema, options, 'Fleet');
    const labels = engines.map((engine: Engine) => engine?.label);
    const twice = labels.find((label, i) => labels.indexOf(label) < i);
    if (twice !== undefined) throw rangeError('each engine once', 'engines', twice);
    if (engines.length === 0 && !checked.allowEmpty) throw rangeError('at least one engine', 'engines', engines);
    this.#affinity = checked.affinity;
    this.#allowEmpty = checked.allowEmpty;
    this.#spreadFirst = checked.spreadFirst;
    this.#mostPerSecond = checked.mostPerSecond ?? Number.POSITIVE_INFINITY;
    this.#monitor = { clock: checked.clock, ...checked.monitor };
    this.#clock = this.#monitor.clock ?? checked.clock;
    this.#errors = new ListenerErrors(this.#monitor.onListenerError);
    this.#outlook = outlookOf(checked.outlook, () => this.#clock.now() / 1000);
    for (const engine of engines) this.add(engine);
  }

  /** Watches one more engine. */
  add(engine: Engine): EngineMonitor {
    if (this.#closing.signal.aborted) throw closedError();
    if (this.#members.has(engine?.label))
      throw rangeError('an engine that is not in the fleet', 'engine', engine.label);
    const member = this.#member(engine, { ...this.#place(), ...this.#monitor });
    this.#added++;
    this.#members.set(engine.label, member);
    this.#boundObservations();
    return member.monitor;
  }

  /** Ends the watch of an engine, given itself or by its label; resolves with it when its last observation has ended. */
  async remove(engine: Engine | string): Promise<Engine> {
    const member = this.#known(engine);
    if (this.#members.size === 1 && !this.#allowEmpty) {
      throw rangeError('an engine beside which others stay (or allowEmpty)', 'engine', member.engine.label);
    }
    this.#members.delete(member.engine.label);
    this.#outlook?.remove(member.engine.label);
    member.leave();
    this.#boundObservations();
    await member.monitor.close();
    return member.engine;
  }

  /** The monitor of an engine, given itself or by its label. */
  monitor(engine: Engine | string): EngineMonitor {
    return this.#known(engine).monitor;
  }

  /** Takes the load of an engine that came by another way than its metrics; it counts until they are read again. */
  report(engine: Engine | string, load: ReportedLoad): void {
    const member = this.#known(engine);
    member.reported = { load: { ...load }, atSeconds: this.#clock.now() / 1000 };
    this.#outlook?.engine(member.engine).report(load);
  }

  /** Says how many requests were sent to an engine lately, so that its metrics may not show them yet. 0 at first. */
  sent(engine: Engine | string, requests: number): void;
  /** A request was sent to an engine: its ticket says what becomes of it. Needs the option `outlook`. */
  sent(engine: Engine | string, request: SentRequest): RequestTicket;
  sent(engine: Engine | string, sent: number | SentRequest): RequestTicket | undefined {
    const member = this.#known(engine);
    if (typeof sent === 'object') {
      const outlook = this.#predicting();
      return outlook.sent(member.engine, checkOptions(sentRequestSchema, sent, 'a request'));
    }
    member.sent = checkWhole(sent, 'requests', 0, undefined, 'requests');
    return undefined;
  }

  /** Its skill, and whether admission refuses; null without the option `outlook`. */
  get outlook(): FleetOutlook | null {
    return this.#outlook;
  }

  /** When a request sent to an engine now would have its first token. Needs the option `outlook`. */
  predictTtft(engine: Engine | string, request: { promptTokens: number }): TtftPrediction {
    const member = this.#known(engine);
    const { promptTokens } = checkOptions(promptSchema, request, 'a request');
    return this.#predicting().engine(member.engine).predict(promptTokens);
  }

  /**
   * How many engines to have, so that there are enough when one that starts now can serve: from the load that came and the
   * requests a second that an engine serves at full use, as measured. Needs the option `outlook`.
   */
  scaleHint(options?: ScaleHintOptions): ScaleHint {
    return this.#predicting().scaleHint(options);
  }

  /**
   * Whether a request is taken: where its first token is expected within `margin` (0.85) of what it may take, by which engine;
   * else when to ask again and why. While admission is advisory, and where predictions had no skill lately, each request is
   * admitted, and `withheld` says what the rule came to. Needs the option `outlook`.
   * Errors: DtesnError ERR_DTESN_NO_ENGINE where no engine can serve.
   */
  admit(request: AdmissionRequest): FleetAdmission {
    const outlook = this.#predicting();
    const open = this.#all.filter(({ monitor }) => canServe(monitor.state)).map(({ engine }) => engine);
    if (open.length === 0) throw this.#noneOpen();
    return outlook.admit(request, open);
  }

  /** Every engine, its state and what picking it costs. */
  get members(): FleetMember[] {
    const costs = loadCosts(this.#all, 0);
    return this.#all.map(({ engine, monitor }, i) => ({ engine, state: monitor.state, cost: costs[i]! }));
  }

  /** Resolves when every engine was observed at least once; rejects with the signal's reason where that comes first. */
  async observed({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closing.signal.aborted) throw closedError();
    const unseen = this.#all.filter(({ monitor }) => !monitor.observed);
    const all = untilAborted(this.#closing.signal, Promise.all(unseen.map(({ seen }) => seen))).catch(() => {
      throw closedError();
    });
    await (signal === undefined ? all : untilAborted(signal, all));
  }

  /** The engine for the next request. */
  pick(request: { session?: string | undefined; promptTokens?: number | undefined } = {}): Engine {
    return this.choose(request).engine;
  }

  /** The same, with the rule that chose it and what it costs. */
  choose({
    session,
    promptTokens,
    factor = () => 1,
  }: {
    session?: string | undefined;
    promptTokens?: number | undefined;
    /** What the cost of an engine is multiplied by for this request, above 0. Default: 1 for all. */
    factor?: ((engine: Engine) => number) | undefined;
  } = {}): FleetChoice {
    const byOutlook = this.#chooseByOutlook({ session, promptTokens, factor });
    if (byOutlook !== null) return byOutlook;
    const costs = loadCosts(this.#all, promptTokens ?? 0);
    const open = this.#all.flatMap((member, i) => {
      const cost = costs[i]!;
      return cost === null ? [] : [{ member, cost: cost * factor(member.engine) }];
    });
    if (open.length === 0) throw this.#noneOpen();
    const cheapest = open.reduce((a, b) => (b.cost < a.cost ? b : a));
    const home = session === undefined ? cheapest : owner(open, session, (one) => one.member.engine.label);
    const stays = home.cost <= this.#affinity * cheapest.cost;
    const { member, cost } = stays ? home : cheapest;
    member.picked++;
    const bySession = stays ? 'session' : 'moved';
    const reason = open.length === 1 ? 'only' : session === undefined ? 'cheapest' : bySession;
    return { engine: member.engine, reason, cost, candidates: open.length };
  }

  /** Ends every watch; the engines stay open. What is said of requests later has no effect. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#outlook?.close();
    await Promise.all(this.#all.map(({ monitor }) => monitor.close()));
    this.removeAllListeners();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #predicting(): OutlookOfFleet {
    if (this.#closing.signal.aborted) throw closedError();
    if (this.#outlook !== null) return this.#outlook;
    throw new DtesnError('ERR_DTESN_STATE', 'Expected a fleet with the option outlook');
  }

  /** Null where the costs by load count: without the option, without requests that are reported, without an engine. */
  #chooseByOutlook(question: RoutingQuestion): FleetChoice | null {
    if (this.#outlook?.informed !== true || this.#closing.signal.aborted) return null;
    const open = this.#all.filter(({ monitor }) => canServe(monitor.state));
    const engines = open.map(({ engine }) => engine);
    if (engines.length === 0) return null;
    const choice = this.#outlook.choose(question, engines);
    open.find(({ engine }) => engine === choice.engine)!.picked++;
    return { ...choice, candidates: engines.length };
  }

  /** Where in the interval the next engine is observed. */
  #place(): EngineMonitorOptions {
    const place = (this.#added * GOLDEN) % 1;
    if (!this.#spreadFirst) return { phase: (0.5 + place) % 1 };
    return { firstAfterMs: place * Math.min(this.#monitor.intervalMs ?? defaultIntervalMs, FIRST_WITHIN_MS) };
  }

  /** All engines together are observed `mostPerSecond` times a second at most. */
  #boundObservations(): void {
    const least = (1000 * this.#members.size) / this.#mostPerSecond;
    const interval = Math.max(this.#monitor.intervalMs ?? defaultIntervalMs, least);
    for (const { monitor } of this.#all) monitor.askEvery(Math.min(interval, mostIntervalMs));
  }

  get #all(): Member[] {
    return [...this.#members.values()];
  }

  #known(engine: Engine | string): Member {
    const label = typeof engine === 'string' ? engine : engine?.label;
    const member = this.#members.get(label);
    if (member === undefined) throw rangeError('an engine of the fleet', 'engine', label);
    return member;
  }

  #member(engine: Engine, options: EngineMonitorOptions): Member {
    const monitor = new EngineMonitor(engine, options);
    let leave = () => {};
    const seen = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const member: Member = { engine, monitor, picked: 0, sent: 0, reported: null, seen, leave };
    const outlook = this.#outlook?.add(engine.label, monitor);
    monitor.on('restart', () => outlook?.restarted());
    monitor.on('observation', (_, figures) => {
      member.picked = 0;
      member.leave();
      const { rates, readAtSeconds } = monitor;
      if (readAtSeconds !== null) this.#outlook?.observe(engine.label, figures, readAtSeconds, rates);
    });
    monitor.on('state', (now, before) => {
      if (canServe(now) === canServe(before)) return;
      emit(this, this.#errors, canServe(now) ? 'restored' : 'drained', engine, now);
    });
    return member;
  }

  #noneOpen(): DtesnError {
    if (this.#members.size === 0)
      return new DtesnError('ERR_DTESN_NO_ENGINE', 'Expected an engine that can serve but the fleet is empty');
    const states = this.#all.map(({ engine, monitor }) => `${engine.label} is ${monitor.state.name}`);
    return new DtesnError('ERR_DTESN_NO_ENGINE', `Expected an engine that can serve but ${states.join(', ')}`);
  }
}

function closedError(): DtesnError {
  return new DtesnError('ERR_DTESN_CLOSED', 'Expected an open fleet but it was closed');
}

function outlookOf(given: boolean | Record<string, unknown>, now: () => number): OutlookOfFleet | null {
  if (given === false) return null;
  const options = checkOptions(outlookOptionsSchema, given === true ? {} : given, 'outlook');
  return new OutlookOfFleet({ ...options, now });
}

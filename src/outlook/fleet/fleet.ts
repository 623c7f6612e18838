/** Several engines, each watched, and which of them is to serve the next request. */
import { EventEmitter } from 'node:events';
import { z } from 'zod';
import { type Clock, clockOption, untilAborted } from '../../abort/index.js';
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
import { canServe, EngineMonitor, type EngineMonitorOptions, type EngineState } from '../../monitor/index.js';

const WAITING = 3;
const SATURATED = 4;

export const optionsSchema = z.object({
  affinity: z.number().min(1).max(Number.MAX_VALUE).default(2).describe('a finite number, 1 or more,'),
  allowEmpty: z.boolean().default(false).describe('true or false'),
  monitor: z.record(z.string(), z.unknown()).default({}).describe('options of EngineMonitor'),
  spreadFirst: z.boolean().default(false).describe('true or false'),
  clock: clockOption,
});

/** Options of Fleet: its rule of choice, and the monitors of its engines. */
export interface FleetOptions {
  /** How many times the cheapest engine's cost that of a session's own engine may be, 1 or more. Default 2. */
  affinity?: number | undefined;
  /** Whether the fleet may have no engine: at first, or after the last one was removed. Default false. */
  allowEmpty?: boolean | undefined;
  /** Whether first observations are spread over an interval (of at most a second) too, in place of coming at once. Default false. */
  spreadFirst?: boolean | undefined;
  /** Options of the monitor of each engine. Default: those of EngineMonitor. */
  monitor?: EngineMonitorOptions | undefined;
  /** Clock of the monitors, unless `monitor` names one. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

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

/** What an engine said of its load beside its metrics, as in a header of an answer; null where it did not. */
export interface ReportedLoad {
  running?: number | null | undefined;
  waiting?: number | null | undefined;
  /** 0 to 1. */
  kvUsage?: number | null | undefined;
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
}

interface Member {
  engine: Engine;
  monitor: EngineMonitor;
  picked: number;
  sent: number;
  reported: { load: ReportedLoad; atSeconds: number } | null;
  /** Resolves with the first observation, or when it is removed. */
  seen: Promise<void>;
  leave: () => void;
}

const FIRST_WITHIN_MS = 1000;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Several engines, each watched, and which of them is to serve the next request.
 *
 *     cost = (1 + running + WAITING waiting + picked) / (1.05 - KV usage)        four times that when saturated
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
 * Observations of the engines are spread over the interval, whatever their number (phases by the golden ratio).
 * Options: `affinity`, `allowEmpty`, `spreadFirst`, `monitor` (those of EngineMonitor), `clock` (abort/clock.ts).
 * A listener that throws is reported as one of the monitors (`monitor.onListenerError`) and harms no other.
 * Errors: DtesnError ERR_DTESN_NO_ENGINE when every engine is drained; TypeError or RangeError ERR_DTESN_ARGUMENT.
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
  readonly #monitor: EngineMonitorOptions;
  readonly #clock: Clock;
  readonly #errors: ListenerErrors;
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
    this.#monitor = { clock: checked.clock, ...checked.monitor };
    this.#clock = this.#monitor.clock ?? checked.clock;
    this.#errors = new ListenerErrors(this.#monitor.onListenerError);
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
    return member.monitor;
  }

  /** Ends the watch of an engine, given itself or by its label; resolves with it when its last observation has ended. */
  async remove(engine: Engine | string): Promise<Engine> {
    const member = this.#known(engine);
    if (this.#members.size === 1 && !this.#allowEmpty) {
      throw rangeError('an engine beside which others stay (or allowEmpty)', 'engine', member.engine.label);
    }
    this.#members.delete(member.engine.label);
    member.leave();
    await member.monitor.close();
    return member.engine;
  }

  /** The monitor of an engine, given itself or by its label. */
  monitor(engine: Engine | string): EngineMonitor {
    return this.#known(engine).monitor;
  }

  /** Takes the load of an engine that came by another way than its metrics; it counts until they are read again. */
  report(engine: Engine | string, load: ReportedLoad): void {
    this.#known(engine).reported = { load: { ...load }, atSeconds: this.#clock.now() / 1000 };
  }

  /** Says how many requests were sent to an engine lately, so that its metrics may not show them yet. 0 at first. */
  sent(engine: Engine | string, requests: number): void {
    this.#known(engine).sent = checkWhole(requests, 'requests', 0, undefined, 'requests');
  }

  /** Every engine, its state and what picking it costs. */
  get members(): FleetMember[] {
    const costs = this.#costs();
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
    promptTokens = 0,
    factor = () => 1,
  }: {
    session?: string | undefined;
    promptTokens?: number | undefined;
    /** What the cost of an engine is multiplied by for this request, above 0. Default: 1 for all. */
    factor?: ((engine: Engine) => number) | undefined;
  } = {}): FleetChoice {
    const costs = this.#costs(promptTokens);
    const open = this.#all.flatMap((member, i) => {
      const cost = costs[i]!;
      return cost === null ? [] : [{ member, cost: cost * factor(member.engine) }];
    });
    if (open.length === 0) throw this.#noneOpen();
    const cheapest = open.reduce((a, b) => (b.cost < a.cost ? b : a));
    const home = session === undefined ? cheapest : owner(open, session);
    const stays = home.cost <= this.#affinity * cheapest.cost;
    const { member, cost } = stays ? home : cheapest;
    member.picked++;
    const bySession = stays ? 'session' : 'moved';
    const reason = open.length === 1 ? 'only' : session === undefined ? 'cheapest' : bySession;
    return { engine: member.engine, reason, cost, candidates: open.length };
  }

  /** Ends every watch; the engines stay open. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#all.map(({ monitor }) => monitor.close()));
    this.removeAllListeners();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Where in the interval the next engine is observed. */
  #place(): EngineMonitorOptions {
    const place = (this.#added * GOLDEN) % 1;
    if (!this.#spreadFirst) return { phase: (0.5 + place) % 1 };
    return { firstAfterMs: place * Math.min(this.#monitor.intervalMs ?? FIRST_WITHIN_MS, FIRST_WITHIN_MS) };
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
    monitor.on('observation', () => {
      member.picked = 0;
      member.leave();
    });
    monitor.on('state', (now, before) => {
      if (canServe(now) === canServe(before)) return;
      emit(this, this.#errors, canServe(now) ? 'restored' : 'drained', engine, now);
    });
    return member;
  }

  /** Null for each drained one. */
  #costs(promptTokens = 0): (number | null)[] {
    const loads = this.#all.map((member) => (canServe(member.monitor.state) ? loadOf(member) : null));
    const worst = (name: keyof Load) => Math.max(0, ...loads.map((load) => load?.[name] ?? 0));
    const [mostRunning, mostWaiting, mostUsed] = [worst('running'), worst('waiting'), worst('kvUsage')];
    return this.#all.map(({ monitor, picked, sent }, i) => {
      const load = loads[i]!;
      if (load === null) return null;
      const requests = (load.running ?? mostRunning) + WAITING * (load.waiting ?? mostWaiting) + Math.max(picked, sent);
      const usage = Math.min(1, Math.max(0, load.kvUsage ?? mostUsed));
      const capacity = monitor.figures?.kvTokensCapacity ?? Number.POSITIVE_INFINITY;
      const strained = monitor.state.name === 'saturated' || promptTokens > (1 - usage) * capacity;
      return ((1 + requests) / (1.05 - usage)) * (strained ? SATURATED : 1);
    });
  }

  #noneOpen(): DtesnError {
    if (this.#members.size === 0)
      return new DtesnError('ERR_DTESN_NO_ENGINE', 'Expected an engine that can serve but the fleet is empty');
    const states = this.#all.map(({ engine, monitor }) => `${engine.label} is ${monitor.state.name}`);
    return new DtesnError('ERR_DTESN_NO_ENGINE', `Expected an engine that can serve but ${states.join(', ')}`);
  }
}

type Load = Required<{ [Name in keyof ReportedLoad]: number | null }>;

/** The figures of its last scrape, or what was reported since. */
function loadOf({ monitor, reported }: Member): Load {
  const { figures, readAtSeconds } = monitor;
  const isNewer = reported !== null && reported.atSeconds > (readAtSeconds ?? Number.NEGATIVE_INFINITY);
  const load = isNewer ? reported.load : {};
  return {
    running: load.running ?? figures?.running ?? null,
    waiting: load.waiting ?? figures?.waiting ?? null,
    kvUsage: load.kvUsage ?? figures?.kvUsageMax ?? null,
  };
}

function closedError(): DtesnError {
  return new DtesnError('ERR_DTESN_CLOSED', 'Expected an open fleet but it was closed');
}

/** The member whose hash with the session is highest. */
function owner<M extends { member: Member }>(open: M[], session: string): M {
  const weight = ({ member }: M) => hash(`${session}\n${member.engine.label}`);
  return open.reduce((a, b) => (weight(b) > weight(a) ? b : a));
}

/** FNV-1a with the finaliser of MurmurHash3: its high bits depend on every character. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

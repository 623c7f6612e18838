/**
 * Several engines, each watched, and which of them is to serve the next request.
 *
 *     cost = (1 + running + WAITING waiting + picked) / (1.05 - KV usage)        four times that when saturated
 *
 * `picked` counts the picks since the engine was last observed, so that a burst between two observations spreads. What an
 * engine does not say counts as the worst of those that do. Engines in another state than ready, busy and saturated are
 * drained: nothing is picked from them until they are back.
 *
 * Locality: with a `session` the engine that rendezvous hashing gives that session serves it, so that its prefix cache is
 * reused, unless that costs more than `affinity` (2) times the cheapest. When engines come and go only their own
 * sessions move.
 *
 *     const fleet = new Fleet([engineA, engineB]);
 *     await fleet.observed();                     // every engine was observed once
 *     const engine = fleet.pick({ session: 'user-7' });
 *
 * Options: `affinity`, `monitor` (those of EngineMonitor), `clock` (abort/clock.ts).
 * A listener that throws is reported as one of the monitors (`monitor.onListenerError`) and harms no other.
 * Errors: DtesnError ERR_DTESN_NO_ENGINE when every engine is drained; TypeError or RangeError ERR_DTESN_ARGUMENT.
 * Sources: Thaler & Ravishankar (1998), rendezvous hashing; Mirrokni, Thorup, Zadimoghaddam (2018), consistent hashing with
 * bounded loads.
 */
import { EventEmitter, once } from 'node:events';
import { z } from 'zod';
import { type Clock, clockOption, untilAborted } from '../abort/index.js';
import type { Engine } from '../engine/index.js';
import { argumentError, checkOptions, DtesnError, emit, ListenerErrors, rangeError } from '../errors/index.js';
import { EngineMonitor, type EngineMonitorOptions } from './engine-monitor.js';
import type { EngineState } from './engine-state.js';

const WAITING = 3;
const SATURATED = 4;

export const optionsSchema = z.object({
  affinity: z.number().min(1).max(Number.MAX_VALUE).default(2).describe('a finite number, 1 or more,'),
  monitor: z.record(z.string(), z.unknown()).default({}).describe('options of EngineMonitor'),
  clock: clockOption,
});

export interface FleetOptions {
  /** How many times the cheapest engine's cost that of a session's own engine may be, 1 or more. Default 2. */
  affinity?: number | undefined;
  /** Of the monitor of each engine. */
  monitor?: EngineMonitorOptions | undefined;
  /** Of every monitor that `monitor` gives none. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

export interface FleetMember {
  engine: Engine;
  state: EngineState;
  /** Null while it is drained. */
  cost: number | null;
}

export interface FleetEvents {
  drained: [engine: Engine, state: EngineState];
  restored: [engine: Engine, state: EngineState];
}

interface Member {
  engine: Engine;
  monitor: EngineMonitor;
  picked: number;
}

export class Fleet extends EventEmitter<FleetEvents> {
  readonly #members: Member[];
  readonly #closing = new AbortController();
  readonly #affinity: number;
  readonly #errors: ListenerErrors;

  constructor(engines: readonly Engine[], options: FleetOptions = {}) {
    super();
    if (!Array.isArray(engines)) throw argumentError('an array of engines', 'engines', engines);
    if (engines.length === 0) throw rangeError('at least one engine', 'engines', engines);
    const labels = engines.map((engine: Engine) => engine?.label);
    const twice = labels.find((label, i) => labels.indexOf(label) < i);
    if (twice !== undefined) throw rangeError('each engine once', 'engines', twice);
    const { affinity, clock, monitor: given } = checkOptions(optionsSchema, options, 'Fleet');
    const monitor: EngineMonitorOptions = { clock, ...given };
    this.#affinity = affinity;
    this.#errors = new ListenerErrors(monitor.onListenerError);
    this.#members = engines.map((engine: Engine) => this.#member(engine, monitor));
  }

  /** Every engine, its state and what picking it costs. */
  get members(): FleetMember[] {
    const costs = this.#costs();
    return this.#members.map(({ engine, monitor }, i) => ({ engine, state: monitor.state, cost: costs[i]! }));
  }

  /** Resolves when every engine was observed at least once; rejects with the signal's reason where that comes first. */
  async observed({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    const closed = () => new DtesnError('ERR_DTESN_CLOSED', 'Expected an open fleet but it was closed');
    if (this.#closing.signal.aborted) throw closed();
    const unseen = this.#members.filter(({ monitor }) => !monitor.observed);
    const waiting = unseen.map(({ monitor }) => once(monitor, 'observation', { signal: this.#closing.signal }));
    const all = Promise.all(waiting).catch(() => {
      throw closed();
    });
    await (signal === undefined ? all : untilAborted(signal, all));
  }

  /** The engine for the next request. */
  pick({ session }: { session?: string } = {}): Engine {
    const costs = this.#costs();
    const open = this.#members.map((member, i) => ({ member, cost: costs[i]! })).filter(({ cost }) => cost !== null);
    if (open.length === 0) throw this.#noneOpen();
    const cheapest = open.reduce((a, b) => (b.cost < a.cost ? b : a));
    const home = session === undefined ? cheapest : owner(open, session);
    const chosen = home.cost <= this.#affinity * cheapest.cost ? home : cheapest;
    chosen.member.picked++;
    return chosen.member.engine;
  }

  /** Ends every watch; the engines stay open. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#members.map(({ monitor }) => monitor.close()));
    this.removeAllListeners();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #member(engine: Engine, options: EngineMonitorOptions): Member {
    const monitor = new EngineMonitor(engine, options);
    const member = { engine, monitor, picked: 0 };
    monitor.on('observation', () => {
      member.picked = 0;
    });
    monitor.on('state', (now, before) => {
      if (isOpen(now) === isOpen(before)) return;
      emit(this, this.#errors, isOpen(now) ? 'restored' : 'drained', engine, now);
    });
    return member;
  }

  /** Null for each drained one. */
  #costs(): (number | null)[] {
    const open = this.#members.filter(({ monitor }) => isOpen(monitor.state));
    const worst = (read: (member: Member) => number | null) => Math.max(0, ...open.map((one) => read(one) ?? 0));
    const running = ({ monitor }: Member) => monitor.figures?.running ?? null;
    const waiting = ({ monitor }: Member) => monitor.figures?.waiting ?? null;
    const usage = ({ monitor }: Member) => monitor.figures?.kvUsageMax ?? null;
    const [mostRunning, mostWaiting, mostUsed] = [worst(running), worst(waiting), worst(usage)];
    return this.#members.map((member) => {
      const { state } = member.monitor;
      if (!isOpen(state)) return null;
      const requests = (running(member) ?? mostRunning) + WAITING * (waiting(member) ?? mostWaiting) + member.picked;
      const room = 1.05 - Math.min(1, Math.max(0, usage(member) ?? mostUsed));
      return ((1 + requests) / room) * (state.name === 'saturated' ? SATURATED : 1);
    });
  }

  #noneOpen(): DtesnError {
    const states = this.#members.map(({ engine, monitor }) => `${engine.label} is ${monitor.state.name}`);
    return new DtesnError('ERR_DTESN_NO_ENGINE', `Expected an engine that can serve but ${states.join(', ')}`);
  }
}

function isOpen({ name }: EngineState): boolean {
  return name === 'ready' || name === 'busy' || name === 'saturated';
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

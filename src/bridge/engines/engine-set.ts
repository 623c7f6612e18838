/**
 * The engines of a bridge: named, watched, coming and going.
 *
 *     await using engines = await EngineSet.start({ engines: ['http://10.0.0.1:8000', 'unix:/run/vllm.sock'], events, log, metrics });
 *     engines.list();                                             // state, since, evidence, figures, rates of each
 *     const { engine, url, reason } = engines.pick({ session: 'user-7' });
 *     const { ticket } = engines.dispatch({ engine });            // so that a hang with frozen gauges is seen (tickets.ts)
 *     engines.finish({ ticket, outcome: 'ok' });
 *
 * Where neither engines nor a file of them are given it starts the embedded simulation, named 'embedded simulation'. Starting waits
 * for no engine and no name server. Names are unique, and so are addresses: of two the first counts. A change of one engine leaves
 * the others' history as it is. Every change is an event (event-log.ts): added, removed, state, restart, drained, restored.
 * Engines that the set made are closed with it; given ones stay the host's.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for options and definitions; BridgeError of the questions: `no_engine` when
 * every engine is drained, `not_found` for a name that is none, `malformed` or `impossible` for a ticket.
 */
import { z } from 'zod';
import { type Clock, clockOption, wallMs } from '../../abort/index.js';
import type { Engine, TelemetrySeries } from '../../engine/index.js';
import { checkOptions, rangeError } from '../../errors/index.js';
import { type EngineMonitorOptions, Fleet } from '../../monitor/index.js';
import { EmbeddedEngine } from '../../simulator/index.js';
import { BridgeError } from '../messages/index.js';
import type { DispatchRequest, FinishRequest, PickAnswer, PickRequest, TicketAnswer } from './contracts.js';
import { type Discovery, type Resolve, systemResolve } from './discovery/index.js';
import { discoveriesOf, type FoundEngines } from './discoveries.js';
import {
  defineEngine,
  definitionOf,
  dnsName,
  type EngineReference,
  givenEngine,
  isGiven,
  type NamedEngine,
} from './engine-definition.js';
import { EngineGauges } from './engine-gauges.js';
import type { EngineItem } from './engine-item.js';
import type { EventLog } from './event-log.js';
import { orcaLoad } from './orca.js';
import { pickReason } from './pick-reason.js';
import type { EngineLog, EngineMetricsRegistry } from './services.js';
import { TicketBook } from './tickets.js';
import { plainEvidence, WatchedEngine, type WatchedEngineListener } from './watched-engine.js';

const OPEN_TICKETS = 100_000;
const SIMULATION = 'embedded simulation';
const ticketPattern = /^[A-Za-z0-9._:-]{1,128}$/;

export const optionsSchema = z.object({
  engines: z.array(z.custom<EngineReference>()).default([]).describe('an array of addresses or definitions of engines'),
  enginesFile: z.string().min(1).optional().describe('the path of a JSON file of targets'),
  events: z.custom<EventLog>((value) => typeof value === 'object' && value !== null).describe('an EventLog'),
  log: z.custom<EngineLog>((value) => typeof value === 'object' && value !== null).describe('a Logger'),
  metrics: z
    .custom<EngineMetricsRegistry>((value) => typeof value === 'object' && value !== null)
    .describe('a MetricsRegistry'),
  monitor: z.record(z.string(), z.unknown()).default({}).describe('options of EngineMonitor'),
  affinity: z.number().min(1).optional().describe('a finite number, 1 or more,'),
  resolve: z.custom<Resolve>((value) => typeof value === 'function').default(() => systemResolve).describe('a function'),
  clock: clockOption,
});

export interface EngineSetOptions {
  /** Addresses (`http://`, `https://`, `unix:/path`, `dns+http://host:port`), definitions, or engines of the host. */
  engines?: readonly EngineReference[] | undefined;
  /** A file in the form of Prometheus' file_sd, watched (discovery/engines-file.ts). */
  enginesFile?: string | undefined;
  /** Where changes are told. */
  events: EventLog;
  log: EngineLog;
  metrics: EngineMetricsRegistry;
  /** Of each engine's monitor: interval, limits. */
  monitor?: EngineMonitorOptions | undefined;
  /** How many times the cheapest engine's cost that of a session's own engine may be, 1 or more. Default 2. */
  affinity?: number | undefined;
  /** The addresses of a `dns+` name. Default: the system's resolver. */
  resolve?: Resolve | undefined;
  /** In place of the system's clock, for tests. */
  clock?: Clock | undefined;
}

type Checked = z.output<typeof optionsSchema>;

export class EngineSet {
  readonly #clock: Clock;
  readonly #events: EventLog;
  readonly #log: EngineLog;
  readonly #gauges: EngineGauges;
  readonly #fleet: Fleet;
  readonly #tickets: TicketBook;
  readonly #epochMs: number;
  readonly #engines = new Map<string, WatchedEngine>();
  /** Where each engine came from, so that what a file no longer names is removed. */
  readonly #origins = new Map<string, string>();
  #discoveries: Discovery[] = [];
  #simulation: EmbeddedEngine | null = null;
  /** Changes run one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor({ clock, events, log, metrics, monitor, affinity }: Checked) {
    this.#clock = clock;
    this.#events = events;
    this.#log = log;
    this.#gauges = new EngineGauges(metrics);
    this.#epochMs = wallMs() - clock.now();
    this.#fleet = new Fleet([], { allowEmpty: true, clock, affinity, monitor });
    this.#tickets = new TicketBook({
      clock,
      capacity: OPEN_TICKETS,
      lost: (_, how) => this.#gauges.ticketLost(how),
    });
    this.#fleet.on('drained', ({ label }, state) => this.#tellOpenness('drained', label, state.name));
    this.#fleet.on('restored', ({ label }, state) => this.#tellOpenness('restored', label, state.name));
    metrics.collect(() => {
      for (const engine of this.#engines.values()) this.#gauges.update(engine, this.#tickets.count(engine.name));
    });
  }

  static async start(options: EngineSetOptions): Promise<EngineSet> {
    const checked = checkOptions(optionsSchema, options, 'EngineSet');
    const set = new EngineSet(checked);
    try {
      await set.#begin(checked);
    } catch (error) {
      await set.close();
      throw error;
    }
    return set;
  }

  /** The engines in the order in which they came. */
  list(): EngineItem[] {
    const open = new Set(this.#fleet.members.filter(({ cost }) => cost !== null).map(({ engine }) => engine));
    return [...this.#engines.values()].map((watched) =>
      watched.item({ drained: !open.has(watched.named.engine), tickets: this.#tickets.count(watched.name) }),
    );
  }

  get names(): string[] {
    return [...this.#engines.keys()];
  }

  /** Whether the only engine is the embedded simulation. */
  get simulated(): boolean {
    return this.#simulation !== null;
  }

  /** An engine, to be asked by others (context, tokenizer). */
  engine(name: string): Engine {
    return this.#watched(name).named.engine;
  }

  /** Figures of an engine over time, those later than a Unix time in seconds; restarts are marked. */
  history(name: string, sinceSeconds?: number): TelemetrySeries {
    return this.#watched(name).history(sinceSeconds);
  }

  /** Watches one more engine; resolves with its name (several engines and the address for a `dns+` address). */
  add(reference: EngineReference): Promise<string> {
    return this.#change(async () => {
      if (!isGiven(reference)) {
        const definition = definitionOf(reference);
        if (dnsName(definition.url) !== null) return this.#discover([definition.url]);
      }
      const named = isGiven(reference) ? givenEngine(reference) : defineEngine(definitionOf(reference));
      this.#watch(named, 'configuration');
      return named.name;
    });
  }

  /** Ends the watch of an engine. */
  remove(name: string): Promise<void> {
    return this.#change(() => this.#leave(this.#watched(name)));
  }

  /** Resolves when every engine that is there now was observed once. */
  observed(options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#fleet.observed(options);
  }

  /** The engine for the next request. */
  pick({ session, promptTokens }: PickRequest = {}): PickAnswer {
    for (const { name, named } of this.#engines.values()) this.#fleet.sent(named.engine, this.#tickets.lately(name));
    if (this.#fleet.members.every(({ cost }) => cost === null)) throw this.#noEngine();
    const choice = this.#fleet.choose({ session, promptTokens });
    const watched = this.#labelled(choice.engine.label)!;
    const { kind, name, named } = watched;
    return {
      engine: name,
      url: named.url,
      kind,
      simulated: named.engine.simulated,
      reason: pickReason(choice, watched.stateName),
      rule: choice.reason,
      cost: choice.cost,
      candidates: choice.candidates,
    };
  }

  /** Takes that a request was sent to an engine. */
  dispatch({ engine, promptTokens, ticket: id, caller = '' }: DispatchRequest): { ticket: string } {
    this.#watched(engine);
    if (id !== undefined && !ticketPattern.test(id)) {
      throw new BridgeError('malformed', 'Expected a ticket of 1 to 128 characters of A-Z, a-z, 0-9, ".", "_", ":" and "-"');
    }
    return { ticket: this.#tickets.dispatch({ engine, caller, id, promptTokens }).ticket.id };
  }

  /** Takes that the first token of a request came. */
  firstToken({ ticket: id }: { ticket: string }): TicketAnswer {
    const found = this.#tickets.firstToken(id);
    if (found?.isNew) {
      const { engine, openedAt, firstTokenAt } = found.ticket;
      this.#gauges.firstToken(engine, (firstTokenAt! - openedAt) / 1000);
    }
    return { known: found !== null };
  }

  /** Takes that a request ended; repeated calls change nothing. */
  finish({ ticket: id, outcome, generatedTokens = 0, orca }: FinishRequest): TicketAnswer {
    const found = this.#tickets.finish(id);
    if (found === null) return { known: false };
    const watched = this.#engines.get(found.ticket.engine);
    if (!found.isNew || watched === undefined) return { known: true };
    this.#gauges.finished(watched.name, outcome, generatedTokens);
    const load = orca === undefined ? null : orcaLoad(orca);
    if (load !== null) this.#fleet.report(watched.named.engine, load);
    return { known: true };
  }

  /** Ends every watch and closes the engines that the set made. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#discoveries.map((discovery) => discovery.close()));
    await this.#changing;
    await this.#fleet.close();
    for (const watched of this.#engines.values()) {
      watched.close();
      if (watched.named.owned) await watched.named.engine.close();
      this.#gauges.removed(watched.name);
    }
    this.#engines.clear();
    await this.#simulation?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #begin({ engines, enginesFile, resolve }: Checked): Promise<void> {
    for (const reference of engines) {
      const dns = isGiven(reference) ? null : dnsName(definitionOf(reference).url);
      if (dns !== null) continue;
      this.#watch(isGiven(reference) ? givenEngine(reference) : defineEngine(definitionOf(reference)), 'configuration');
    }
  }
}

/**
 * The engines of a bridge: named, watched, coming and going.
 *
 *     await using engines = await EngineSet.start({ engines: ['http://10.0.0.1:8000', 'unix:/run/vllm.sock'], events, log, metrics });
 *     engines.list();                                             // state, since, evidence, figures, rates of each
 *     const { engine, url, reason } = engines.requests.pick({ session: 'user-7' });
 *     const { ticket } = engines.requests.dispatch({ engine });   // so that a hang with frozen gauges is seen (tickets.ts)
 *     engines.requests.finish({ ticket, outcome: 'ok' });
 *
 * Where neither engines nor a file of them are given it starts the embedded simulation, named 'embedded simulation'. Starting waits
 * for no engine and no name server. Names are unique, and so are addresses: of two that were found, the first counts. A change of
 * one engine leaves the others' history as it is. Changes are events (event-log.ts): added, removed, state, restart, drained, restored.
 * Engines that the set made are closed with it; given ones stay the host's.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for options and definitions; BridgeError of the questions: `no_engine` when
 * every engine is drained, `not_found` for a name that is none, `malformed` or `impossible` for a ticket, `draining` when closed.
 */
import { type Clock, wallMs } from '../../abort/index.js';
import type { Engine } from '../../engine/index.js';
import { checkOptions, rangeError } from '../../errors/index.js';
import { canServe, type EngineState } from '../../monitor/index.js';
import { type AdmissionMode, type EngineLoad, Fleet, type ScaleHintOptions } from '../../outlook/index.js';
import { EmbeddedEngine } from '../../simulator/index.js';
import type { Logger } from '../logs/index.js';
import { BridgeError } from '../messages/index.js';
import { type Discovery, DnsEngines, EnginesFile, type Resolve, type Target } from './discovery/index.js';
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
import type { AnomalyItem, EngineItem } from './engine-item.js';
import { EngineRequests } from './engine-requests.js';
import { type CheckedEngineSetOptions, type EngineSetOptions, optionsSchema } from './engine-set-options.js';
import type { EventLog } from './event-log.js';
import type { KeptTelemetry } from './kept-telemetry.js';
import { TicketBook } from './tickets.js';
import { type EngineHistory, plainEvidence, WatchedEngine } from './watched-engine.js';

const OPEN_TICKETS = 100_000;
/** Of all engines: with more than 36 each is asked less often, fifty every 1.4 s. A hang is seen as soon as with fewer. */
const SCRAPES_PER_SECOND = 36;
/** The start waits so long for the file of engines: what holds it may be a file system that hangs. */
const FILE_WAIT_MS = 2000;
const SIMULATION = 'embedded simulation';
const CONFIGURED = 'configuration';

interface Watched {
  engine: WatchedEngine;
  /** Where it came from: CONFIGURED, or the file or `dns+` address that named it. What that no longer names is removed. */
  origin: string;
  /** Whether it could serve once and cannot now. */
  drained: boolean;
}

export class EngineSet {
  readonly #clock: Clock;
  readonly #events: EventLog;
  readonly #log: Logger;
  readonly #gauges: EngineGauges;
  readonly #fleet: Fleet;
  readonly #tickets: TicketBook;
  readonly #requests: EngineRequests;
  readonly #resolve: Resolve;
  readonly #epochMs: number;
  readonly #telemetry: KeptTelemetry | null;
  readonly #engines = new Map<string, Watched>();
  readonly #discoveries = new Map<string, Discovery>();
  readonly #stopCollecting: () => void;
  #simulation: EmbeddedEngine | null = null;
  /** Changes of the set run one after the other. */
  #changing: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor({
    clock,
    events,
    log,
    metrics,
    monitor,
    affinity,
    admission,
    scale,
    resolve,
    telemetry,
  }: CheckedEngineSetOptions) {
    this.#clock = clock;
    this.#events = events;
    this.#log = log;
    this.#resolve = resolve;
    this.#telemetry = telemetry;
    this.#gauges = new EngineGauges(metrics);
    this.#epochMs = wallMs() - clock.now();
    this.scale = scale;
    const outlook = { admission };
    const watch = { allowEmpty: true, spreadFirst: true, mostPerSecond: SCRAPES_PER_SECOND };
    this.#fleet = new Fleet([], { ...watch, clock, affinity, monitor, outlook });
    this.#tickets = new TicketBook({ clock, capacity: OPEN_TICKETS, lost: (_, how) => this.#gauges.ticketLost(how) });
    this.#requests = new EngineRequests({
      fleet: this.#fleet,
      tickets: this.#tickets,
      gauges: this.#gauges,
      engines: () => [...this.#engines.values()].map(({ engine }) => engine),
    });
    this.#stopCollecting = metrics.collect(() => {
      this.#gauges.replicas(this.#fleet.scaleHint(this.scale).replicas);
      for (const { engine } of this.#engines.values()) {
        this.#gauges.update(engine, this.#tickets.work(engine.name).tickets);
        this.#gauges.outlook(engine.name, this.#requests.skill(engine));
        this.#gauges.anomalies(engine.name, engine.anomalies, engine.anomalyCounts);
      }
    });
  }

  static async start(options: EngineSetOptions): Promise<EngineSet> {
    const checked = checkOptions(optionsSchema, options, 'EngineSet');
    const set = new EngineSet(checked);
    try {
      for (const reference of checked.engines) await set.add(reference);
      if (checked.enginesFile !== undefined) await set.#readFile(checked.enginesFile);
      else if (checked.engines.length === 0) await set.#simulate();
      checked.telemetry?.start(() => set.#snapshots());
    } catch (error) {
      await set.close();
      throw error;
    }
    return set;
  }

  /** The engines in the order in which they came. */
  list(): EngineItem[] {
    return [...this.#engines.values()].map(({ engine }) => engine.item(this.#tickets.work(engine.name)));
  }

  get names(): string[] {
    return [...this.#engines.keys()];
  }

  /** Whether the embedded simulation stands in for an engine. */
  get simulated(): boolean {
    return this.#simulation !== null;
  }

  /** An engine, to be asked by others (context, tokenizer). */
  engine(name: string): Engine {
    return this.#watched(name).named.engine;
  }

  /** Figures of an engine over time, those later than a Unix time in seconds; restarts are marked. */
  history(name: string, sinceSeconds?: number): EngineHistory {
    return this.#watched(name).history(sinceSeconds);
  }

  /** Watches one more engine, or those of one more `dns+` address; resolves before any of them was asked. */
  async add(reference: EngineReference): Promise<void> {
    if (isGiven(reference)) return this.#change(() => this.#enter(givenEngine(reference), CONFIGURED));
    const definition = definitionOf(reference);
    const dns = dnsName(definition.url);
    if (dns === null) return this.#change(() => this.#enter(defineEngine(definition), CONFIGURED));
    const { url, name: _, ...rest } = definition;
    if (this.#discoveries.has(url)) throw rangeError('an address that is not followed yet', 'url', url);
    const discovery = new DnsEngines({
      ...dns,
      resolve: this.#resolve,
      clock: this.#clock,
      changed: (urls) =>
        this.#take(
          url,
          urls.map((one) => defineEngine({ ...rest, url: one })),
        ),
      failed: (error) => this.#discoveryFailed('dns', url, error),
    });
    this.#discoveries.set(url, discovery);
    void discovery.start();
  }

  /** Ends the watch of an engine. */
  remove(name: string): Promise<void> {
    return this.#change(() => this.#leave(this.#watched(name)));
  }

  /** Resolves when every engine that is there now was observed once. */
  observed(options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#fleet.observed(options);
  }

  /** What the load of the first engine, by which inputs are planned, is expected to be. */
  get expectedLoad(): EngineLoad | null {
    const [first] = this.#engines.values();
    return first === undefined ? null : this.#fleet.outlook!.expectedLoad(first.engine.named.engine);
  }

  /** By which the number of engines is hinted, unless a question says otherwise. */
  scale: ScaleHintOptions = {};

  /** What callers ask and say of their requests. */
  get requests(): EngineRequests {
    if (this.#closed) throw new BridgeError('draining', 'The bridge is closing');
    return this.#requests;
  }

  /** Whether admission refuses or only advises. */
  set admission(mode: AdmissionMode) {
    this.#fleet.outlook!.admission = mode;
  }

  /** Ends every watch and closes the engines that the set made. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopCollecting();
    await Promise.all([...this.#discoveries.values()].map((discovery) => discovery.close()));
    await this.#changing;
    await this.#fleet.close();
    await this.#telemetry?.close();
    await this.#telemetry?.save(this.#snapshots());
    for (const { engine } of this.#engines.values()) await this.#dismiss(engine);
    this.#engines.clear();
    await this.#simulation?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #snapshots(): Map<string, Uint8Array> {
    return new Map([...this.#engines.values()].map(({ engine }) => [engine.name, engine.snapshot()]));
  }

  async #simulate(): Promise<void> {
    this.#simulation = await EmbeddedEngine.start();
    await this.add({ engine: this.#simulation, name: SIMULATION });
    const { url } = this.#simulation;
    this.#log.info('no engine is configured: the embedded simulation answers, and no model is running', { url });
  }

  async #readFile(path: string): Promise<void> {
    const define = ({ url, name, kind }: Target) => defineEngine(definitionOf({ url, name, kind } as { url: string }));
    const file = new EnginesFile({
      path,
      clock: this.#clock,
      changed: (targets) => this.#take(path, targets.map(define)),
      failed: (error) => this.#discoveryFailed('file', path, error),
    });
    this.#discoveries.set(path, file);
    const started = file.start().then(() => true);
    let cancel = () => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#clock.after(FILE_WAIT_MS, () => resolve(false), { hold: true });
    });
    const isRead = await Promise.race([started, late]);
    cancel();
    if (isRead) return;
    this.#discoveryFailed('file', path, new Error(`it could not be read in ${FILE_WAIT_MS} ms`));
  }

  /** Makes the engines of an origin those that it names now. */
  async #take(origin: string, found: readonly NamedEngine[]): Promise<void> {
    if (this.#closed) return;
    await this.#change(async () => {
      const keys = new Map(found.map((named) => [named.name, named.key]));
      for (const watched of [...this.#engines.values()]) {
        const isStale = watched.origin === origin && keys.get(watched.engine.name) !== watched.engine.named.key;
        if (isStale) await this.#leave(watched.engine);
      }
      for (const named of found) {
        const present = this.#engines.get(named.name);
        if (present?.origin === origin && present.engine.named.key === named.key) continue;
        try {
          this.#enter(named, origin);
        } catch (error) {
          this.#log.warn('an engine that was found is not watched', {
            engine: named.name,
            reason: (error as Error).message,
          });
        }
      }
    });
  }

  #enter(named: NamedEngine, origin: string): void {
    const { name, engine, url } = named;
    if (this.#engines.has(name)) throw rangeError('a name that no other engine has', 'name', name);
    const monitor = this.#fleet.add(engine);
    const watched = new WatchedEngine(named, {
      monitor,
      clock: this.#clock,
      epochMs: this.#epochMs,
      inFlight: () => this.#tickets.evidence(name),
      listener: {
        state: (_, now, before) => this.#stateChanged(name, now, before),
        restart: ({ restarts }) => {
          if (!this.#engines.has(name)) return;
          this.#gauges.restarted(name);
          this.#append('restart', name, { restarts });
        },
        anomaly: (_, anomaly, over) => this.#anomalyChanged(name, anomaly, over),
        observed: (_, signs) => this.#tickets.observed(name, signs),
      },
      kept: this.#telemetry?.take(name) ?? null,
    });
    this.#engines.set(name, { engine: watched, origin, drained: false });
    this.#append('added', name, { url, simulated: engine.simulated });
  }

  async #leave(engine: WatchedEngine): Promise<void> {
    this.#engines.delete(engine.name);
    // At once: what others keep of it is forgotten before its last observation has ended.
    this.#append('removed', engine.name, { url: engine.named.url });
    await this.#fleet.remove(engine.named.engine);
    await this.#dismiss(engine);
  }

  async #dismiss(engine: WatchedEngine): Promise<void> {
    engine.close();
    this.#tickets.drop(engine.name);
    this.#gauges.removed(engine.name);
    if (engine.named.owned) await engine.named.engine.close();
  }

  #stateChanged(name: string, now: EngineState, before: EngineState): void {
    const watched = this.#engines.get(name);
    if (watched === undefined) return;
    this.#gauges.stateChanged(name);
    const evidence = now.evidence.slice(0, 16).map(plainEvidence);
    this.#events.append('state', { engine: name, state: now.name, before: before.name, evidence });
    const change = { engine: name, state: now.name, before: before.name, evidence: evidence.join('; ') };
    this.#log.info('engine state', change);
    const wasDrained = watched.drained;
    watched.drained = !canServe(now) && (wasDrained || canServe(before));
    if (watched.drained !== wasDrained)
      this.#append(watched.drained ? 'drained' : 'restored', name, { state: now.name });
  }

  #anomalyChanged(engine: string, { kind, rule, since, evidence }: AnomalyItem, over: boolean): void {
    if (!this.#engines.has(engine)) return;
    if (!over) this.#gauges.anomaly(engine, kind);
    this.#events.append('anomaly', { engine, kind, rule, since, evidence, over });
    const change = { engine, kind, rule, evidence: evidence.join('; ') };
    this.#log.info(over ? 'engine anomaly over' : 'engine anomaly', change);
  }

  #append(
    type: 'added' | 'removed' | 'restart' | 'drained' | 'restored',
    engine: string,
    data: Record<string, string | number | boolean>,
  ): void {
    this.#events.append(type, { engine, ...data });
    this.#log.info(`engine ${type}`, { engine, ...data });
  }

  #discoveryFailed(reason: 'file' | 'dns', origin: string, error: Error): void {
    this.#gauges.discoveryFailed(reason);
    this.#log.warn('engines could not be read; those that are known stay', { origin, reason: error.message });
  }

  #watched(name: string): WatchedEngine {
    const watched = this.#engines.get(name);
    if (watched === undefined) throw new BridgeError('not_found', 'No engine has this name');
    return watched.engine;
  }

  #change<T>(change: () => T | Promise<T>): Promise<T> {
    const result = this.#changing.then(() => {
      if (this.#closed) throw new BridgeError('draining', 'The bridge is closing');
      return change();
    });
    this.#changing = result.catch(() => {});
    return result;
  }
}

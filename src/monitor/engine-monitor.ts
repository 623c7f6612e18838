/**
 * Watches one engine: asks /health and /metrics at a steady pace and says what state the engine is in, since when and
 * why, and what is wrong with one that answers.
 */
import { EventEmitter } from 'node:events';
import { z } from 'zod';
import { type Clock, clockOption, withTimeLimit } from '../abort/index.js';
import { type Engine, type EngineMetrics, type EngineScrape, type Rates, ratesBetween } from '../engine/index.js';
import {
  argumentError,
  checkOptions,
  checkWhole,
  emit,
  type ListenerErrorHandler,
  ListenerErrors,
} from '../errors/index.js';
import { type Anomaly, type AnomalyCounts, AnomalyDetector, type LoadFeatures } from './anomalies/index.js';
import { type EngineState, EngineStateTracker } from './engine-state.js';
import { IdleProbe, type Probe } from './idle-probe.js';
import { observeEngine } from './observe-engine.js';
import { progressed } from './progress.js';

export const defaultIntervalMs = 1000;
export const mostIntervalMs = 600_000;

const milliseconds = z.number().positive().max(mostIntervalMs);
const interval = milliseconds.describe(`milliseconds in (0, ${mostIntervalMs}]`);
const intervalSchema = z.object({ intervalMs: interval });
export const optionsSchema = z.object({
  intervalMs: interval.default(defaultIntervalMs),
  timeoutMs: milliseconds.default(800).describe('milliseconds in (0, 600000]'),
  hungAfterMs: milliseconds.default(3500).describe('milliseconds in (0, 600000]'),
  firstAfterMs: z.number().min(0).max(600_000).default(0).describe('milliseconds in [0, 600000]'),
  phase: z.number().min(0).lt(1).default(0.5).describe('a number in [0, 1)'),
  learnSeconds: z.number().min(60).max(2_592_000).default(86_400).describe('seconds in [60, 2592000]'),
  loadFeatures: z
    .custom<LoadFeatures>((value) => typeof (value as LoadFeatures | null)?.next === 'function')
    .optional()
    .describe('an object { size, next, reset }'),
  probe: z
    .custom<Probe>((value) => typeof value === 'function')
    .optional()
    .describe('a function ({ signal })'),
  probeIntervalMs: z.number().min(1000).max(86_400_000).default(30_000).describe('milliseconds in [1000, 86400000]'),
  onListenerError: z
    .custom<ListenerErrorHandler>((value) => typeof value === 'function')
    .optional()
    .describe('a function (error, event)'),
  clock: clockOption,
});

/** Intervals of silence for each interval between two observations, and at most so many of these. */
const SILENCE_INTERVALS = 10;
const MOST_SLOWNESS = 10;

/** Options of EngineMonitor: how often it asks, and after how long an engine without progress is called hung. */
export interface EngineMonitorOptions {
  /** Milliseconds between two observations, in (0, 600,000]. Default 1000. */
  intervalMs?: number | undefined;
  /** Milliseconds for the answers of one observation, in (0, 600,000]. Default 800. */
  timeoutMs?: number | undefined;
  /** Milliseconds without an iteration while requests run or wait, or without any answer, after which it is hung. Default 3500. */
  hungAfterMs?: number | undefined;
  /** Milliseconds before the first observation, in [0, 600,000]. Default 0. */
  firstAfterMs?: number | undefined;
  /** Where in an interval the observations after the first lie, in [0, 1). Default 0.5: an interval after the first. */
  phase?: number | undefined;
  /**
   * Seconds of normal traffic that the limits of charts and thresholds are learned from, 60 to 2,592,000; until then these rules
   * say nothing. Default 86,400: a day.
   */
  learnSeconds?: number | undefined;
  /** What the chart describes the load of the engine by; one object an engine. Default: a bank of moving averages. */
  loadFeatures?: LoadFeatures | undefined;
  /**
   * Sends the engine a completion of one token and resolves when it is answered. Called while no counter moves, at most
   * every `probeIntervalMs`; an unanswered one counts as a request in flight. Default: none is sent.
   */
  probe?: Probe | undefined;
  /** Milliseconds without progress after which the probe is sent, in [1000, 86,400,000]. Default 30,000. */
  probeIntervalMs?: number | undefined;
  /**
   * Called with the first error of each listener: one that throws stops neither the watch nor the other listeners. Default: a
   * warning of the process.
   */
  onListenerError?: ListenerErrorHandler | undefined;
  /** Clock of intervals and ages; another one serves replays and tests. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

/**
 * Events of EngineMonitor and their arguments: 'state' when the name changes, 'observation' after each, 'restart' at
 * each restart, 'anomaly' when one begins and 'anomalyEnded' when it is over.
 */
export interface EngineMonitorEvents {
  state: [now: EngineState, before: EngineState];
  observation: [state: EngineState, figures: EngineMetrics | null];
  restart: [];
  anomaly: [anomaly: Anomaly];
  anomalyEnded: [anomaly: Anomaly];
}

/**
 * Watches one engine: asks /metrics, and /health unless it goes on counting, at a steady pace and says what state the engine is in,
 * since when and why.
 *
 *     const monitor = new EngineMonitor(engine);
 *     monitor.on('state', (now, before) => ...);      // only when the name changes
 *     monitor.on('observation', (state, figures) => ...);
 *     monitor.on('restart', () => ...);
 *     monitor.inFlight(3);                            // requests the caller waits for: a hang that hides them is seen
 *     monitor.inFlight(() => pending.size);           // the same, asked for at each observation
 *     monitor.answered();                             // a first token or the end of a request came: frozen metrics are seen
 *     monitor.on('anomaly', ({ kind, evidence, since, rule }) => ...);   // slow, leak, storm, partial-hang
 *     monitor.anomalies                               // those present; monitor.anomalyCounts.alarmsPerDay
 *     monitor.state.name                              // 'unknown' until the first answer
 *     await monitor.close();
 *
 * With the defaults a hang is reported within 5 s, a crash within 2 s.
 * The first observation asks; later, answers that another reader of the same Engine object had in the last half of an interval
 * serve as well (scraper.ts), so a monitor and a SourceFetcher together ask as often as one of them. An engine that stands still
 * is asked once more, at the end of `hungAfterMs`.
 * The second observation comes (0.5 + `phase`) intervals after the first and the others an interval apart, so that monitors that
 * begin together do not ask together. An engine of which nothing has come back for more than ten intervals is asked less often:
 * after a tenth of its silence, at most ten intervals. Observations do not overlap: a slow one delays the next. The timer does not keep the process alive. The engine is the
 * caller's and stays open. States: see engine-state.ts; anomalies: anomalies/; times are of the clock, in seconds.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option.
 */
export class EngineMonitor extends EventEmitter<EngineMonitorEvents> {
  /** The engine that is watched; it stays open. */
  readonly engine: Engine;
  readonly #sharedMs: number;
  #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #tracker: EngineStateTracker;
  readonly #detector: AnomalyDetector;
  readonly #probe: IdleProbe | null;
  readonly #closing = new AbortController();
  readonly #errors: ListenerErrors;
  readonly #clock: Clock;
  #figures: EngineMetrics | null = null;
  #scrape: EngineScrape | null = null;
  #rates: Rates | null = null;
  /** Whether it counted more between the last two observations. */
  #works = false;
  #observed = false;
  #readAt: number | null = null;
  /** Since when nothing has come back, in milliseconds of the clock. */
  #silentSince: number | null = null;
  #inFlight: () => number = () => 0;
  #cancelNext = () => {};
  #observing: Promise<void> = Promise.resolve();

  constructor(engine: Engine, options: EngineMonitorOptions = {}) {
    super();
    if (typeof engine?.metrics !== 'function') throw argumentError('an Engine', 'engine', engine);
    const checked = checkOptions(optionsSchema, options, 'EngineMonitor');
    const { intervalMs, timeoutMs, hungAfterMs, firstAfterMs, phase, onListenerError, clock } = checked;
    const { learnSeconds, loadFeatures, probe, probeIntervalMs } = checked;
    this.engine = engine;
    this.#intervalMs = intervalMs;
    // Half an interval and a moment, so that one of two readers in turn always finds the other's answer.
    this.#sharedMs = intervalMs / 2 + 1;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#errors = new ListenerErrors(onListenerError);
    this.#tracker = new EngineStateTracker(hungAfterMs / 1000);
    this.#detector = new AnomalyDetector({ learnSeconds, hungAfter: hungAfterMs / 1000, features: loadFeatures });
    const answered = () => this.answered();
    this.#probe =
      probe === undefined ? null : new IdleProbe(probe, { intervalSeconds: probeIntervalMs / 1000, answered });
    const begin = () => {
      this.#observing = this.#watch(0, (0.5 + phase) * intervalMs);
    };
    if (firstAfterMs === 0) begin();
    else this.#cancelNext = clock.after(firstAfterMs, begin);
  }

  /** The state as it was last observed. */
  get state(): EngineState {
    return this.#tracker.state;
  }

  /** The figures of the last observation; null when /metrics did not answer. */
  get figures(): EngineMetrics | null {
    return this.#figures;
  }

  /** What it did a second between the last two observations; null where one of them could not be read. */
  get rates(): Rates | null {
    return this.#rates;
  }

  /** When /metrics was last read, in seconds of the clock; null when it never was. */
  get readAtSeconds(): number | null {
    return this.#readAt;
  }

  /** Whether it was observed at all yet. */
  get observed(): boolean {
    return this.#observed;
  }

  /** Restarts seen so far. */
  get restarts(): number {
    return this.#tracker.restarts;
  }

  /** What is wrong with the engine although it answers, the oldest first; copies. */
  get anomalies(): Anomaly[] {
    return this.#detector.present;
  }

  /** How many anomalies began since the watch did, and how many that is a day: in normal operation the false alarms. */
  get anomalyCounts(): AnomalyCounts {
    return this.#detector.counts;
  }

  /** Share of the first learning window that is over, 0 to 1; until it is 1 charts and thresholds say nothing. */
  get learned(): number {
    return this.#detector.learned;
  }

  /**
   * Says that the caller had an answer of the engine now: a first token, or the end of a request. Answers that come while no counter
   * moves show that the metrics are frozen, not the engine.
   */
  answered(): void {
    this.#tracker.answered(this.#clock.now() / 1000);
  }

  /**
   * Says how many requests the caller has sent to the engine and not been answered. With some in flight an engine whose
   * gauges are 0 and that counts nothing is hung, not ready. A function is called at each observation. 0 at first.
   */
  inFlight(requests: number | (() => number)): void {
    if (typeof requests === 'function') this.#inFlight = requests;
    else {
      const given = checkWhole(requests, 'requests', 0, undefined, 'requests');
      this.#inFlight = () => given;
    }
  }

  /**
   * Sets the milliseconds between two observations, in (0, 600,000], from the next observation on. An engine that stands still is
   * asked at the end of `hungAfterMs` all the same. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
   */
  askEvery(intervalMs: number): void {
    this.#intervalMs = checkOptions(intervalSchema, { intervalMs }, 'askEvery').intervalMs;
  }

  /** Ends the watch and what is being asked. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#probe?.close();
    this.#cancelNext();
    await this.#observing;
    this.removeAllListeners();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** `maxAgeMs`: how old an answer that another reader had may be. `intervalMs`: until the next observation. */
  async #watch(maxAgeMs: number, intervalMs = this.#intervalMs): Promise<void> {
    const start = this.#clock.now();
    await this.#observe(maxAgeMs);
    if (this.#closing.signal.aborted) return;
    const now = this.#clock.now();
    const next = Math.max(0, intervalMs * this.#slowness(now) - (now - start));
    const due = 1000 * this.#tracker.hungAt - now;
    const isEarly = due > 0 && due < next;
    this.#cancelNext = this.#clock.after(isEarly ? due : next, () => {
      this.#observing = this.#watch(isEarly ? 0 : this.#sharedMs);
    });
  }

  /** Intervals until the next observation: what never answers costs the most, and its return is seen a tenth of its silence later. */
  #slowness(now: number): number {
    if (this.#silentSince === null) return 1;
    return Math.min(MOST_SLOWNESS, Math.max(1, (now - this.#silentSince) / (SILENCE_INTERVALS * this.#intervalMs)));
  }

  async #observe(maxAgeMs: number): Promise<void> {
    const begun = this.#clock.now();
    const closing = this.#closing.signal;
    const late = () => new DOMException(`no answer within ${this.#timeoutMs} ms`, 'TimeoutError');
    const options = { clock: this.#clock, maxAgeMs, working: this.#works ? this.#figures : null };
    const request = (signal: AbortSignal) => observeEngine(this.engine, signal, options);
    const { scrape, ...answers } = await withTimeLimit(this.#timeoutMs, late, closing, request, this.#clock);
    if (closing.aborted) return;
    const silent = answers.health === 'silent' && answers.metrics === 'silent';
    this.#silentSince = silent ? (this.#silentSince ?? begun) : null;
    const time = this.#clock.now() / 1000;
    const seconds = secondsBetween(this.#scrape, scrape);
    this.#rates = ratesOf(this.#scrape, scrape);
    this.#scrape = scrape;
    this.#readAt = scrape?.timeSeconds ?? this.#readAt;
    const before = this.state;
    const { restarts } = this;
    const earlier = this.#figures;
    this.#figures = answers.figures;
    this.#works = earlier !== null && this.#figures !== null && progressed(earlier, this.#figures) === true;
    this.#observed = true;
    const readAt = scrape?.timeSeconds ?? time;
    const inFlight = this.#inFlight() + (this.#probe?.inFlight ?? 0);
    const now = this.#tracker.observe({ time, readAt, ...answers, inFlight });
    const restarted = this.restarts > restarts;
    if (restarted) emit(this, this.#errors, 'restart');
    if (now.name !== before.name) emit(this, this.#errors, 'state', now, before);
    this.#findAnomalies({ now, readAt, seconds, inFlight, restarted });
    // A request would meet weights that are not loaded.
    if (this.#figures !== null && now.name !== 'sleeping') this.#probe?.observe(this.#figures, readAt);
    emit(this, this.#errors, 'observation', now, this.#figures);
  }

  #findAnomalies(seen: {
    now: EngineState;
    readAt: number;
    seconds: number;
    inFlight: number;
    restarted: boolean;
  }): void {
    const { now, readAt: time, seconds, inFlight, restarted } = seen;
    const isNew = restarted || now.name === 'sleeping';
    for (const anomaly of isNew ? this.#detector.restarted() : []) emit(this, this.#errors, 'anomalyEnded', anomaly);
    const figures = this.#figures;
    if (figures === null || isNew) return;
    const state = now.name;
    const changes = this.#detector.observe({ time, figures, rates: this.#rates, seconds, inFlight, state });
    for (const anomaly of changes.begun) emit(this, this.#errors, 'anomaly', anomaly);
    for (const anomaly of changes.ended) emit(this, this.#errors, 'anomalyEnded', anomaly);
  }
}

function secondsBetween(before: EngineScrape | null, after: EngineScrape | null): number {
  return before === null || after === null ? 0 : Math.max(0, after.timeSeconds - before.timeSeconds);
}

function ratesOf(before: EngineScrape | null, after: EngineScrape | null): Rates | null {
  if (before === null || after === null || after.timeSeconds < before.timeSeconds) return null;
  return ratesBetween(before, after);
}

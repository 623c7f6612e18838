/**
 * One engine of the set: its monitor, its figures over time, and its kind and model.
 *
 * The kind is the given one, else whose names its metrics use, else what it answers when asked. Kind and model are asked for once
 * it answers, again after a restart, and every ASK_AGAIN_MS where it did not say; nothing waits for these answers.
 */
import type { Clock } from '../../abort/index.js';
import { type EngineKind, type EngineMetrics, TelemetryRing, type TelemetrySeries } from '../../engine/index.js';
import {
  type Anomaly,
  type AnomalyCounts,
  canServe,
  type EngineMonitor,
  type EngineState,
  type EngineStateName,
  progressed,
} from '../../monitor/index.js';
import type { NamedEngine } from './engine-definition.js';
import { type AnomalyItem, anomalyItem, type EngineItem, figureItem, rateItem, stateItem } from './engine-item.js';
import { type FirstTokenMeans, FirstTokens } from './first-tokens.js';
import { type ExpectedLatency, ObservedLatency } from './objectives.js';
import { EVIDENCE_CHARACTERS, NAME_CHARACTERS, plainText } from './plain-text.js';

const ASK_AGAIN_MS = 30_000;

export interface EngineSigns {
  /** Whether work was counted since the scrape before. */
  moved: boolean;
  /** Whether the scrape shows that no request runs or waits. */
  idle: boolean;
}

/** Series of one length: figures of an engine, and the reported first tokens that came before each sample. */
export type EngineHistory = TelemetrySeries & ReturnType<FirstTokens['at']>;

export interface WatchedEngineListener {
  state: (engine: WatchedEngine, now: EngineState, before: EngineState) => void;
  restart: (engine: WatchedEngine) => void;
  anomaly: (engine: WatchedEngine, anomaly: AnomalyItem, over: boolean) => void;
  observed: (engine: WatchedEngine, signs: EngineSigns) => void;
}

export interface WatchedEngineOptions {
  monitor: EngineMonitor;
  clock: Clock;
  /** Unix time of the clock's 0, in milliseconds. */
  epochMs: number;
  /** Says how many requests callers are known to wait for; called at each observation. */
  inFlight: () => number;
  listener: WatchedEngineListener;
  /** Telemetry of before a restart of the bridge; null without any. */
  kept: Uint8Array | null;
}

export class WatchedEngine {
  readonly #named: NamedEngine;
  readonly #monitor: EngineMonitor;
  readonly #clock: Clock;
  readonly #epochMs: number;
  #ring = new TelemetryRing();
  readonly #latency = new ObservedLatency();
  readonly #firstTokens = new FirstTokens();
  #lastFirstTokens: FirstTokenMeans | null = null;
  readonly #closing = new AbortController();
  #figures: EngineMetrics | null = null;
  #kind: EngineKind | null = null;
  #model: string | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  readonly #addedSeconds: number;

  constructor(named: NamedEngine, { monitor, clock, epochMs, inFlight, listener, kept }: WatchedEngineOptions) {
    this.#named = named;
    this.#monitor = monitor;
    this.#clock = clock;
    this.#epochMs = epochMs;
    this.#addedSeconds = clock.now() / 1000;
    if (kept !== null) this.#restore(kept);
    monitor.inFlight(inFlight);
    monitor.on('restart', () => {
      this.#ring.markRestart(this.#seconds());
      this.#latency.forget();
      this.#model = null;
      this.#askedAt = Number.NEGATIVE_INFINITY;
      listener.restart(this);
    });
    monitor.on('anomaly', (anomaly) => listener.anomaly(this, this.#anomalyItem(anomaly), false));
    monitor.on('anomalyEnded', (anomaly) => listener.anomaly(this, this.#anomalyItem(anomaly), true));
    monitor.on('state', (now, before) => listener.state(this, now, before));
    monitor.on('observation', (_, figures) => {
      const signs = signsOf(this.#figures, figures);
      this.#figures = figures ?? this.#figures;
      const time = this.#seconds();
      this.#ring.add(time, figures, monitor.rates);
      this.#lastFirstTokens = this.#firstTokens.close(time);
      if (figures !== null) this.#latency.observe(monitor.rates, clock.now() / 1000);
      if (figures !== null) void this.#ask();
      listener.observed(this, signs);
    });
  }

  get named(): NamedEngine {
    return this.#named;
  }

  get name(): string {
    return this.#named.name;
  }

  get kind(): EngineKind | null {
    return this.#monitor.figures?.engineType ?? this.#figures?.engineType ?? this.#kind;
  }

  get stateName(): EngineStateName {
    return this.#monitor.state.name;
  }

  /** Of the last scrape that could be read. */
  get figures(): EngineMetrics | null {
    return this.#figures;
  }

  /** Whether requests may be sent to it. */
  get serves(): boolean {
    return canServe(this.#monitor.state);
  }

  get restarts(): number {
    return this.#monitor.restarts;
  }

  get stalenessSeconds(): number | null {
    const { readAtSeconds } = this.#monitor;
    return readAtSeconds === null ? null : Math.max(0, this.#clock.now() / 1000 - readAtSeconds);
  }

  get expected(): ExpectedLatency {
    return this.#latency.expected(this.#clock.now() / 1000);
  }

  /** What is wrong with it while it answers. */
  get anomalies(): AnomalyItem[] {
    return this.#monitor.anomalies.map((anomaly) => this.#anomalyItem(anomaly));
  }

  get anomalyCounts(): AnomalyCounts {
    return this.#monitor.anomalyCounts;
  }

  /** The first token of a request came. */
  firstToken(predictedSeconds: number, observedSeconds: number): void {
    this.#firstTokens.add(predictedSeconds, observedSeconds);
  }

  /** Figures over time, with the first tokens that were reported; times are Unix seconds. */
  history(sinceSeconds?: number): EngineHistory {
    const series = this.#ring.since(sinceSeconds);
    return { ...series, ...this.#firstTokens.at(series.time) };
  }

  /** Figures over time as bytes, to be kept over a restart of the bridge. */
  snapshot(): Uint8Array {
    return this.#ring.snapshot();
  }

  /** `work`: what its open tickets say. */
  item(work: { tickets: number; promptTokens: number }): EngineItem {
    const { figures, rates, restarts, state } = this.#monitor;
    const now = this.#clock.now();
    return {
      name: this.name,
      url: this.#named.url,
      kind: this.kind,
      model: this.#model,
      simulated: this.#named.engine.simulated,
      state: stateItem(
        { ...state, sinceSeconds: Math.max(state.sinceSeconds, this.#addedSeconds) },
        now,
        this.#epochMs + now,
        plainEvidence,
      ),
      drained: !canServe(state),
      figures: figures === null ? null : figureItem(figures),
      rates: rates === null ? null : rateItem(rates),
      restarts,
      anomalies: this.anomalies,
      firstTokens: this.#lastFirstTokens,
      tickets: work.tickets,
      ticketPromptTokens: work.promptTokens,
      stalenessSeconds: this.stalenessSeconds,
    };
  }

  /** Ends what is asked; the monitor is its fleet's. */
  close(): void {
    this.#closing.abort();
  }

  #anomalyItem(anomaly: Anomaly): AnomalyItem {
    const since = new Date(this.#epochMs + 1000 * anomaly.since).toISOString();
    return anomalyItem(anomaly, since, plainEvidence);
  }

  /** Nothing is restored of bytes that are damaged, or of a time that is still to come: the wall clock was set back. */
  #restore(kept: Uint8Array): void {
    const ring = new TelemetryRing();
    try {
      ring.restore(kept);
    } catch {
      return;
    }
    if ((ring.newestSeconds ?? 0) <= this.#seconds()) this.#ring = ring;
  }

  #seconds(): number {
    return (this.#epochMs + this.#clock.now()) / 1000;
  }

  async #ask(): Promise<void> {
    const now = this.#clock.now();
    const isKnown = this.kind !== null && this.#model !== null;
    if (isKnown || now - this.#askedAt < ASK_AGAIN_MS) return;
    this.#askedAt = now;
    const { engine } = this.#named;
    const { signal } = this.#closing;
    const [kind, models] = await Promise.allSettled([
      this.kind === null ? engine.kind?.({ signal }) : undefined,
      engine.models({ signal }),
    ]);
    if (kind.status === 'fulfilled') this.#kind = kind.value ?? this.#kind;
    if (models.status === 'rejected') return;
    const base = models.value.find(({ parent }) => parent === null) ?? models.value[0];
    this.#model = base === undefined ? null : plainText(base.id, NAME_CHARACTERS);
  }
}

/** Sentences of a state, fit to be shown. */
export function plainEvidence(sentence: string): string {
  return plainText(sentence, EVIDENCE_CHARACTERS);
}

function signsOf(before: EngineMetrics | null, now: EngineMetrics | null): EngineSigns {
  if (now === null) return { moved: false, idle: false };
  return {
    moved: before !== null && progressed(before, now) === true,
    idle: now.running === 0 && (now.waiting ?? 0) === 0,
  };
}

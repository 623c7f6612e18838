/**
 * One simulated engine of a closed loop as a gateway sees it: a server of its own that is scraped, and that faults strike.
 *
 * Faults act as in EngineSimulator (docs/simulator.md), except that each can strike one engine. Nothing runs by itself.
 */
import type { EngineMetrics } from '../../engine/index.js';
import { canServe, EngineStateTracker, type Observation } from '../../monitor/index.js';
import { EngineCore, type Fault, type FaultKind, FaultTimeline } from '../../simulator/index.js';
import { TtftPredictor } from '../prediction/index.js';
import { coreFigures } from './core-figures.js';
import { modelParameters } from './model-parameters.js';
import type { ClosedLoopEngine } from './options.js';

/** After so many seconds without an iteration an engine with work is hung, as by default in EngineMonitor. */
const HUNG_AFTER = 3.5;
const GONE: readonly FaultKind[] = ['crash', 'restart'];
const FATAL: readonly FaultKind[] = ['dead', ...GONE];
const TURN_AWAY: readonly FaultKind[] = ['scaling', '5xx', ...FATAL];

export class LoopEngine implements ClosedLoopEngine {
  core: EngineCore;
  figures: EngineMetrics | null = null;
  readSeconds: number | null = null;
  inFlight = 0;
  waitingRequests = 0;
  waitingTokens = 0;
  sentRequests = 0;
  /** A host knows the max_num_seqs that it started its engine with. */
  readonly predictor = new TtftPredictor({ slots: modelParameters.maxNumSeqs });
  readonly #faults = new FaultTimeline();
  readonly #tracker = new EngineStateTracker(HUNG_AFTER);
  #startedAt = 0;
  #frozen: EngineMetrics | null = null;
  #interToken = { sum: 0, count: 0 };

  constructor(
    readonly index: number,
    /** Factor on the step time at a virtual time, without faults. */
    private readonly pace: (time: number) => number,
    faults: readonly Fault[],
  ) {
    this.core = this.#newCore(0);
    for (const fault of faults) this.#faults.add(fault);
  }

  get canServe(): boolean {
    return canServe(this.#tracker.state);
  }

  /** Whether clients are turned away, or find nothing that listens. */
  get refuses(): boolean {
    return TURN_AWAY.some((kind) => this.#has(kind));
  }

  get nextFault(): number {
    return this.#faults.nextBoundary;
  }

  /** Reads the metrics, as the monitor of the engine would. */
  scrape(time: number): void {
    const answers = this.#answers();
    const figures = answers.metrics === 'ok' ? (this.#frozen ?? coreFigures(this.core, this.#startedAt)) : null;
    const { restarts } = this.#tracker;
    this.#tracker.observe({ time, ...answers, figures, inFlight: this.inFlight });
    if (figures === null) return;
    const restarted = this.#tracker.restarts > restarts;
    this.predictor.observe(figures, time, { restarted, interTokenSeconds: this.#meanInterToken() });
    this.figures = figures;
    this.readSeconds = time;
    this.sentRequests = 0;
  }

  /** Crosses every begin and end of a fault up to `time`, when the core stands there. */
  crossFaults(time: number): void {
    const { ended, started } = this.#faults.cross(time);
    if (ended.some(isFatal)) {
      this.#faults.end((fault) => !started.includes(fault));
      this.core.die();
      this.core = this.#newCore(time);
      this.#startedAt = time;
      this.#interToken = { sum: 0, count: 0 };
    } else if (ended.some(({ kind }) => kind === 'sleep')) this.core.wakeUp();
    const freezes = this.#has('metrics-freeze') || this.#has('dead');
    this.#frozen = freezes ? (this.#frozen ?? coreFigures(this.core, this.#startedAt)) : null;
    if (started.some(({ kind }) => kind === 'sleep')) this.core.sleep(1, 'abort');
    if (started.some(isFatal)) this.core.die();
    this.#strike();
  }

  #strike(): void {
    const { active } = this.#faults;
    const drifts = active.filter(({ kind }) => kind === 'drift');
    const { core, pace } = this;
    core.stormy = this.#has('preemption-storm');
    core.leakShare = Math.max(0, ...active.filter(({ kind }) => kind === 'leak').map(({ amount }) => amount));
    core.slowdown = (time) =>
      drifts.reduce((factor, { amount, from }) => factor * (1 + amount * (time - from)), pace(time));
    core.hung = this.#has('hang');
  }

  #answers(): Pick<Observation, 'health' | 'metrics'> {
    if (GONE.some((kind) => this.#has(kind))) return { health: 'refused', metrics: 'refused' };
    if (this.#has('scaling')) return { health: 'scaling', metrics: 'scaling' };
    if (this.#has('5xx')) return { health: 'failed', metrics: 'failed' };
    return { health: this.#has('dead') ? 'unhealthy' : 'ok', metrics: 'ok' };
  }

  /** Of the tokens since the last scrape; null where there were none. */
  #meanInterToken(): number | null {
    if (this.#frozen !== null) return null;
    const { sum, count } = this.core.statistics.histograms.inter_token_latency_seconds;
    const before = this.#interToken;
    this.#interToken = { sum, count };
    return count > before.count ? (sum - before.sum) / (count - before.count) : null;
  }

  #newCore(time: number): EngineCore {
    const core = new EngineCore(modelParameters, time);
    core.slowdown = this.pace;
    return core;
  }

  #has(wanted: FaultKind): boolean {
    return this.#faults.active.some(({ kind }) => kind === wanted);
  }
}

function isFatal({ kind }: Fault): boolean {
  return FATAL.includes(kind);
}

/**
 * What the active faults do to a simulated server.
 *
 *     fault             engines                                                HTTP
 *     hang              the step in flight does not end, arrivals are queued    all well
 *     leak              `amount` of the blocks of a leaving request is lost    all well
 *     preemption-storm  an outside tenant holds every free block               all well
 *     drift             step times grow by `amount` a second                   all well
 *     sleep             level 1: requests abort, new ones queue                all well
 *     scaling           go on, clients are turned away                         503 on every path
 *     metrics-freeze    go on                                                  /metrics stays as it was
 *     5xx               go on, clients are turned away                         `status` on every path
 *     dead              gone; a new process at the end                         /health 503, /metrics stays
 *     crash, restart    gone; a new process at the end                         reset and refused
 *
 * Law: a new process begins without the faults of the old one.
 */
import type { Crossing, Fault, FaultKind, FaultTimeline } from './faults.js';
import type { EngineSimulation } from './simulation.js';

const FATAL: readonly FaultKind[] = ['dead', 'crash', 'restart'];
const TURN_AWAY: readonly FaultKind[] = ['scaling', '5xx', ...FATAL];

export class ServerCondition {
  private frozenMetrics: string | null = null;

  constructor(
    private readonly simulation: EngineSimulation,
    private readonly faults: FaultTimeline,
    /** The body of /metrics as it is now. */
    private readonly metricsNow: () => string,
  ) {}

  /** False while the process is gone: nothing listens. */
  get listening(): boolean {
    return !this.has('crash') && !this.has('restart');
  }

  get dead(): boolean {
    return this.has('dead');
  }

  get scaling(): boolean {
    return this.has('scaling');
  }

  /** The status that every path answers with, or null. */
  get status(): number | null {
    return this.faults.active.find(({ kind }) => kind === '5xx')?.status ?? null;
  }

  get metrics(): string {
    return this.frozenMetrics ?? this.metricsNow();
  }

  /** To be called with every crossing of the timeline, when the simulation stands at its time. */
  change({ ended, started }: Crossing): void {
    if (ended.some(isFatal)) {
      this.faults.end((fault) => !started.includes(fault));
      this.simulation.restart();
    } else {
      for (const { engine } of ended.filter(({ kind }) => kind === 'sleep')) {
        for (const core of this.struck(engine)) core.wakeUp();
      }
    }
    const freezes = this.has('metrics-freeze') || this.dead;
    this.frozenMetrics = freezes ? (this.frozenMetrics ?? this.metricsNow()) : null;
    for (const { engine } of started.filter(({ kind }) => kind === 'sleep')) {
      for (const core of this.struck(engine)) core.sleep(1, 'abort');
    }
    if (started.some(isFatal)) this.simulation.die();
    this.simulation.refusing = TURN_AWAY.some((kind) => this.has(kind));
    this.setEngines();
  }

  private setEngines(): void {
    const { active } = this.faults;
    this.simulation.engines.forEach((core, rank) => {
      const mine = active.filter(({ engine }) => engine === null || engine === rank);
      const drifts = mine.filter(({ kind }) => kind === 'drift');
      core.stormy = mine.some(({ kind }) => kind === 'preemption-storm');
      core.leakShare = Math.max(0, ...mine.filter(({ kind }) => kind === 'leak').map(({ amount }) => amount));
      core.slowdown = (time) => drifts.reduce((factor, { amount, from }) => factor * (1 + amount * (time - from)), 1);
      core.hung = mine.some(({ kind }) => kind === 'hang');
    });
  }

  private struck(engine: number | null) {
    return engine === null ? this.simulation.engines : [this.simulation.engines[engine]!];
  }

  private has(wanted: FaultKind): boolean {
    return this.faults.active.some(({ kind }) => kind === wanted);
  }
}

function isFatal({ kind }: Fault): boolean {
  return FATAL.includes(kind);
}

/**
 * The state of an engine, derived from its answers, one observation after the other.
 *
 *     loading       nothing listens, and it never answered before: engines do not listen while they load
 *     dead          nothing listens any more, or /health answers 503: its core is gone
 *     restarting    it answers again after it was dead, or the restart law says so: for that one observation
 *     unauthorised  401 or 403: the engine is alive, the credential is absent or wrong
 *     scaling       503 with the words of elastic scaling
 *     sleeping      a rank sleeps
 *     hung          requests run or wait on some rank, or the caller has some in flight, but no iteration was counted, or
 *                   nothing was answered, for `hungAfter` seconds, whatever /health says
 *     frozen        no counter moved for `hungAfter` seconds, but the caller had answers meanwhile: the engine works, its metrics
 *                   stand still
 *     saturated     for SUSTAINED observations requests waited, requests were preempted or the KV memory was over FULL
 *     busy, ready   requests run, or none
 *     unknown       not observed yet, or it does not say
 *
 * A slow answer does not mean a dead engine: a missing answer leaves the state unchanged until `hungAfter` is over. Saturation ends
 * after SUSTAINED observations without any of its signs. Time is seconds of a clock that never steps.
 * Sources: the heartbeat of iterations distinguished hung engines from healthy ones in production (gonka issue 1421).
 */
import {
  type EngineFigures,
  type EngineMetrics,
  type Restart,
  RestartDetector,
  type RunFigures,
} from '../engine/index.js';
import { withOldNames } from '../errors/index.js';
import { FrozenMetrics } from './frozen-metrics.js';
import { progressCounters, progressed } from './progress.js';

export const engineStates = [
  'unknown',
  'loading',
  'ready',
  'busy',
  'saturated',
  'sleeping',
  'scaling',
  'hung',
  'frozen',
  'dead',
  'unauthorised',
  'restarting',
] as const;
/**
 * Name of the state of an engine:
 *
 *     loading       nothing listens, and it never answered before: engines do not listen while they load
 *     dead          nothing listens any more, or /health answers 503
 *     restarting    it answers again after it was dead, or its counters say so: for that one observation
 *     unauthorised  401 or 403: the engine is alive, the credential is absent or wrong
 *     scaling       503 with the words of elastic scaling
 *     sleeping      a rank sleeps
 *     hung          requests run or wait, but no iteration was counted, or nothing was answered, for `hungAfterMs`
 *     frozen        no counter moved for `hungAfterMs`, but the caller had answers meanwhile: the metrics stand still
 *     saturated     requests waited, requests were preempted or the KV memory was full for several observations in a row
 *     busy, ready   requests run, or none
 *     unknown       not observed yet, or it does not say
 */
export type EngineStateName = (typeof engineStates)[number];

/** The state of an engine, since when (seconds of the clock), and the evidence for it. */
export interface EngineState {
  name: EngineStateName;
  /** When this state began, seconds of the observations' clock. */
  sinceSeconds: number;
  /** One sentence for each sign of it. */
  evidence: string[];
  /** @deprecated Use `sinceSeconds`. */
  readonly since?: number | undefined;
}

/** Whether requests may be sent to an engine in this state; a frozen one answers, only its figures are old. */
export function canServe({ name }: EngineState): boolean {
  return name === 'ready' || name === 'busy' || name === 'saturated' || name === 'frozen';
}

const readable = withOldNames({ since: 'sinceSeconds' }, 'an engine state');

/** How a request for /health or /metrics ended. */
export type Answer = 'ok' | 'refused' | 'silent' | 'unhealthy' | 'scaling' | 'unauthorised' | 'failed';

export interface Observation {
  /** Seconds. */
  time: number;
  health: Answer;
  metrics: Answer;
  /** The figures, where /metrics answered. */
  figures: EngineMetrics | null;
  /** Seconds, when they were read; `time` when left out. */
  readAt?: number;
  /** Requests that the caller has sent and that are not answered yet; 0 when left out. */
  inFlight?: number;
}

const SUSTAINED = 3;
const FULL = 0.95;

export class EngineStateTracker {
  readonly #hungAfter: number;
  #state: EngineState = readable({ name: 'unknown', sinceSeconds: 0, evidence: ['not observed yet'] });
  #alive = false;
  #figures: EngineMetrics | null = null;
  readonly #run = new RestartDetector();
  /** When each rank, and the engine as a whole (null), last counted an iteration or had nothing to do. */
  readonly #heartbeats = new Map<string | null, number>();
  #answered: number | null = null;
  /** The oldest heartbeat of what has work and stands still, at the last observation. */
  #standing = Number.POSITIVE_INFINITY;
  readonly #frozen: FrozenMetrics;
  #strained = 0;
  #relaxed = SUSTAINED;
  #restarts = 0;

  constructor(hungAfter: number) {
    this.#hungAfter = hungAfter;
    this.#frozen = new FrozenMetrics(hungAfter);
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Restarts recognised so far. */
  get restarts(): number {
    return this.#restarts;
  }

  /** From when on, in seconds, the engine is hung if it stands still until then; infinite where nothing stands still. */
  get hungAt(): number {
    return this.#standing + this.#hungAfter;
  }

  /** The caller had an answer of the engine at this time in seconds: a first token, or the end of a request. */
  answered(time: number): void {
    this.#frozen.answered(time);
  }

  observe(observation: Observation): EngineState {
    this.#standing = Number.POSITIVE_INFINITY;
    const [name, evidence] = this.#judge(observation);
    const sinceSeconds = name === this.#state.name ? this.#state.sinceSeconds : observation.time;
    this.#state = readable({ name, sinceSeconds, evidence });
    return this.#state;
  }

  #judge(observation: Observation): [EngineStateName, string[]] {
    const { time, health, metrics, figures } = observation;
    const answers = [health, metrics];
    this.#answered ??= time;
    if (answers.includes('refused')) return this.#refused();
    if (answers.every((answer) => answer === 'silent' || answer === 'failed')) return this.#silent(time, answers);
    this.#answered = time;
    this.#alive = true;
    if (answers.includes('scaling')) return ['scaling', ['the engine says that its model is scaling']];
    if (health === 'unhealthy') return this.#dead('/health answers 503');
    if (answers.includes('unauthorised')) return ['unauthorised', ['the engine refuses the credential']];
    const before = this.#figures;
    const restart = figures === null ? null : this.#run.observe(runOf(figures));
    if (restart !== null || this.#state.name === 'dead') return this.#restarted(figures, restart);
    if (figures === null) return ['unknown', [`/health: ${health}; /metrics: ${metrics}`]];
    this.#figures = figures;
    return this.#living(figures, before, observation);
  }

  #refused(): [EngineStateName, string[]] {
    if (!this.#alive) return ['loading', ['nothing listens, and the engine has never answered']];
    return this.#dead('nothing listens any more');
  }

  #dead(sign: string): [EngineStateName, string[]] {
    this.#run.gone();
    return ['dead', [sign]];
  }

  #silent(time: number, answers: Answer[]): [EngineStateName, string[]] {
    const seconds = time - this.#answered!;
    const sign = `no answer from /health (${answers[0]}) and /metrics (${answers[1]}) for ${seconds.toFixed(1)} s`;
    if (seconds < this.#hungAfter) return [this.#state.name, [...this.#state.evidence.filter(isLasting), sign]];
    return ['hung', [sign]];
  }

  #restarted(figures: EngineMetrics | null, restart: Restart | null): [EngineStateName, string[]] {
    this.#restarts++;
    this.#figures = figures;
    this.#heartbeats.clear();
    this.#frozen.forget();
    this.#strained = 0;
    this.#relaxed = SUSTAINED;
    return ['restarting', restart?.reasons ?? ['the engine answers again']];
  }

  #living(
    figures: EngineMetrics,
    before: EngineMetrics | null,
    { time: now, readAt: time = now, inFlight = 0 }: Observation,
  ): [EngineStateName, string[]] {
    if (figures.sleeping) {
      this.#heartbeats.clear();
      this.#frozen.forget();
      return ['sleeping', ['a rank sleeps']];
    }
    const moved = before === null || progressed(before, figures) !== false;
    const frozen = this.#frozen.observe(time, moved, inFlight > 0);
    const hung = ranksOf(figures).flatMap((rank) => this.#stillness(rank, before, time));
    const all = this.#stillnessOfAll(figures, before, time, inFlight);
    if (hung.length === 0) hung.push(...all);
    if (frozen !== null) return ['frozen', [frozen]];
    if (hung.length > 0) return ['hung', hung];
    const strain = this.#strain(figures, before);
    if (!this.#isSaturated()) return use(figures.running);
    return [
      'saturated',
      strain.length > 0 ? strain : [`the last sign of saturation is less than ${SUSTAINED} observations old`],
    ];
  }

  /** The sentence of a rank that has work and stands still for too long, or none. */
  #stillness(rank: Rank, before: EngineMetrics | null, time: number): string[] {
    const { engine } = rank;
    const [running, waiting] = [rank.running ?? 0, rank.waiting ?? 0];
    const earlier = before === null ? undefined : ranksOf(before).find((one) => one.engine === engine);
    const still = this.#still(engine, earlier, rank, running + waiting > 0, time);
    if (still === null) return [];
    const where = engine === '' ? '' : ` on engine ${engine}`;
    const what = running > 0 ? `${running} requests run${where}` : `${waiting} requests wait${where} and none runs`;
    return [`${what}, but no iteration for ${still.toFixed(1)} s`];
  }

  /** The same of the whole engine: where ranks count nothing of their own, or only the caller knows of the work. */
  #stillnessOfAll(now: EngineMetrics, before: EngineMetrics | null, time: number, inFlight: number): string[] {
    const requests = (now.running ?? 0) + (now.waiting ?? 0);
    const still = this.#still(null, before ?? undefined, now, requests + inFlight > 0, time);
    if (still === null) return [];
    const what = requests > 0 ? `${requests} requests run or wait` : `${inFlight} requests are in flight and none runs`;
    return [`${what}, but no iteration for ${still.toFixed(1)} s`];
  }

  /** For how many seconds nothing was counted although there was work; null where that is not too long. */
  #still(
    key: string | null,
    before: EngineFigures | undefined,
    now: EngineFigures,
    hasWork: boolean,
    time: number,
  ): number | null {
    const moved = before === undefined || !hasWork || progressed(before, now) !== false;
    const last = moved ? time : (this.#heartbeats.get(key) ?? time);
    this.#heartbeats.set(key, last);
    if (!moved) this.#standing = Math.min(this.#standing, last);
    return time - last < this.#hungAfter ? null : time - last;
  }

  /** Signs of too much load; counts how long there were some, or none. */
  #strain(figures: EngineMetrics, before: EngineMetrics | null): string[] {
    const signs: string[] = [];
    const preempted = before === null ? 0 : (figures.preemptions ?? 0) - (before.preemptions ?? 0);
    if ((figures.waiting ?? 0) > 0) signs.push(`${figures.waiting} requests wait`);
    if (preempted > 0) signs.push(`${preempted} requests were preempted`);
    if ((figures.kvUsageMax ?? 0) > FULL)
      signs.push(`the KV memory is ${Math.round(figures.kvUsageMax! * 100)} % full`);
    this.#strained = signs.length > 0 ? this.#strained + 1 : 0;
    this.#relaxed = signs.length > 0 ? 0 : this.#relaxed + 1;
    return signs;
  }

  #isSaturated(): boolean {
    return this.#strained >= SUSTAINED || (this.#state.name === 'saturated' && this.#relaxed < SUSTAINED);
  }
}

function use(running: number | null): [EngineStateName, string[]] {
  if (running === null) return ['unknown', ['the metrics do not say how many requests run']];
  return running > 0 ? ['busy', [`${running} requests run`]] : ['ready', ['no request runs']];
}

/** Signs of silence are written again each time. */
function isLasting(sign: string): boolean {
  return !sign.startsWith('no answer');
}

/** The figures of the restart law. */
function runOf(figures: EngineMetrics): RunFigures {
  const { processStartSeconds: startTime, kvTokensCapacity } = figures;
  return {
    startTime,
    kvTokensCapacity,
    counters: Object.fromEntries(progressCounters.map((name) => [name, figures[name]])),
  };
}

type Rank = EngineFigures & { engine: string };

/** The data-parallel engines; one without a name where the metrics do not tell them apart. */
function ranksOf(figures: EngineMetrics): Rank[] {
  return figures.engines.length > 0 ? figures.engines : [{ ...figures, engine: '' }];
}

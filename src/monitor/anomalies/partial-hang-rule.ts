/**
 * A rank that stands still while the engine as a whole does not: data-parallel ranks hang one at a time.
 *
 *     heartbeat    requests run or wait on a rank and it counted nothing for `hungAfter` seconds, and not all ranks are so
 *     in-flight    a rank counted nothing for `hungAfter` seconds, and all that time the caller had more requests in flight than all
 *                  ranks together show, while another rank moved
 *
 * The second sees a rank that hangs before its gauges count a request. Callers that read slowly, or never say that a request ended, have
 * requests in flight that the engine has finished: the greatest such excess of the last USUAL_SECONDS to twice as many in which
 * all ranks moved is usual.
 */
import type { EngineFigures, EngineMetrics } from '../../engine/index.js';
import { progressed } from '../progress.js';
import type { Verdict } from './anomaly.js';

const USUAL_SECONDS = 600;

interface Heartbeat {
  /** When it last counted something. */
  movedAt: number;
  /** When it last counted something, or had nothing to do. */
  wellAt: number;
  figures: EngineFigures;
}

export class PartialHangRule {
  readonly #hungAfter: number;
  readonly #ranks = new Map<string, Heartbeat>();
  /** The requests in flight that no rank showed, of the scrapes of the last `hungAfter` seconds. */
  #excesses: { time: number; excess: number }[] = [];
  /** The greatest excess while all ranks moved, of this period and of the one before. */
  #usual = { now: 0, before: 0, since: Number.NEGATIVE_INFINITY };

  constructor(hungAfter: number) {
    this.#hungAfter = hungAfter;
  }

  observe(figures: EngineMetrics, time: number, inFlight: number): Verdict[] {
    if (figures.engines.length < 2) return [];
    const present = new Set(figures.engines.map(({ engine }) => engine));
    for (const name of this.#ranks.keys()) if (!present.has(name)) this.#ranks.delete(name);
    for (const rank of figures.engines) this.#beat(rank, time);
    const excess = this.#lastingExcess(inFlight - (figures.running ?? 0) - (figures.waiting ?? 0), time);
    return [this.#byHeartbeat(figures, time), this.#byInFlight(figures, time, excess)];
  }

  reset(): void {
    this.#ranks.clear();
    this.#excesses = [];
  }

  #beat(rank: EngineMetrics['engines'][number], time: number): void {
    const before = this.#ranks.get(rank.engine);
    const moved = before === undefined || progressed(before.figures, rank) !== false;
    const hasWork = (rank.running ?? 0) + (rank.waiting ?? 0) > 0;
    this.#ranks.set(rank.engine, {
      movedAt: moved ? time : before.movedAt,
      wellAt: moved || !hasWork ? time : before.wellAt,
      figures: rank,
    });
  }

  #byHeartbeat({ engines }: EngineMetrics, time: number): Verdict {
    const hung = engines.filter(({ engine }) => time - this.#ranks.get(engine)!.wellAt >= this.#hungAfter);
    const alarm = hung.length > 0 && hung.length < engines.length;
    const since = Math.min(time, ...hung.map(({ engine }) => this.#ranks.get(engine)!.wellAt));
    const said = hung.map(({ engine, running, waiting }) => {
      const still = (time - this.#ranks.get(engine)!.wellAt).toFixed(1);
      return `${running ?? 0} requests run and ${waiting ?? 0} wait on engine ${engine}, but no iteration for ${still} s`;
    });
    return { kind: 'partial-hang', rule: 'heartbeat', alarm, evidence: alarm ? said.join('; ') : '', since };
  }

  #byInFlight({ engines }: EngineMetrics, time: number, excess: number): Verdict {
    const still = engines.filter(({ engine }) => time - this.#ranks.get(engine)!.movedAt >= this.#hungAfter);
    const someMove = still.length < engines.length;
    const alarm = still.length > 0 && someMove && excess > Math.max(this.#usual.now, this.#usual.before);
    const names = still.map(({ engine }) => engine).join(', ');
    const evidence = alarm
      ? `${excess} requests in flight are on no engine, and engine ${names} counts nothing for ${this.#hungAfter} s`
      : '';
    return { kind: 'partial-hang', rule: 'in-flight', alarm, evidence, since: time - (alarm ? this.#hungAfter : 0) };
  }

  /** The least excess of the last `hungAfter` seconds; 0 while fewer are known. */
  #lastingExcess(excess: number, time: number): number {
    this.#excesses.push({ time, excess });
    const from = time - this.#hungAfter;
    while (this.#excesses.length > 1 && this.#excesses[1]!.time <= from) this.#excesses.shift();
    if (this.#excesses[0]!.time > from) return 0;
    const least = Math.max(0, Math.min(...this.#excesses.map((one) => one.excess)));
    if (!this.#someStill(time)) this.#learn(least, time);
    return least;
  }

  #learn(excess: number, time: number): void {
    const { now, since } = this.#usual;
    if (time - since < USUAL_SECONDS) this.#usual.now = Math.max(now, excess);
    else this.#usual = { now: excess, before: now, since: time };
  }

  #someStill(time: number): boolean {
    return [...this.#ranks.values()].some(({ movedAt }) => time - movedAt >= this.#hungAfter);
  }
}

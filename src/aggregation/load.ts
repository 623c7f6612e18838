/**
 * Whether load is high. One request in flight is no load; these are:
 *
 *     waiting > its baseline, at most the running      the engine has requests it cannot serve now
 *     KV usage > its baseline, within [0.8, 0.95]              the engine is about to queue or preempt (fullest rank)
 *     tasks wait for this host's CPUs                   as measured over the last 10 s (cpu-contention.ts)
 *
 * The baselines are learned from the stream of fetches (running-baseline.ts: mean + 2 deviations of the last ten minutes); before that the
 * thresholds are 0 and 0.9. So an engine that always has a short queue is not called loaded for it, but one whose queue is
 * longer than its batch always is.
 * Hysteresis: what was high stays so until waiting is half its threshold or less, KV usage 0.1 below, the CPUs calm.
 *
 * True with the reasons; false when some figure is known and none is high; null when none is known.
 */
import type { Sources } from '../sources/index.js';
import { cpuContention } from './cpu-contention.js';
import { RunningBaseline } from './running-baseline.js';

/** KV usage above which load is high whatever the baseline. */
export const MOST_KV = 0.95;
const KV = { initial: 0.9, least: 0.8, room: 0.1 };

/**
 * Whether the load of an engine or of this host is high, with the reasons. `high` is null where no figure is known.
 */
export interface Load {
  high: boolean | null;
  reasons: string[];
}

export class LoadDetector {
  readonly #waiting = new RunningBaseline();
  readonly #usage = new RunningBaseline();
  readonly #high = { waiting: false, usage: false, cpu: false };

  /** Judges one fetch; `time` is that of its figures, in seconds of a clock that never steps. */
  judge(sources: Sources, time: number): Load {
    const known = [this.#judgeWaiting(sources, time), this.#judgeUsage(sources, time), this.#judgeCpu(sources)];
    const reasons = known.filter((reason) => typeof reason === 'string');
    return { high: known.every((reason) => reason === null) ? null : reasons.length > 0, reasons };
  }

  #judgeWaiting({ performance: { waiting, running } }: Sources, time: number): string | false | null {
    if (waiting === null) return null;
    const enter = Math.min(Math.max(0, this.#waiting.high ?? 0), running ?? Number.POSITIVE_INFINITY);
    this.#high.waiting = waiting > 0 && waiting > (this.#high.waiting ? enter / 2 : enter);
    this.#waiting.add(waiting, time);
    return this.#high.waiting && `${waiting} requests wait in the engine's queue`;
  }

  #judgeUsage({ performance: { kv_cache_usage_max: usage } }: Sources, time: number): string | false | null {
    if (usage === null) return null;
    const enter = Math.min(MOST_KV, Math.max(KV.least, this.#usage.high ?? KV.initial));
    this.#high.usage = usage > (this.#high.usage ? enter - KV.room : enter);
    this.#usage.add(usage, time);
    return this.#high.usage && `the engine's KV memory is ${Math.round(usage * 100)} % full`;
  }

  #judgeCpu({ resources }: Sources): string | false | null {
    const contention = cpuContention(resources);
    if (contention === null) return null;
    this.#high.cpu = contention.isHigh || (this.#high.cpu && !contention.isCalm);
    return this.#high.cpu && `${contention.sentence} of this host`;
  }
}

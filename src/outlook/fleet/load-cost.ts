/**
 * What picking each engine costs by its load:
 *
 *     cost = (1 + running + WAITING waiting + picked) / (1.05 - KV usage)        SATURATED times that when saturated
 *
 * What an engine does not say counts as the worst of those that do.
 */
import { canServe, type EngineMonitor } from '../../monitor/index.js';
import type { ReportedLoad } from '../prediction/index.js';

const WAITING = 3;
const SATURATED = 4;

/** What the costs read of an engine of a fleet. */
export interface LoadedEngine {
  readonly monitor: EngineMonitor;
  /** Picks since the engine was last observed. */
  readonly picked: number;
  /** Requests that its caller sent lately. */
  readonly sent: number;
  readonly reported: { load: ReportedLoad; atSeconds: number } | null;
}

type Load = Required<{ [Name in keyof ReportedLoad]: number | null }>;

/** Null for each drained one. */
export function loadCosts(engines: readonly LoadedEngine[], promptTokens: number): (number | null)[] {
  const loads = engines.map((engine) => (canServe(engine.monitor.state) ? loadOf(engine) : null));
  const worst = (name: keyof Load) => Math.max(0, ...loads.map((load) => load?.[name] ?? 0));
  const [mostRunning, mostWaiting, mostUsed] = [worst('running'), worst('waiting'), worst('kvUsage')];
  return engines.map(({ monitor, picked, sent }, i) => {
    const load = loads[i]!;
    if (load === null) return null;
    const requests = (load.running ?? mostRunning) + WAITING * (load.waiting ?? mostWaiting) + Math.max(picked, sent);
    const usage = Math.min(1, Math.max(0, load.kvUsage ?? mostUsed));
    const capacity = monitor.figures?.kvTokensCapacity ?? Number.POSITIVE_INFINITY;
    const strained = monitor.state.name === 'saturated' || promptTokens > (1 - usage) * capacity;
    return ((1 + requests) / (1.05 - usage)) * (strained ? SATURATED : 1);
  });
}

/** The figures of its last scrape, or what was reported since. */
function loadOf({ monitor, reported }: LoadedEngine): Load {
  const { figures, readAtSeconds } = monitor;
  const isNewer = reported !== null && reported.atSeconds > (readAtSeconds ?? Number.NEGATIVE_INFINITY);
  const load = isNewer ? reported.load : {};
  return {
    running: load.running ?? figures?.running ?? null,
    waiting: load.waiting ?? figures?.waiting ?? null,
    kvUsage: load.kvUsage ?? figures?.kvUsageMax ?? null,
  };
}

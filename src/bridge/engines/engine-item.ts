/** An engine as the bridge answers it in GET /v1/engines. Text of engines is plain and bounded (plain-text.ts). */
import type { EngineKind, EngineMetrics, Latency, Rates } from '../../engine/index.js';
import type { Anomaly, AnomalyKind, AnomalyRule, EngineState, EngineStateName } from '../../monitor/index.js';
import type { FirstTokenMeans } from './first-tokens.js';

export interface EngineStateItem {
  name: EngineStateName;
  /** RFC 3339. */
  since: string;
  forSeconds: number;
  evidence: string[];
}

const figureNames = [
  'running',
  'waiting',
  'kvUsageMean',
  'kvUsageMax',
  'kvTokensCapacity',
  'requestsTotal',
  'errors',
  'promptTokens',
  'generationTokens',
  'preemptions',
  'iterationCount',
  'processStartSeconds',
] as const;
/** Numbers of the last scrape, null where the engine does not say. */
export type EngineFigureItem = Record<(typeof figureNames)[number], number | null>;

const rateNames = [
  'promptTokensPerSecond',
  'generationTokensPerSecond',
  'finishesPerSecond',
  'arrivalsPerSecond',
  'preemptionsPerSecond',
  'stepsPerSecond',
  'tokensPerStep',
  'prefixHitRatio',
  'cachedShare',
  'specAcceptance',
  'kvTokensFree',
  'kvTokensGrowthPerSecond',
  'drainSeconds',
] as const;
const latencyNames = ['timeToFirstTokenSeconds', 'interTokenSeconds', 'queueSeconds', 'e2eSeconds'] as const;
/** Of the last two scrapes, null where they do not say. */
export type EngineRateItem = Record<(typeof rateNames)[number], number | null> &
  Record<(typeof latencyNames)[number], Latency | null> & { seconds: number; reset: boolean };

export interface EngineItem {
  name: string;
  /** 'http://10.0.0.1:8000', 'unix:/run/vllm.sock'. */
  url: string;
  /** Null where it is not known. */
  kind: EngineKind | null;
  /** The id of its base model, where it says one. */
  model: string | null;
  simulated: boolean;
  state: EngineStateItem;
  /** Whether nothing is picked from it. */
  drained: boolean;
  figures: EngineFigureItem | null;
  rates: EngineRateItem | null;
  restarts: number;
  /** What is wrong with it while it answers. */
  anomalies: AnomalyItem[];
  /** Of the requests whose first token came before the last observation; null where none did. */
  firstTokens: FirstTokenMeans | null;
  /** Requests that callers dispatched and did not finish. */
  tickets: number;
  /** Tokens of the prompts of those of them whose first token did not come. */
  ticketPromptTokens: number;
  /** Seconds since its /metrics was last read; null when it never was. */
  stalenessSeconds: number | null;
}

/** Something wrong with an engine that answers. */
export interface AnomalyItem {
  kind: AnomalyKind;
  /** The rule that found it first. */
  rule: AnomalyRule;
  /** RFC 3339. */
  since: string;
  evidence: string[];
}

export function anomalyItem(
  { kind, rule, evidence }: Anomaly,
  since: string,
  plain: (text: string) => string,
): AnomalyItem {
  return { kind, rule, since, evidence: evidence.slice(0, 16).map(plain) };
}

export function stateItem(
  state: EngineState,
  nowMs: number,
  wall: number,
  plain: (text: string) => string,
): EngineStateItem {
  const forSeconds = Math.max(0, nowMs / 1000 - state.sinceSeconds);
  const evidence = state.evidence.slice(0, 16).map(plain);
  return { name: state.name, since: new Date(wall - forSeconds * 1000).toISOString(), forSeconds, evidence };
}

export function figureItem(figures: EngineMetrics): EngineFigureItem {
  return Object.fromEntries(figureNames.map((name) => [name, finite(figures[name])])) as EngineFigureItem;
}

export function rateItem(rates: Rates): EngineRateItem {
  return {
    seconds: rates.seconds,
    reset: rates.reset,
    ...Object.fromEntries(rateNames.map((name) => [name, finite(rates[name])])),
    ...Object.fromEntries(latencyNames.map((name) => [name, rates[name] === null ? null : latency(rates[name])])),
  } as EngineRateItem;
}

function latency({ count, mean, p50, p90, p99 }: Latency): Latency {
  return { count, mean: finite(mean), p50: finite(p50), p90: finite(p90), p99: finite(p99) };
}

function finite(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

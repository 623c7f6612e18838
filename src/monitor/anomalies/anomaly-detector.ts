/**
 * Anomalies of one engine that answers: `slow`, `leak`, `storm` and `partial-hang`, each found by whichever of its rules is first.
 *
 *     kind           rules, joined by or
 *     slow           chart, threshold on the time between tokens
 *     leak           chart, idle-kv
 *     storm          threshold on the rate of preemptions
 *     partial-hang   heartbeat, in-flight
 *
 * Limits of charts and thresholds are learned in operation over `learnSeconds`; until then these rules say nothing. Figures that an engine does not
 * export, or that are not finite, silence the rules that need them. A restart ends every anomaly.
 */
import type { EngineMetrics } from '../../engine/index.js';
import type { EngineStateName } from '../engine-state.js';
import type { Anomaly, Verdict } from './anomaly.js';
import { type AnomalyChanges, type AnomalyCounts, AnomalyLog } from './anomaly-log.js';
import { type ChartKind, chartKinds } from './chart-learner.js';
import { type HealthRates, type HealthSample, healthSample } from './health-sample.js';
import { IdleKvRule } from './idle-kv-rule.js';
import { LoadChart } from './load-chart.js';
import type { LoadFeatures } from './load-features.js';
import { PartialHangRule } from './partial-hang-rule.js';
import { thresholdRules } from './threshold-rule.js';

/** States in which figures tell how well an engine works. */
const working: readonly EngineStateName[] = ['ready', 'busy', 'saturated'];

export interface AnomalyDetectorOptions {
  /** Seconds of normal traffic that the limits are learned from. */
  learnSeconds: number;
  /** Seconds without progress after which a rank hangs. */
  hungAfter: number;
  /** What the chart describes the load by; the bank of moving averages when left out. */
  features?: LoadFeatures | undefined;
}

/** One scrape, seconds of one clock. */
export interface HealthObservation {
  /** When the scrape was read. */
  time: number;
  figures: EngineMetrics;
  /** Rates since the scrape before; null where they are unknown. */
  rates: HealthRates | null;
  /** Seconds that the rates cover. */
  seconds: number;
  /** Requests of the caller without an end. */
  inFlight: number;
  /** The state that the engine is in by this scrape. */
  state: EngineStateName;
}

export class AnomalyDetector {
  readonly #chart: LoadChart;
  readonly #thresholds;
  readonly #idleKv = new IdleKvRule();
  readonly #partialHang: PartialHangRule;
  readonly #log = new AnomalyLog();

  constructor({ learnSeconds, hungAfter, features }: AnomalyDetectorOptions) {
    this.#chart = new LoadChart(learnSeconds, features);
    this.#thresholds = thresholdRules(learnSeconds);
    this.#partialHang = new PartialHangRule(hungAfter);
  }

  /** Those present, the oldest first. */
  get present(): Anomaly[] {
    return this.#log.present;
  }

  get counts(): AnomalyCounts {
    return this.#log.counts;
  }

  /** Share of the first window that the limits are learned from, 0 to 1. */
  get learned(): number {
    return this.#chart.learned;
  }

  observe(observation: HealthObservation): AnomalyChanges {
    const { time, figures, rates, seconds, inFlight, state } = observation;
    const verdicts = state === 'frozen' ? [] : this.#partialHang.observe(figures, time, inFlight);
    const sample = working.includes(state) ? healthSample(figures, rates) : null;
    if (sample !== null && seconds > 0) verdicts.push(...this.#judge(sample, observation));
    return this.#log.observe(verdicts, time, Math.max(0, seconds));
  }

  /** The engine restarted or slept: what was seen before says nothing of it. Returns the anomalies that end. */
  restarted(): Anomaly[] {
    this.#chart.reset();
    for (const rule of this.#thresholds) rule.reset();
    this.#idleKv.reset();
    this.#partialHang.reset();
    return this.#log.clear();
  }

  #judge(sample: HealthSample, { time, seconds, inFlight }: HealthObservation): Verdict[] {
    const calm = this.#log.isCalm(time);
    this.#chart.observe(sample, { time, seconds, calm });
    const { knowsLoad } = this.#chart;
    return [
      ...chartKinds.map((kind) => this.#byChart(kind, time)),
      ...this.#thresholds.map((rule) => rule.observe(sample, { time, seconds, calm, knowsLoad })),
      this.#idleKv.observe(sample, time, inFlight),
    ];
  }

  #byChart(kind: ChartKind, time: number): Verdict {
    const reading = this.#chart.reading(kind);
    if (reading === null) return { kind, rule: 'chart', alarm: null, evidence: '', since: time };
    const { value, limit, sinceSeconds } = reading;
    const alarm = value > limit;
    return {
      kind,
      rule: 'chart',
      alarm,
      evidence: alarm ? chartEvidence(kind, reading) : '',
      since: alarm ? sinceSeconds : time,
    };
  }
}

function chartEvidence(
  kind: ChartKind,
  { value, limit, residual }: { value: number; limit: number; residual: number },
): string {
  const sums = `CUSUM ${value.toFixed(1)}, limit ${limit.toFixed(1)}`;
  if (kind === 'slow') {
    return `tokens take ${(100 * (Math.exp(residual) - 1)).toFixed(0)} % longer than the load explains (${sums})`;
  }
  return `${(100 * residual).toFixed(1)} % of the KV memory is held that the load does not explain (${sums})`;
}

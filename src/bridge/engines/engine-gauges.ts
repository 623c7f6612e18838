/**
 * The bridge's metrics of its engines. The label `engine` is the configured name; what has it is removed with the engine.
 *
 * The age of a source that was never read is +Inf: an alert on the age sees an engine that is configured and never answered.
 */
import {
  type AnomalyCounts,
  type AnomalyKind,
  anomalyKinds,
  type EngineStateName,
  engineStates,
} from '../../monitor/index.js';
import type { OutlookSkill } from '../../outlook/index.js';
import type { Counter, Gauge, Histogram, MetricsRegistry } from '../metrics/index.js';

const FIRST_TOKEN_BOUNDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
export const outcomes = ['ok', 'error', 'aborted', 'other'] as const;
export type Outcome = (typeof outcomes)[number];
const admissionResults = ['admitted', 'refused', 'withheld_advisory', 'withheld_skill'] as const;

/** What the gauges show of one engine. */
export interface GaugedEngine {
  readonly name: string;
  readonly stateName: EngineStateName;
  readonly stalenessSeconds: number | null;
}

export class EngineGauges {
  readonly #state: Gauge;
  readonly #changes: Counter;
  readonly #restarts: Counter;
  readonly #age: Gauge;
  readonly #tickets: Gauge;
  readonly #lost: Counter;
  readonly #finished: Counter;
  readonly #generated: Counter;
  readonly #observed: Histogram;
  readonly #predicted: Histogram;
  readonly #coverage: Gauge;
  readonly #error: Gauge;
  readonly #wrong: Gauge;
  readonly #admissions: Counter;
  readonly #present: Gauge;
  readonly #begun: Counter;
  readonly #perDay: Gauge;
  readonly #replicas: Gauge;
  readonly #discovery: Counter;

  constructor(metrics: MetricsRegistry) {
    this.#state = metrics.gauge('dtesn_engine_state', '1 for the state that the engine is in, 0 for the others.', [
      'engine',
      'state',
    ]);
    this.#changes = metrics.counter('dtesn_engine_state_changes_total', 'Changes of the state of an engine.', [
      'engine',
    ]);
    this.#restarts = metrics.counter('dtesn_engine_restarts_total', 'Restarts of an engine that were seen.', [
      'engine',
    ]);
    this.#age = metrics.gauge('dtesn_source_age_seconds', 'Seconds since a source of figures was last read.', [
      'engine',
      'source',
    ]);
    this.#tickets = metrics.gauge('dtesn_tickets', 'Requests that callers dispatched and did not finish.', ['engine']);
    this.#lost = metrics.counter('dtesn_tickets_lost_total', 'Tickets that ended without a finish.', ['reason']);
    this.#finished = metrics.counter('dtesn_tickets_finished_total', 'Tickets that their callers finished.', [
      'engine',
      'outcome',
    ]);
    this.#generated = metrics.counter('dtesn_reported_tokens_total', 'Generated tokens that callers reported.', [
      'engine',
    ]);
    this.#observed = metrics.histogram(
      'dtesn_observed_ttft_seconds',
      'Seconds from dispatch to the first token, as callers reported them.',
      FIRST_TOKEN_BOUNDS,
      ['engine'],
    );
    this.#predicted = metrics.histogram(
      'dtesn_predicted_ttft_seconds',
      'The same of the same requests, as it was predicted when they were dispatched.',
      FIRST_TOKEN_BOUNDS,
      ['engine'],
    );
    this.#coverage = metrics.gauge(
      'dtesn_ttft_coverage_ratio',
      'Share of first tokens of the last 2 minutes that came within the predicted 90th percentile.',
      ['engine'],
    );
    this.#error = metrics.gauge(
      'dtesn_ttft_log_error',
      'Mean |ln(predicted / observed)| of the first tokens of the last 2 minutes, by the rule that predicted.',
      ['engine', 'rule'],
    );
    this.#wrong = metrics.gauge(
      'dtesn_ttft_wrong_calls_ratio',
      'Share of requests of the last 2 minutes of which a rule said wrongly whether they would miss their objective.',
      ['engine', 'rule'],
    );
    this.#present = metrics.gauge('dtesn_engine_anomaly', '1 while an anomaly of this kind is seen, else 0.', [
      'engine',
      'kind',
    ]);
    this.#begun = metrics.counter('dtesn_engine_anomalies_total', 'Anomalies of an engine that began.', [
      'engine',
      'kind',
    ]);
    this.#perDay = metrics.gauge(
      'dtesn_engine_anomalies_per_day',
      'Anomalies of an engine a day of watch; in normal operation the false alarms.',
      ['engine'],
    );
    this.#replicas = metrics.gauge(
      'dtesn_desired_replicas',
      'Engines to have, so that there are enough when one that starts now can serve; NaN while that is not known.',
    );
    this.#admissions = metrics.counter('dtesn_admissions_total', 'Requests that asked for admission.', ['result']);
    for (const result of admissionResults) this.#admissions.begin({ result });
    this.#discovery = metrics.counter(
      'dtesn_engine_discovery_errors_total',
      'Times that a file or a name of engines could not be taken.',
      ['reason'],
    );
    for (const reason of ['expired', 'dropped']) this.#lost.begin({ reason });
    for (const reason of ['file', 'dns']) this.#discovery.begin({ reason });
  }

  stateChanged(engine: string): void {
    this.#changes.inc({ engine });
  }

  restarted(engine: string): void {
    this.#restarts.inc({ engine });
  }

  ticketLost(reason: 'expired' | 'dropped'): void {
    this.#lost.inc({ reason });
  }

  finished(engine: string, outcome: string, generatedTokens: number): void {
    const known = outcomes.find((name) => name === outcome) ?? 'other';
    this.#finished.inc({ engine, outcome: known });
    if (generatedTokens > 0) this.#generated.inc({ engine }, generatedTokens);
  }

  /** `predicted`: null where the request was not predicted. */
  firstToken(engine: string, observed: number, predicted: number | null): void {
    this.#observed.observe({ engine }, observed);
    if (predicted !== null) this.#predicted.observe({ engine }, predicted);
  }

  anomaly(engine: string, kind: AnomalyKind): void {
    this.#begun.inc({ engine, kind });
  }

  admission(result: (typeof admissionResults)[number]): void {
    this.#admissions.inc({ result });
  }

  discoveryFailed(reason: 'file' | 'dns'): void {
    this.#discovery.inc({ reason });
  }

  /** Before each scrape. */
  update({ name: engine, stateName, stalenessSeconds }: GaugedEngine, tickets: number): void {
    for (const state of engineStates) this.#state.set({ engine, state }, state === stateName ? 1 : 0);
    this.#age.set({ engine, source: 'metrics' }, stalenessSeconds ?? Number.POSITIVE_INFINITY);
    this.#tickets.set({ engine }, tickets);
    for (const family of [this.#changes, this.#restarts, this.#generated]) family.begin({ engine });
    for (const outcome of outcomes) this.#finished.begin({ engine, outcome });
  }

  /** Before each scrape. A figure that is not known is NaN. */
  outlook(engine: string, { coverage, error, wrong }: OutlookSkill): void {
    this.#coverage.set({ engine }, coverage ?? Number.NaN);
    for (const rule of ['outlook', 'persistence'] as const) {
      this.#error.set({ engine, rule }, error[rule] ?? Number.NaN);
    }
    this.#wrong.set({ engine, rule: 'outlook' }, wrong.outlook ?? Number.NaN);
    this.#wrong.set({ engine, rule: 'persistence' }, wrong.persistence ?? Number.NaN);
    this.#wrong.set({ engine, rule: 'token_limit' }, wrong.tokenLimit ?? Number.NaN);
  }

  /** Before each scrape. */
  anomalies(engine: string, present: readonly { kind: AnomalyKind }[], { alarmsPerDay }: AnomalyCounts): void {
    for (const kind of anomalyKinds) {
      this.#present.set({ engine, kind }, present.some((one) => one.kind === kind) ? 1 : 0);
      this.#begun.begin({ engine, kind });
    }
    this.#perDay.set({ engine }, alarmsPerDay ?? Number.NaN);
  }

  /** Before each scrape. */
  replicas(desired: number | null): void {
    this.#replicas.set({}, desired ?? Number.NaN);
  }

  removed(engine: string): void {
    const own = [this.#state, this.#changes, this.#restarts, this.#age, this.#tickets, this.#finished, this.#generated];
    const health = [this.#present, this.#begun, this.#perDay];
    const expected = [this.#observed, this.#predicted, this.#coverage, this.#error, this.#wrong];
    for (const family of [...own, ...health, ...expected]) family.remove({ engine });
  }
}

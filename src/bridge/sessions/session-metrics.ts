/**
 * Metrics of the sessions and of their journal. Without a state directory those of the journal are 0: nothing waits for a disk, none
 * was written, and the last success at 0, 1970, is none.
 */
import type { JournalFigures } from '../journal/index.js';
import type { Counter, Gauge, Histogram, MetricsRegistry } from '../metrics/index.js';

const rowsResults = ['applied', 'skipped', 'refused'] as const;
export type RowsResult = (typeof rowsResults)[number];
const recoveryResults = ['recovered', 'network_changed', 'quarantined'] as const;
export type RecoveryResult = (typeof recoveryResults)[number];

const COMMIT_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const noFigures = { undurableRows: 0, oldestUndurableMs: 0, lastSuccessSeconds: 0, stateBytes: 0, errors: 0 };

/** Durations of the group commits. */
export function commitSeconds(metrics: MetricsRegistry): Histogram {
  const help = 'Seconds of a group commit, from the transfer of its records until fdatasync returned';
  return metrics.histogram('dtesn_checkpoint_duration_seconds', help, COMMIT_BOUNDS);
}

export class SessionCounters {
  readonly #rows: Counter;
  readonly #recovered: Gauge;
  readonly #shed: Counter;

  constructor(metrics: MetricsRegistry, sessions: () => number, figures: () => JournalFigures | null) {
    commitSeconds(metrics);
    const gauge = (name: string, help: string) => metrics.gauge(name, help, []);
    const living = gauge('dtesn_sessions', 'Sessions, with those that cannot be served');
    const undurable = gauge('dtesn_undurable_rows', 'Rows of sessions that wait to survive a power loss');
    const oldest = gauge(
      'dtesn_oldest_undurable_seconds',
      'Age of the oldest record of sessions that is not durable yet',
    );
    const success = gauge(
      'dtesn_checkpoint_last_success_timestamp_seconds',
      'When a group commit of the journal succeeded last, in seconds since 1970; 0 before the first',
    );
    const bytes = gauge('dtesn_state_bytes', 'Bytes of the journal on disk');
    const errors = metrics.counter('dtesn_checkpoint_errors_total', 'Group commits of the journal that failed', []);
    let failed = 0;
    this.#rows = metrics.counter('dtesn_session_rows_total', 'Rows of requests on sessions', ['result']);
    for (const result of rowsResults) this.#rows.begin({ result });
    this.#shed = metrics.counter('dtesn_shed_total', 'Requests refused or dropped before they were begun', ['reason']);
    this.#recovered = metrics.gauge('dtesn_recovery_sessions', 'Sessions at the last start', ['result']);
    for (const result of recoveryResults) this.#recovered.begin({ result });
    metrics.collect(() => {
      living.set({}, sessions());
      const now = figures() ?? noFigures;
      undurable.set({}, now.undurableRows);
      oldest.set({}, now.oldestUndurableMs / 1000);
      success.set({}, now.lastSuccessSeconds);
      bytes.set({}, now.stateBytes);
      errors.inc({}, now.errors - failed);
      failed = now.errors;
    });
  }

  /** Rows applied since the start. */
  applied = 0;

  rows(result: RowsResult, count: number): void {
    if (result === 'applied') this.applied += count;
    if (count > 0) this.#rows.inc({ result }, count);
  }

  /** A request that was dropped before it was begun. */
  shed(reason: 'budget'): void {
    this.#shed.inc({ reason });
  }

  recovered(result: RecoveryResult, count: number): void {
    this.#recovered.set({ result }, count);
  }
}

/** Metrics of the sessions and of their journal. */
import type { JournalFigures } from '../journal/index.js';
import type { Counter, Gauge, MetricsRegistry } from '../metrics/index.js';

export type RowsResult = 'applied' | 'skipped' | 'refused';

export class SessionCounters {
  readonly #rows: Counter;
  readonly #recovered: Gauge;
  readonly #shed: Counter;

  constructor(metrics: MetricsRegistry, sessions: () => number, figures: () => JournalFigures | null) {
    const gauge = (name: string, help: string) => metrics.gauge(name, help, []);
    const living = gauge('dtesn_sessions', 'Sessions, with those that cannot be served');
    const undurable = gauge('dtesn_undurable_rows', 'Rows of sessions that do not survive a power loss yet');
    const oldest = gauge(
      'dtesn_oldest_undurable_seconds',
      'Age of the oldest record of sessions that is not durable yet',
    );
    const success = gauge(
      'dtesn_checkpoint_last_success_timestamp_seconds',
      'When a group commit of the journal succeeded last, in seconds since 1970',
    );
    const bytes = gauge('dtesn_state_bytes', 'Bytes of the journal on disk');
    const errors = metrics.counter('dtesn_checkpoint_errors_total', 'Group commits of the journal that failed', []);
    let failed = 0;
    this.#rows = metrics.counter('dtesn_session_rows_total', 'Rows of requests on sessions', ['result']);
    this.#shed = metrics.counter('dtesn_shed_total', 'Requests refused or dropped before they were begun', ['reason']);
    this.#recovered = metrics.gauge('dtesn_recovery_sessions', 'Sessions at the last start', ['result']);
    metrics.collect(() => {
      living.set({}, sessions());
      const now = figures();
      if (now === null) return;
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

  recovered(result: 'recovered' | 'network_changed' | 'quarantined', count: number): void {
    this.#recovered.set({ result }, count);
  }
}

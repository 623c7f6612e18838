/** The page of metrics of a bridge that nothing has asked yet: every promised family, and its known label sets at 0. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { closedPort } from '../../faults/engine-server.js';
import { runningBridge } from '../running-bridge.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-scrape-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const promised = {
  dtesn_http_requests_total: 'counter',
  dtesn_http_request_duration_seconds: 'histogram',
  dtesn_http_connections: 'gauge',
  dtesn_streams: 'gauge',
  dtesn_queue_bytes: 'gauge',
  dtesn_queue_wait_seconds: 'histogram',
  dtesn_batch_size: 'histogram',
  dtesn_shed_total: 'counter',
  dtesn_engine_state: 'gauge',
  dtesn_engine_state_changes_total: 'counter',
  dtesn_source_age_seconds: 'gauge',
  dtesn_source_errors_total: 'counter',
  dtesn_breaker_open: 'gauge',
  dtesn_sessions: 'gauge',
  dtesn_session_rows_total: 'counter',
  dtesn_undurable_rows: 'gauge',
  dtesn_oldest_undurable_seconds: 'gauge',
  dtesn_checkpoint_duration_seconds: 'histogram',
  dtesn_checkpoint_last_success_timestamp_seconds: 'gauge',
  dtesn_checkpoint_errors_total: 'counter',
  dtesn_state_bytes: 'gauge',
  dtesn_recovery_sessions: 'gauge',
  dtesn_tickets: 'gauge',
  dtesn_config_last_reload_successful: 'gauge',
  dtesn_auth_failures_total: 'counter',
  dtesn_events_missed_total: 'counter',
  dtesn_log_dropped_total: 'counter',
  dtesn_event_loop_delay_seconds: 'gauge',
};

/** Only requests, failed questions and late timers have label sets that nothing knows before. */
const beginEmpty = [
  'dtesn_http_requests_total',
  'dtesn_http_request_duration_seconds',
  'dtesn_source_errors_total',
  'dtesn_event_loop_delay_seconds',
];

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test.each([
  ['without a state directory', false],
  ['with a state directory', true],
])('the first page %s has all 28 families and their known series', { timeout: 60_000 }, async (_, isKept) => {
  const engine = `http://127.0.0.1:${await closedPort()}`;
  const state = isKept ? ['--state-dir', path.join(folder, 'state')] : [];
  await using bridge = await runningBridge({ args: ['--engine', engine, ...state] });
  const text = await (await fetch(`${bridge.url}/metrics`)).text();
  expect(Object.keys(promised)).toHaveLength(28);
  const types = Object.fromEntries(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]),
  );
  expect(types).toMatchObject(promised);
  const help = new Set([...text.matchAll(/^# HELP (\S+) .+$/gm)].map(([, name]) => name));
  const withSeries = (name: string) => new RegExp(`^${name}(_bucket)?[{ ]`, 'm').test(text);
  expect(Object.keys(promised).filter((name) => !help.has(name))).toEqual([]);
  expect(Object.keys(promised).filter((name) => !withSeries(name) && !beginEmpty.includes(name))).toEqual([]);
  const zero = [
    ...['high', 'normal', 'low'].map((priority) => `dtesn_queue_wait_seconds_count{priority="${priority}"}`),
    ...['queue_full', 'queue_age', 'client_share', 'memory', 'sessions_full', 'budget', 'draining'].map(
      (reason) => `dtesn_shed_total{reason="${reason}"}`,
    ),
    ...['unauthorised', 'forbidden', 'foreign_origin'].map((reason) => `dtesn_auth_failures_total{reason="${reason}"}`),
    ...['restart', 'overflow'].map((reason) => `dtesn_events_missed_total{reason="${reason}"}`),
    ...['applied', 'skipped', 'refused'].map((result) => `dtesn_session_rows_total{result="${result}"}`),
    ...['recovered', 'network_changed', 'quarantined'].map((result) => `dtesn_recovery_sessions{result="${result}"}`),
    `dtesn_tickets{engine="${engine}"}`,
    `dtesn_breaker_open{engine="${engine}"}`,
    'dtesn_undurable_rows',
    'dtesn_oldest_undurable_seconds',
    'dtesn_checkpoint_errors_total',
    ...(isKept ? [] : ['dtesn_checkpoint_last_success_timestamp_seconds', 'dtesn_state_bytes']),
  ];
  const lines = new Set(text.split('\n'));
  expect(zero.filter((series) => !lines.has(`${series} 0`))).toEqual([]);
  expect(lines).toContain(`dtesn_source_age_seconds{engine="${engine}",source="metrics"} +Inf`);
  if (!hasPromtool) return;
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  expect([status, `${stdout}${stderr}`]).toEqual([0, '']);
});

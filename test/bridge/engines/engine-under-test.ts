/** A server with the answers of a vLLM engine whose figures a test sets, and an engine set with what it needs. */
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { EngineSet, type EngineSetOptions, EventLog } from '../../../src/bridge/engines/index.js';
import type { LogFields } from '../../../src/bridge/logs/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { type Answer, json, serveEngine, text } from '../../faults/engine-server.js';

export interface Figures {
  running: number;
  waiting: number;
  tokens: number;
  kvUsage: number;
  started: number;
  model: string;
}

export function vllmAnswers(given: Partial<Figures> = {}): { figures: Figures; answers: Record<string, Answer> } {
  const figures = { running: 0, waiting: 0, tokens: 100, kvUsage: 0.1, started: 1000, model: 'm', ...given };
  const live =
    (answer: () => Answer): Answer =>
    (...args) =>
      answer()(...args);
  return {
    figures,
    answers: {
      '/health': text(''),
      '/version': json({ version: '0.11.0' }),
      '/v1/models': live(() =>
        json({
          object: 'list',
          data: [{ id: figures.model, owned_by: 'vllm', root: '/m', parent: null, max_model_len: 4096 }],
        }),
      ),
      '/metrics': live(() => text(metricsText(figures))),
    },
  };
}

export function metricsText({ running, waiting, tokens, kvUsage, started }: Figures): string {
  return [
    '# TYPE process_start_time_seconds gauge',
    `process_start_time_seconds ${started}`,
    '# TYPE vllm:num_requests_running gauge',
    `vllm:num_requests_running{engine="0"} ${running}`,
    '# TYPE vllm:num_requests_waiting gauge',
    `vllm:num_requests_waiting{engine="0"} ${waiting}`,
    '# TYPE vllm:kv_cache_usage_perc gauge',
    `vllm:kv_cache_usage_perc{engine="0"} ${kvUsage}`,
    '# TYPE vllm:generation_tokens_total counter',
    `vllm:generation_tokens_total{engine="0"} ${tokens}`,
    '',
  ].join('\n');
}

export async function vllmServer(given: Partial<Figures> = {}, at: number | string = 0) {
  const { figures, answers } = vllmAnswers(given);
  return { figures, answers, ...(await serveEngine(answers, at)) };
}

/** The same on one address of IPv6. */
export async function serveOnIPv6(answers: Record<string, Answer>) {
  const server = http.createServer((request, response) => {
    (answers[request.url ?? ''] ?? json({}, 404))(response, '', request);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '::1', ipv6Only: true }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Observes often, and waits long before it says that something hangs: the machine of a test may be slow. */
export const fast = { intervalMs: 50, timeoutMs: 5000, hungAfterMs: 60_000 };
export const impatient = { ...fast, hungAfterMs: 400 };

export async function startSet(options: Partial<EngineSetOptions> = {}) {
  const events = new EventLog();
  const metrics = new MetricsRegistry();
  const lines: { message: string; fields: LogFields }[] = [];
  const write = (message: string, fields: LogFields = {}) => void lines.push({ message, fields });
  const told: { type: string; data: Record<string, unknown> }[] = [];
  events.subscribe(({ type, data }) => told.push({ type, data }));
  const log = { debug: write, info: write, warn: write, error: write };
  const engines = await EngineSet.start({ events, metrics, log, monitor: fast, ...options });
  const state = (name: string) => engines.list().find((item) => item.name === name)?.state.name;
  const types = (engine: string) => told.filter(({ data }) => data['engine'] === engine).map(({ type }) => type);
  return { engines, events, metrics, lines, told, state, types };
}

/** A folder that is removed with what a test has open. */
export function temporaryFolder(open: { close(): Promise<unknown> }[]): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'dtesn-engines-'));
  open.unshift({ close: async () => rmSync(folder, { recursive: true, force: true }) });
  return folder;
}

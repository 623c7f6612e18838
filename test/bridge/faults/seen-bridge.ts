/** What a client sees of a running bridge: its engines, events, metrics, contexts and answers. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { expect, vi } from 'vitest';
import { parsePrometheus } from '../../../src/engine/index.js';
import { multiSourceDataSchema } from '../../../src/pipeline/index.js';
import { metricsBody } from '../../faults/engine-server.js';
import { noPromtool } from '../../oracles/tools.js';
import { type RunningBridge, runningBridge } from '../running-bridge.js';

/** What the published figures of an idle engine are. */
export const idleMetrics = metricsBody.replace(/^(\w+:num_requests_\w+\{.*\}) \S+$/gm, '$1 0.0');

export const soon = { timeout: 20_000, interval: 50 };

export interface SeenEvent {
  type: string;
  data: { engine?: string; state?: string; before?: string; [name: string]: unknown };
}

export interface SeenEngine {
  name: string;
  url: string;
  kind: string | null;
  model: string | null;
  state: { name: string; since: string; forSeconds: number; evidence: string[] };
  figures: Record<string, number | null> | null;
  drained: boolean;
  restarts: number;
  tickets: number;
  stalenessSeconds: number | null;
}

export interface NamedUrl {
  name?: string;
  url: string;
}

/** A bridge on a file of engines that a test rewrites, and all its events so far. */
export class SeenBridge implements AsyncDisposable {
  readonly events: SeenEvent[] = [];
  readonly #bridge: RunningBridge;
  readonly #folder: string;
  readonly #stream: http.ClientRequest;

  private constructor(bridge: RunningBridge, folder: string) {
    this.#bridge = bridge;
    this.#folder = folder;
    let text = '';
    this.#stream = http.get(`${bridge.url}/v1/events`, (response) => {
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const [, type] = /^event: (.*)$/m.exec(text.slice(0, end)) ?? [];
          const [, data] = /^data: (.*)$/m.exec(text.slice(0, end)) ?? [];
          if (type !== undefined && data !== undefined) this.events.push({ type, data: JSON.parse(data) });
          text = text.slice(end + 2);
        }
      });
    });
    this.#stream.on('error', () => {}); // the bridge is killed at the end
  }

  static async start(engines: readonly NamedUrl[], args: readonly string[] = []): Promise<SeenBridge> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'dtesn-faults-'));
    writeFileSync(path.join(folder, 'engines.json'), targets(engines));
    const bridge = await runningBridge({ args: ['--engines-file', path.join(folder, 'engines.json'), ...args] });
    return new SeenBridge(bridge, folder);
  }

  get url(): string {
    return this.#bridge.url;
  }

  get pid(): number {
    return this.#bridge.process.pid!;
  }

  /** Writes another file of engines in the place of the one. */
  name(engines: readonly NamedUrl[]): void {
    writeFileSync(path.join(this.#folder, 'next'), targets(engines));
    renameSync(path.join(this.#folder, 'next'), path.join(this.#folder, 'engines.json'));
  }

  async get(route: string): Promise<Response> {
    return fetch(`${this.url}${route}`, { signal: AbortSignal.timeout(10_000) });
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests compare what comes
  async post(route: string, body: unknown): Promise<{ status: number; json: any }> {
    const response = await fetch(`${this.url}${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    return { status: response.status, json: await response.json() };
  }

  async engines(): Promise<SeenEngine[]> {
    return ((await (await this.get('/v1/engines')).json()) as { items: SeenEngine[] }).items;
  }

  async engine(name: string): Promise<SeenEngine> {
    const found = (await this.engines()).find((engine) => engine.name === name);
    if (found === undefined) throw new Error(`no engine ${name}`);
    return found;
  }

  reaches(name: string, states: readonly string[]): Promise<SeenEngine> {
    return vi.waitFor(async () => {
      const engine = await this.engine(name);
      expect(states, `${name}: ${engine.state.evidence}`).toContain(engine.state.name);
      return engine;
    }, soon);
  }

  eventsOf(engine: string): SeenEvent[] {
    return this.events.filter(({ data }) => data.engine === engine);
  }

  /** The context of an engine in the published format, and which of its sources failed, or stand as they were before. */
  async context(engine?: string) {
    const query = engine === undefined ? '' : `?engine=${encodeURIComponent(engine)}`;
    const response = await this.get(`/v1/context${query}`);
    expect(response.status).toBe(200);
    const context = (await response.json()) as { multi_source_data: unknown };
    const data = multiSourceDataSchema.parse(context.multi_source_data);
    const failed = Object.entries(data.sources).flatMap(([name, { state }]) =>
      state === 'error' || state === 'stale' ? [name] : [],
    );
    return { context, data, failed };
  }

  /** Has promtool find the metrics clean, where it is there. */
  async checkMetrics(): Promise<void> {
    if (noPromtool) return;
    const input = await (await this.get('/metrics')).text();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  }

  /** A metric by its labels. */
  async metrics() {
    const families = parsePrometheus(await (await this.get('/metrics')).text());
    return (name: string, labels: Record<string, string>): number | undefined =>
      families
        .get(name)
        ?.samples.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value;
  }

  /** Probes say that the bridge is well, whatever its engines do. */
  async checkProbes(): Promise<void> {
    for (const route of ['/livez', '/readyz']) expect((await this.get(route)).status).toBe(200);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.destroy();
    await this.#bridge[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function targets(engines: readonly NamedUrl[]): string {
  return JSON.stringify(
    engines.map(({ name, url }) => ({ targets: [url], labels: name === undefined ? {} : { name } })),
  );
}

/** A Prometheus server on loopback that scrapes what a test serves, and its query API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Answer {
  metric: Record<string, string>;
  /** Of an instant query: seconds, value. */
  value: [number, string];
  /** Of a range selector. */
  values: [number, string][];
}

/** Serves a body for each path; what is not there is 404. */
export async function serveBodies(
  bodyOf: (path: string) => Buffer | null,
): Promise<{ port: number; close: () => void }> {
  const server = http.createServer((request, response) => {
    const body = bodyOf(request.url ?? '');
    response.writeHead(body === null ? 404 : 200, { 'content-type': 'text/plain; version=0.0.4' }).end(body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

export class PrometheusServer {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #url: string;

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#process = child;
    this.#folder = folder;
    this.#url = url;
  }

  /** `scrapeConfigs` is YAML's younger brother JSON. */
  static async start(scrapeConfigs: object[]): Promise<PrometheusServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-prometheus-'));
    const config = path.join(folder, 'prometheus.yml');
    writeFileSync(config, JSON.stringify({ scrape_configs: scrapeConfigs }));
    const free = await serveBodies(() => null);
    free.close();
    const address = `127.0.0.1:${free.port}`;
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${address}`];
    const server = new PrometheusServer(spawn('prometheus', args, { stdio: 'ignore' }), folder, `http://${address}`);
    await until(async () => (await fetch(`${server.#url}/-/ready`)).ok);
    return server;
  }

  /** At a time in seconds, now where none is given. */
  async query(expression: string, time?: number): Promise<Answer[]> {
    const at = time === undefined ? {} : { time: time.toFixed(3) };
    const response = await fetch(`${this.#url}/api/v1/query?${new URLSearchParams({ query: expression, ...at })}`);
    const { status, data, error } = (await response.json()) as {
      status: string;
      data: { result: Answer[] };
      error: string;
    };
    if (status !== 'success') throw new Error(`${expression}: ${error}`);
    return data.result;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Asks until the answer is yes; the test's own deadline ends it otherwise. */
export async function until(yes: () => Promise<boolean>): Promise<void> {
  while (!(await yes().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 200));
}

export function prometheusNumber(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}

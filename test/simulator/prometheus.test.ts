/** The simulated /metrics before the judges from outside: promtool, and a Prometheus server that scrapes it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineSimulator } from '../../src/simulator/index.js';
import { sampleOf, typesOf } from './metrics-reader.js';

const installed = (command: string) => spawnSync(command, ['--version']).status === 0;

describe.skipIf(!installed('promtool'))('promtool (skipped: not installed)', { tags: ['slow'] }, () => {
  /** 0 fine, 3 a matter of style, 1 not to be parsed. */
  const check = (text: string) => spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });

  test.each([1, 3])('promtool accepts the body of %i engine(s) with remarks on style only', async (engines) => {
    const simulator = await EngineSimulator.start({ speed: 0, engines, model: { id: 'C:\\models\\"llama"' } });
    await simulator.advanceTo(60);
    const { status, stdout, stderr } = check(simulator.metrics);
    expect(`${stdout}${stderr}`).not.toMatch(/parsing error|error while/);
    expect([0, 3]).toContain(status);
    expect(check(simulator.metrics.slice(0, -10)).status).toBe(1); // the judge sees a body that is cut
    await simulator.close();
  });
});

describe.skipIf(!installed('prometheus'))('a Prometheus server (skipped: not installed)', { tags: ['slow'] }, () => {
  let folder = '';
  let prometheus: ChildProcess | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dtesn-prometheus-'));
  });
  afterAll(async () => {
    if (prometheus?.exitCode === null) {
      const ended = new Promise((resolve) => prometheus!.once('exit', resolve));
      prometheus.kill();
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  });

  async function ask<T>(port: number, question: string): Promise<T | null> {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${question}`).catch(() => null);
    return response?.ok ? ((await response.json()) as { data: T }).data : null;
  }

  async function scraping(url: string): Promise<number> {
    const port = await freePort();
    const file = path.join(folder, 'prometheus.yml');
    const targets = `static_configs: [{ targets: ['${new URL(url).host}'] }]`;
    const job = `job_name: simulator, scrape_interval: 200ms, scrape_timeout: 200ms, ${targets}`;
    await writeFile(file, `scrape_configs: [{ ${job} }]\n`);
    const options = [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`];
    prometheus = spawn('prometheus', [...options, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
    return port;
  }

  test('a Prometheus server stores ten minutes of virtual time as the simulation has them, with every type', {
    timeout: 120_000,
  }, async () => {
    const simulator = await EngineSimulator.start({ speed: 0, load: 0.9, engines: 2, seed: 4 });
    const port = await scraping(simulator.url);
    const value = async (name: string, engine: number) => {
      const query = encodeURIComponent(`aphrodite:${name}{engine="${engine}"}`);
      const data = await ask<{ result: { value: [number, string] }[] }>(port, `query?query=${query}`);
      return Number(data?.result[0]?.value[1] ?? Number.NaN);
    };
    for (let time = 50; time <= 600; time += 50) {
      await simulator.advanceTo(time);
      for (const [rank, core] of simulator.simulation.engines.entries()) {
        // Time stands still until the next round: what was scraped once is what there is.
        await expect
          .poll(() => value('generation_tokens_total', rank), { timeout: 30_000, interval: 50 })
          .toBe(core.statistics.generatedTokens);
        expect(await value('num_requests_running', rank)).toBe(core.running);
        expect(await value('num_requests_waiting', rank)).toBe(core.waiting);
        expect(await value('kv_cache_usage_perc', rank)).toBe(1 - core.freeBlocks / core.parameters.kvBlocks);
        expect(await value('iteration_tokens_total_count', rank)).toBe(
          sampleOf(simulator.metrics, 'aphrodite:iteration_tokens_total_count', { engine: String(rank) }),
        );
      }
    }
    const metadata = await ask<{ metric: string; type: string }[]>(port, 'targets/metadata?limit=10000');
    const scraped = new Map(metadata!.map(({ metric, type }) => [metric, type]));
    expect([...scraped].sort()).toEqual([...typesOf(simulator.metrics)].sort());
    await simulator.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return (address as { port: number }).port;
}

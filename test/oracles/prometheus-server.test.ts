// Rates, quantiles and values beside a real Prometheus server (Debian: prometheus) that scrapes what the test serves.
// Over a range of exactly the time between two scrapes rate() extrapolates nothing: it is (v2 - v1) / (t2 - t1).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deriveRates, type EngineRates, type Latency, parsePrometheus, type Rates } from '../../src/engine/index.js';
import { EngineSimulator } from '../../src/simulator/index.js';
import { bodies } from './bodies.js';
import { type Answer, PrometheusServer, prometheusNumber, serveBodies, until } from './prometheus-server.js';
import { noPrometheus } from './tools.js';

const bounds = ['0.001', '0.01', '0.1', '0.5', '1.0', '2.5', '10.0', '+Inf'];
const latencies = {
  timeToFirstTokenSeconds: 'time_to_first_token_seconds',
  interTokenSeconds: 'inter_token_latency_seconds',
  queueSeconds: 'request_queue_time_seconds',
  e2eSeconds: 'e2e_request_latency_seconds',
} as const;
const counters = {
  promptTokensPerSecond: 'prompt_tokens_total',
  generationTokensPerSecond: 'generation_tokens_total',
  finishesPerSecond: 'request_success_total',
  preemptionsPerSecond: 'num_preemptions_total',
  stepsPerSecond: 'iteration_tokens_total_count',
} as const;
/** More than are scraped before the test is over. */
const SCRAPES = 120;

/** The body of scrape k: two engines whose counters and histograms move by amounts that differ from scrape to scrape. */
function engineBody(k: number): string {
  const lines: string[] = [];
  /** A whole number that grows with k, in steps of its own. */
  const grown = (salt: number) => {
    let total = 0;
    for (let i = 0; i <= k; i++) total += (salt * 7919 + i * i * 104729 + i * salt * 31) % (17 + salt);
    return total;
  };
  for (const [i, counter] of Object.values(counters).entries()) {
    if (counter.endsWith('_count')) continue;
    const name = `vllm:${counter}`;
    lines.push(`# TYPE ${name} counter`);
    for (const engine of [0, 1]) lines.push(`${name}{engine="${engine}"} ${grown(i * 3 + engine + 1)}.5`);
  }
  for (const [i, histogram] of [...Object.values(latencies), 'iteration_tokens_total'].entries()) {
    const name = `vllm:${histogram}`;
    lines.push(`# TYPE ${name} histogram`);
    for (const engine of [0, 1]) {
      let count = 0;
      for (const [j, le] of bounds.entries()) {
        count += grown(i * 20 + engine * 10 + j + 5);
        lines.push(`${name}_bucket{engine="${engine}",le="${le}"} ${count}`);
      }
      lines.push(
        `${name}_sum{engine="${engine}"} ${grown(i + engine + 50) * 0.37}`,
        `${name}_count{engine="${engine}"} ${count}`,
      );
    }
  }
  for (const engine of [0, 1]) lines.push(`vllm:num_requests_running{engine="${engine}"} 3`);
  return `${lines.join('\n')}\n`;
}

/** What two simulated engines expose every five seconds of virtual time. */
async function simulatedBodies(): Promise<string[]> {
  const simulator = await EngineSimulator.start({ engines: 2, load: 0.8, seed: 5, speed: 0 });
  const texts: string[] = [];
  for (let k = 0; k < SCRAPES; k++) {
    await simulator.advanceTo(30 + 5 * k);
    texts.push(await (await fetch(`${simulator.url}/metrics`)).text());
  }
  await simulator.close();
  return texts;
}

describe.skipIf(noPrometheus)('beside a Prometheus server (skipped: no prometheus)', { tags: ['slow'] }, () => {
  const streams = {
    made: { prefix: 'vllm:', body: engineBody, served: [] as string[] },
    simulated: { prefix: 'aphrodite:', body: (k: number) => simulated[k]!, served: [] as string[] },
  };
  let simulated: string[];
  const whole = bodies(20261123).slice(0, 400);
  let site: { port: number; close: () => void };
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    simulated = await simulatedBodies();
    site = await serveBodies((url) => {
      const stream = streams[url.slice(1) as keyof typeof streams];
      if (stream !== undefined)
        return Buffer.from(stream.served[stream.served.push(stream.body(stream.served.length)) - 1]!);
      return whole[Number(url.slice('/bodies/'.length))] ?? null;
    });
    const target = (labels: object) => ({ targets: [`127.0.0.1:${site.port}`], labels });
    prometheus = await PrometheusServer.start([
      ...Object.keys(streams).map((job_name) => ({
        ...{ job_name, scrape_interval: '1s', scrape_timeout: '1s', metrics_path: `/${job_name}` },
        static_configs: [target({})],
      })),
      {
        ...{ job_name: 'bodies', scrape_interval: '10s', honor_timestamps: false },
        static_configs: whole.map((_, i) => target({ __metrics_path__: `/bodies/${i}`, body_number: String(i) })),
      },
    ]);
  }, 60_000);
  afterAll(async () => {
    await prometheus?.close();
    site?.close();
  });

  test.each(['made', 'simulated'] as const)(
    'rates, means and quantiles of every two scrapes equal those of Prometheus to 1e-6: %s bodies',
    { timeout: 120_000 },
    async (job) => {
      const { prefix, body: bodyOf, served } = streams[job];
      await until(async () => served.length > 7);
      const [stored] = await prometheus.query(`${prefix}generation_tokens_total{engine="0",job="${job}"}[5m]`);
      const pairs = stored!.values
        .slice(1, 6)
        .map(([time, value], i) => ({ from: stored!.values[i]![0], to: time, value }));
      let compared = 0;
      for (const [i, { from, to, value }] of pairs.entries()) {
        const [before, after] = [served[i]!, served[i + 1]!].map((body) => parsePrometheus(body));
        const series = [...after!.values()].flatMap(({ samples }) => samples);
        const counted = series.find(
          ({ name, labels }) => name.endsWith(':generation_tokens_total') && labels['engine'] === '0',
        );
        expect(served[i + 1]).toBe(bodyOf(i + 1));
        expect(counted?.value).toBe(Number(value));
        const rates = deriveRates({ metrics: before!, timeSeconds: from }, { metrics: after!, timeSeconds: to });
        compared += await compare(rates, to, `${Math.round((to - from) * 1000)}ms`, prefix);
      }
      expect(compared).toBe(5 * 3 * (5 + 4 * 4));
    },
  );

  test('every value of 400 bodies equals the one that Prometheus stored', { timeout: 120_000 }, async () => {
    const taken = async () => (await prometheus.query('count(up{job="bodies"} == 1)'))[0]?.value[1];
    await until(async () => (await taken()) === String(whole.length));
    const answers = await prometheus.query('{job="bodies",__name__=~"m:.*"}');
    const stored = new Map<string, Answer[]>();
    for (const answer of answers) {
      const number = answer.metric['body_number']!;
      stored.set(number, [...(stored.get(number) ?? []), answer]);
    }
    for (const [i, body] of whole.entries()) {
      const ours = [...parsePrometheus(body).values()].flatMap(({ samples }) => samples);
      const seen = ours.map(({ name, labels, value }) => canonical({ ...labels, __name__: name }, value));
      expect(seen.sort()).toEqual(stored.get(String(i))?.map(theirs).sort());
    }
  });

  /** How many figures were compared: of each engine and of both. */
  async function compare(rates: Rates, time: number, range: string, prefix: string): Promise<number> {
    let compared = 0;
    const parts: [EngineRates, string][] = [
      [rates, 'engine=~".*"'],
      ...rates.engines.map((of): [EngineRates, string] => [of, `engine="${of.engine}"`]),
    ];
    const same = async (ours: number | null, expression: string) => {
      const [answer] = await prometheus.query(expression, time);
      const theirs = prometheusNumber(answer!.value[1]);
      if (Number.isNaN(theirs)) expect(ours, expression).toBeNull();
      else
        expect(Math.abs(ours! - theirs), `${expression}: ${ours} ${theirs}`).toBeLessThanOrEqual(
          1e-6 * Math.abs(theirs),
        );
      compared++;
    };
    for (const [figures, engine] of parts) {
      for (const [figure, name] of Object.entries(counters)) {
        await same(figures[figure as keyof typeof counters], `sum(rate(${prefix}${name}{${engine}}[${range}]))`);
      }
      for (const [figure, name] of Object.entries(latencies)) {
        const latency = figures[figure as keyof typeof latencies] as Latency;
        const rate = (suffix: string) => `rate(${prefix}${name}_${suffix}{${engine}}[${range}])`;
        await same(latency.mean, `sum(${rate('sum')}) / sum(${rate('count')})`);
        for (const [q, ours] of [
          [0.5, latency.p50],
          [0.9, latency.p90],
          [0.99, latency.p99],
        ] as const) {
          await same(ours, `histogram_quantile(${q}, sum by (le) (${rate('bucket')}))`);
        }
      }
    }
    return compared;
  }
});

function theirs({ metric, value }: Answer): string {
  const { instance, job, body_number, ...labels } = metric;
  return canonical(labels, prometheusNumber(value[1]));
}

function canonical(labels: Record<string, string>, value: number): string {
  return JSON.stringify([Object.entries(labels).sort(), Object.is(value, -0) ? '-0' : String(value)]);
}

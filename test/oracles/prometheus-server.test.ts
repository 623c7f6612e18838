// Rates, quantiles and values beside a real Prometheus server (Debian: prometheus) that scrapes what the test serves.
// Over a range of exactly the time between two scrapes rate() extrapolates nothing: it is (v2 - v1) / (t2 - t1).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deriveRates, type EngineRates, type Latency, parsePrometheus, type Rates } from '../../src/sources/index.js';
import { bodies } from './bodies.js';
import { type Answer, PrometheusServer, prometheusNumber, serveBodies, until } from './prometheus-server.js';
import { noPrometheus } from './tools.js';

const bounds = ['0.001', '0.01', '0.1', '0.5', '1.0', '2.5', '10.0', '+Inf'];
const latencies = {
  timeToFirstToken: 'vllm:time_to_first_token_seconds',
  interTokenLatency: 'vllm:inter_token_latency_seconds',
  queueTime: 'vllm:request_queue_time_seconds',
  e2eLatency: 'vllm:e2e_request_latency_seconds',
} as const;
const counters = {
  promptTokensPerSecond: 'vllm:prompt_tokens_total',
  generationTokensPerSecond: 'vllm:generation_tokens_total',
  finishesPerSecond: 'vllm:request_success_total',
  preemptionsPerSecond: 'vllm:num_preemptions_total',
  stepsPerSecond: 'vllm:iteration_tokens_total_count',
} as const;

/** The body of scrape k: two engines whose counters and histograms move by amounts that differ from scrape to scrape. */
function engineBody(k: number): string {
  const lines: string[] = [];
  /** A whole number that grows with k, in steps of its own. */
  const grown = (salt: number) => {
    let total = 0;
    for (let i = 0; i <= k; i++) total += (salt * 7919 + i * i * 104729 + i * salt * 31) % (17 + salt);
    return total;
  };
  for (const [i, name] of Object.values(counters).entries()) {
    if (name.endsWith('_count')) continue;
    lines.push(`# TYPE ${name} counter`);
    for (const engine of [0, 1]) lines.push(`${name}{engine="${engine}"} ${grown(i * 3 + engine + 1)}.5`);
  }
  for (const [i, name] of [...Object.values(latencies), 'vllm:iteration_tokens_total'].entries()) {
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

describe.skipIf(noPrometheus)('beside a Prometheus server (skipped: no prometheus)', () => {
  const served: string[] = [];
  const whole = bodies(20261123).slice(0, 400);
  let site: { port: number; close: () => void };
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    site = await serveBodies((url) => {
      if (url === '/metrics') return Buffer.from(served[served.push(engineBody(served.length)) - 1]!);
      return whole[Number(url.slice('/bodies/'.length))] ?? null;
    });
    const target = (labels: object) => ({ targets: [`127.0.0.1:${site.port}`], labels });
    prometheus = await PrometheusServer.start([
      { job_name: 'engine', scrape_interval: '1s', scrape_timeout: '1s', static_configs: [target({})] },
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

  test('rates, means and quantiles of every two scrapes agree to 1e-6', { timeout: 120_000 }, async () => {
    await until(async () => served.length > 7);
    const [stored] = await prometheus.query('vllm:generation_tokens_total{engine="0"}[5m]');
    const pairs = stored!.values
      .slice(1, 6)
      .map(([time, value], i) => ({ from: stored!.values[i]![0], to: time, value }));
    let compared = 0;
    for (const [i, { from, to, value }] of pairs.entries()) {
      const [before, after] = [served[i]!, served[i + 1]!].map((body) => parsePrometheus(body));
      expect(engineBody(i + 1)).toContain(`vllm:generation_tokens_total{engine="0"} ${value}\n`);
      const rates = deriveRates({ metrics: before!, time: from }, { metrics: after!, time: to });
      compared += await compare(rates, to, `${Math.round((to - from) * 1000)}ms`);
    }
    expect(compared).toBe(5 * 3 * (5 + 4 * 4));
  });

  test('every value of 400 bodies is the one that Prometheus stored', { timeout: 120_000 }, async () => {
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
  async function compare(rates: Rates, time: number, range: string): Promise<number> {
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
        await same(figures[figure as keyof typeof counters], `sum(rate(${name}{${engine}}[${range}]))`);
      }
      for (const [figure, name] of Object.entries(latencies)) {
        const latency = figures[figure as keyof typeof latencies] as Latency;
        const rate = (suffix: string) => `rate(${name}_${suffix}{${engine}}[${range}])`;
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

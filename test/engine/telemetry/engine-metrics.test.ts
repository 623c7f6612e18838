import { describe, expect, test } from 'vitest';
import { deriveRates, engineMetrics, parsePrometheus } from '../../../src/engine/index.js';
import { metricsBody } from '../../faults/engine-server.js';

const figures = (body: string) => engineMetrics(parsePrometheus(body));

test('counts are summed over the ranks, and KV usage is given as mean and maximum', () => {
  const { engines, ...all } = figures(metricsBody);
  expect(engines.map(({ engine }) => engine)).toEqual(['0', '1']);
  expect(all).toEqual({
    engineType: 'aphrodite',
    running: 24,
    waiting: 2,
    waitingByReason: { capacity: 1, deferred: 1 },
    inferenceSeconds: 620.5,
    kvUsageMean: 0.375,
    kvUsageMax: 0.5,
    requestsByReason: { stop: 160, error: 3 },
    requestsTotal: 163,
    errors: 3,
    promptTokens: 1000,
    generationTokens: 5712,
    preemptions: 4,
    iterationCount: 2500,
    sleeping: false,
    kvBlocks: { num: 1500, blockSize: 16 },
    kvTokensCapacity: 24000,
    processStartSeconds: 1795379640.9,
    unknown: [],
  });
});

test('each engine has its own figures, unknown where it has no series', () => {
  const [first, second] = figures(metricsBody).engines;
  expect(first).toMatchObject({ engine: '0', running: 19, waiting: 2, kvUsageMean: 0.5, kvUsageMax: 0.5, unknown: [] });
  expect(first).toMatchObject({ requestsByReason: { stop: 152, error: 3 }, kvBlocks: { num: 1000, blockSize: 16 } });
  expect(second).toMatchObject({ engine: '1', running: 5, requestsByReason: { stop: 8 }, kvTokensCapacity: 8000 });
  expect(second?.unknown).toEqual([
    ...['waitingByReason', 'errors', 'promptTokens', 'generationTokens', 'preemptions'],
    ...['inferenceSeconds', 'iterationCount', 'sleeping'],
  ]);
});

test('any text is accepted as a finish reason', () => {
  const reasons = ['constructor', '__proto__', 'stop'];
  const body = reasons.map((reason) => `vllm:request_success_total{finished_reason="${reason}"} 2\n`).join('');
  const { requestsByReason } = figures(`# TYPE vllm:request_success_total counter\n${body}`);
  expect(Object.entries(requestsByReason ?? {})).toEqual(reasons.map((reason) => [reason, 2]));
});

test('engines are sorted by number', () => {
  const body = [10, 9, 2].map((engine) => `vllm:num_requests_running{engine="${engine}"} ${engine}\n`).join('');
  expect(figures(body).engines.map(({ engine, running }) => [engine, running])).toEqual([
    ['2', 2],
    ['9', 9],
    ['10', 10],
  ]);
});

test('SGLang metrics are read by their names, KV usage from token counts when there is no ratio', () => {
  const body =
    'sglang:num_running_reqs{model_name="m"} 3\nsglang:num_queue_reqs{model_name="m"} 1\n' +
    'sglang:num_used_tokens{model_name="m"} 250\nsglang:max_total_num_tokens{model_name="m"} 1000\n' +
    '# TYPE sglang:generation_tokens_total counter\nsglang:generation_tokens_total{model_name="m"} 77\n';
  expect(figures(body)).toMatchObject({
    ...{
      engineType: 'sglang',
      running: 3,
      waiting: 1,
      kvUsageMean: 0.25,
      kvTokensCapacity: 1000,
      generationTokens: 77,
    },
    engines: [{ engine: '' }],
  });
  expect(figures(`${body}sglang:token_usage{model_name="m"} 0.5\n`).kvUsageMean).toBe(0.5);
  expect(figures(body).unknown).toContain('requestsTotal');
});

describe('SGLang with a series for each rank', () => {
  const gauge = (name: string, ranks: [labels: string, value: number][]) =>
    ranks.map(([labels, value]) => `sglang:${name}{model_name="m",${labels}} ${value}\n`).join('');
  const tp = (values: number[]) =>
    values.map((value, i): [string, number] => [`moe_ep_rank="${i}",pp_rank="0",tp_rank="${i}"`, value]);

  test('SGLang ranks that work on the same requests count once, with the greatest value', () => {
    const body =
      gauge('num_running_reqs', tp([3, 3, 2, 3])) + gauge('max_total_num_tokens', tp([900, 1000, 1000, 1000]));
    expect(figures(body)).toMatchObject({ running: 3, kvTokensCapacity: 1000, engines: [{ engine: '', running: 3 }] });
    const pipeline: [string, number][] = [
      ['pp_rank="0",tp_rank="0"', 3],
      ['pp_rank="1",tp_rank="0"', 4],
    ];
    expect(figures(gauge('num_running_reqs', pipeline)).running).toBe(4);
  });

  test('data-parallel ranks of SGLang are engines whose counts are summed', () => {
    const ranks = ['0', '1'].flatMap((dp) =>
      tp([2, 2]).map(([labels, value]): [string, number] => [`dp_rank="${dp}",${labels}`, value + Number(dp)]),
    );
    const body = gauge('num_running_reqs', ranks);
    expect(figures(body)).toMatchObject({
      running: 5,
      engines: [
        { engine: '0', running: 2 },
        { engine: '1', running: 3 },
      ],
    });
  });

  test('of the histograms of an SGLang group the one with most observations is read', () => {
    const name = 'sglang:time_to_first_token_seconds';
    const rank = (tp: number, count: number) =>
      `${name}_bucket{tp_rank="${tp}",le="+Inf"} ${count}\n${name}_sum{tp_rank="${tp}"} ${count / 2}\n` +
      `${name}_count{tp_rank="${tp}"} ${count}\n`;
    const scrape = (a: number, b: number, time: number) => ({
      metrics: parsePrometheus(`# TYPE ${name} histogram\n${rank(0, a)}${rank(1, b)}`),
      timeSeconds: time,
    });
    expect(deriveRates(scrape(10, 10, 0), scrape(14, 13, 1)).timeToFirstTokenSeconds).toMatchObject({
      count: 4,
      mean: 0.5,
    });
  });

  test('a figure is unknown when one rank of SGLang reports NaN', () => {
    expect(figures(gauge('num_running_reqs', tp([3, Number.NaN]))).running).toBeNull();
  });
});

describe('vLLM under Ray Serve', () => {
  const worker = (id: string, running: number, tokens: number) => {
    const labels = `Component="core_worker",NodeAddress="10.0.0.1",SessionName="s",WorkerId="${id}",engine="0",model_name="m"`;
    return { running: `{${labels}} ${running}`, tokens: `{${labels}} ${tokens}` };
  };
  const workers = [worker('b', 2, 20), worker('a', 3, 50)];
  const bodyOf = (prefix: string, total: string) =>
    [
      `# TYPE ${prefix}num_requests_running gauge`,
      ...workers.map(({ running }) => `${prefix}num_requests_running${running}`),
      `# TYPE ${prefix}generation_tokens${total} counter`,
      ...workers.map(({ tokens }) => `${prefix}generation_tokens${total}${tokens}`),
      'ray_node_cpu_utilization{SessionName="s"} 12\n',
    ].join('\n');

  test.each([
    ['ray_vllm:', '_total'],
    ['ray_vllm_', '_total'],
    ['ray_vllm:', ''],
  ])(
    'vLLM under Ray Serve is read with the prefix %s and counter suffix %j, each worker as an engine',
    (prefix, total) => {
      expect(figures(bodyOf(prefix, total))).toMatchObject({
        ...{ engineType: 'vllm', running: 5, generationTokens: 70 },
        engines: [
          { engine: 'a', running: 3, generationTokens: 50 },
          { engine: 'b', running: 2, generationTokens: 20 },
        ],
      });
    },
  );
});

test('llama.cpp metrics are read by their names', () => {
  const body =
    'llamacpp:requests_processing 2\nllamacpp:requests_deferred 1\n# TYPE llamacpp:prompt_tokens_total counter\n' +
    'llamacpp:prompt_tokens_total 10\n# TYPE llamacpp:tokens_predicted_total counter\nllamacpp:tokens_predicted_total 20\n';
  expect(figures(body)).toMatchObject({
    ...{ engineType: 'llamacpp', running: 2, waiting: 1, promptTokens: 10, generationTokens: 20, kvUsageMean: null },
  });
});

test('the tokens of TGI are the sums of its histograms', () => {
  const body =
    '# TYPE tgi_batch_current_size gauge\ntgi_batch_current_size 4\n# TYPE tgi_queue_size gauge\ntgi_queue_size 0\n' +
    '# TYPE tgi_request_generated_tokens histogram\ntgi_request_generated_tokens_bucket{le="+Inf"} 2\n' +
    'tgi_request_generated_tokens_sum 64\ntgi_request_generated_tokens_count 2\n';
  expect(figures(body)).toMatchObject({ engineType: 'tgi', running: 4, waiting: 0, generationTokens: 64 });
});

test.each([
  ['vllm:', 'vllm'],
  ['vllm_', 'vllm'],
  ['aphrodite_', 'aphrodite'],
])('the prefix %s gives the same figures', (prefix, engineType) => {
  expect(figures(metricsBody.replaceAll('aphrodite:', prefix))).toEqual({ ...figures(metricsBody), engineType });
});

test('OpenMetrics counters declared without _total give the same figures', () => {
  const body = metricsBody
    .replace(/# TYPE (\S+)_total counter/g, '# TYPE $1 counter')
    .replace(/.*_created.*\n/g, '')
    .concat('# EOF\n');
  expect(figures(body)).toEqual(figures(metricsBody));
});

test('KV usage is read by its older name, and by the newer one when both are present', () => {
  const old = metricsBody.replaceAll('kv_cache_usage_perc', 'gpu_cache_usage_perc');
  expect(figures(old).kvUsageMean).toBe(0.375);
  expect(figures(`${metricsBody}aphrodite:gpu_cache_usage_perc 0.9\n`).kvUsageMax).toBe(0.5);
});

test('every figure is null and named in unknown when the metrics have no series of an engine', () => {
  const unknown = figures('python_info 1\n');
  expect(unknown.running).toBeNull();
  expect(unknown.engines).toEqual([]);
  expect(unknown.unknown).toEqual(Object.keys(unknown).filter((name) => name !== 'unknown' && name !== 'engines'));
});

test('a series that is not a number is unknown, not zero', () => {
  const body = metricsBody.replace('running{engine="1",model_name="m"} 5.0', 'running{engine="1",model_name="m"} NaN');
  expect(figures(body)).toMatchObject({ running: null, unknown: ['running'] });
});

test('the KV capacity is unknown when the engine has not counted its blocks', () => {
  const body = metricsBody.replace('num_gpu_blocks="500"', 'num_gpu_blocks="None"');
  expect(figures(body)).toMatchObject({ kvBlocks: null, kvTokensCapacity: null });
});

test('an engine is sleeping when one rank sleeps', () => {
  const body = metricsBody.replace('sleep_state="awake"} 1.0', 'sleep_state="awake"} 0.0');
  expect(figures(body).sleeping).toBe(true);
});

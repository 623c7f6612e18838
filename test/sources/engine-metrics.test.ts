import { expect, test } from 'vitest';
import { engineMetrics, parsePrometheus } from '../../src/sources/index.js';
import { metricsBody } from '../faults/engine-server.js';

const figures = (body: string) => engineMetrics(parsePrometheus(body));

test('counts are summed over the ranks, the KV usage is their mean and maximum', () => {
  expect(figures(metricsBody)).toEqual({
    engineType: 'aphrodite',
    running: 24,
    waiting: 2,
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
    processStartTime: 1795379640.9,
    unknown: [],
  });
});

test.each([
  ['vllm:', 'vllm'],
  ['vllm_', 'vllm'],
  ['aphrodite_', 'aphrodite'],
])('the names %s give the same figures', (prefix, engineType) => {
  expect(figures(metricsBody.replaceAll('aphrodite:', prefix))).toEqual({ ...figures(metricsBody), engineType });
});

test('the counters of OpenMetrics, typed without _total, give the same figures', () => {
  const body = metricsBody
    .replace(/# TYPE (\S+)_total counter/g, '# TYPE $1 counter')
    .replace(/.*_created.*\n/g, '')
    .concat('# EOF\n');
  expect(figures(body)).toEqual(figures(metricsBody));
});

test('the KV usage is read under its older name, and under the newer where both are', () => {
  const old = metricsBody.replaceAll('kv_cache_usage_perc', 'gpu_cache_usage_perc');
  expect(figures(old).kvUsageMean).toBe(0.375);
  expect(figures(`${metricsBody}aphrodite:gpu_cache_usage_perc 0.9\n`).kvUsageMax).toBe(0.5);
});

test('without the engine’s series every figure is unknown and named', () => {
  const unknown = figures('python_info 1\n');
  expect(unknown.running).toBeNull();
  expect(unknown.unknown).toEqual(Object.keys(unknown).filter((name) => name !== 'unknown'));
});

test('a series that is not a number is unknown, not zero', () => {
  const body = metricsBody.replace('running{engine="1",model_name="m"} 5.0', 'running{engine="1",model_name="m"} NaN');
  expect(figures(body)).toMatchObject({ running: null, unknown: ['running'] });
});

test('blocks that the engine has not counted are unknown', () => {
  const body = metricsBody.replace('num_gpu_blocks="500"', 'num_gpu_blocks="None"');
  expect(figures(body)).toMatchObject({ kvBlocks: null, kvTokensCapacity: null });
});

test('one rank asleep is a sleeping engine', () => {
  const body = metricsBody.replace('sleep_state="awake"} 1.0', 'sleep_state="awake"} 0.0');
  expect(figures(body).sleeping).toBe(true);
});

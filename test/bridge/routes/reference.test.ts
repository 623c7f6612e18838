/** The routes of the Python implementation, of the running command over a socket. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningBridge, runningBridge } from '../running-bridge.js';

let bridge: RunningBridge;
beforeAll(async () => {
  bridge = await runningBridge();
}, 60_000);
afterAll(() => bridge[Symbol.asyncDispose]());

// biome-ignore lint/suspicious/noExplicitAny: tests compare what comes
async function post(path: string, body: object): Promise<{ status: number; json: any }> {
  const response = await fetch(`${bridge.url}/deep_tree_echo/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: await response.json() };
}

test('an answer has the times under the names of the Python implementation, which add up', async () => {
  const { status, json } = await post('process', { input_data: 'hello' });
  expect([status, json.status, json.server_rendered]).toEqual([200, 'success', true]);
  const { total_processing_time_ms: total, dtesn_processing_time_ms: dtesn, ...rest } = json.performance_metrics;
  expect(Object.keys(rest)).toEqual(['overhead_ms', 'throughput_chars_per_second']);
  expect(json.processing_time_ms).toBe(total);
  expect(dtesn).toBeGreaterThan(0);
  expect(dtesn + rest.overhead_ms).toBeCloseTo(total, 6);
  expect(rest.throughput_chars_per_second).toBeCloseTo(5000 / total, 6);
});

test.each(['server_side', 'streaming', 'batch'])('the mode %s has the same result', async (processing_mode) => {
  const plain = await post('process', { input_data: 'hello' });
  const { status, json } = await post('process', { input_data: 'hello', processing_mode });
  expect(status).toBe(200);
  expect(json.result.output).toEqual(plain.json.result.output);
});

test.each<[string, object, number, string]>([
  ['another mode', { processing_mode: 'fast' }, 400, 'malformed'],
  ['another format', { output_format: 'compressed' }, 400, 'malformed'],
  ['another size of the reservoir', { esn_size: 512 }, 422, 'impossible'],
  ['another depth', { membrane_depth: 9 }, 422, 'impossible'],
])('%s is refused', async (_, fields, status, code) => {
  const answer = await post('process', { input_data: 'hello', ...fields });
  expect([answer.status, answer.json.error.code]).toEqual([status, code]);
});

test('a batch has an entry an input in their order, and counts them', async () => {
  const options = { parallel_processing: false, max_batch_size: 5, esn_size: 64 };
  const { status, json } = await post('batch_process', { inputs: ['one', 'two'], ...options });
  expect(status).toBe(200);
  expect(json).toMatchObject({ status: 'completed', batch_size: 2, successful_count: 2, failed_count: 0 });
  const entries = json.results.map((one: { input_index: number; status: string; result: { input: string } }) => [
    one.input_index,
    one.status,
    one.result.input,
  ]);
  expect(entries).toEqual([
    [0, 'success', 'one'],
    [1, 'success', 'two'],
  ]);
});

/** The command while the memory of its control group is nearly used up. */
import { expect, test } from 'vitest';
import { call } from '../durability/fed-session.js';
import { stateBridge } from '../durability/state-bridge.js';
import { withMemory } from './preload.js';

test('above 85 % of the memory new sessions and bodies are 429 memory, what needs none is served, and it recovers', async () => {
  const bridge = await stateBridge(null, {}, withMemory());
  const { url } = bridge;
  const ratio = async () =>
    Number(/^dtesn_memory_used_ratio (\S+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  const post = async (route: string, body: object) => {
    const answer = await fetch(url + route, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { headers, status } = answer;
    return {
      status,
      reason: headers.get('x-dtesn-reason'),
      after: headers.get('retry-after'),
      json: await answer.json(),
    };
  };
  expect(await ratio()).toBeCloseTo(0.5, 6);
  expect((await post('/v1/sessions', { id: 'a', outputs: [0] })).status).toBe(201);
  bridge.process.kill('SIGUSR2');
  await expect.poll(ratio).toBeCloseTo(0.9, 6);
  const shed = [
    await post('/v1/sessions', { id: 'b', outputs: [0] }),
    await post('/v1/process', { text: 'a' }),
    await post('/v1/process/batch', { inputs: [{ text: 'a' }] }),
  ];
  const frame = await fetch(`${url}/v1/process`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'x-dtesn-dtype': 'f32', 'x-dtesn-shape': '1,16' },
    body: new Float32Array(16),
  });
  expect([frame.status, (await frame.json()).error.code]).toEqual([429, 'memory']);
  for (const { status, reason, after, json } of shed) {
    expect([status, reason, json.error.code]).toEqual([429, 'memory', 'memory']);
    expect(Number(after)).toBeGreaterThanOrEqual(1);
  }
  for (const route of ['/readyz', '/livez', '/v1/engines', '/v1/status', '/v1/sessions/a']) {
    expect([route, (await fetch(url + route)).status]).toEqual([route, 200]);
  }
  const counted = await (await fetch(`${url}/metrics`)).text();
  expect(counted).toMatch(/^dtesn_shed_total\{reason="memory"\} 4$/m);
  expect((await call(url, '/v1/sessions/a', 'DELETE')).status).toBe(200);
  bridge.process.kill('SIGUSR2');
  await expect.poll(ratio).toBeCloseTo(0.5, 6);
  expect((await post('/v1/sessions', { id: 'b', outputs: [0] })).status).toBe(201);
  expect((await post('/v1/process', { text: 'a' })).status).toBe(200);
});

/**
 * The queue of the running server while the model is held: budgets, aborts, priorities, shares of clients.
 *
 * @module-tag slow
 */
import { expect, test } from 'vitest';
import { heldBridge } from './held-bridge.js';

test('a request that is not begun within its budget is 504 while others are served, and one with time left is answered', async () => {
  await using held = await heldBridge({});
  await held.hold();
  const start = performance.now();
  const patient = held.send('patient', { headers: { 'x-dtesn-budget-ms': '60000' } });
  const late = await held.send('late', { headers: { 'x-dtesn-budget-ms': '150' } });
  expect([late.status, late.json.error?.code]).toEqual([504, 'budget']);
  expect(late.headers.get('x-request-id')).not.toBeNull();
  expect(performance.now() - start).toBeGreaterThan(140);
  expect((await fetch(`${held.bridge.url}/v1/engines`)).status).toBe(200);
  held.letGo();
  expect((await patient).status).toBe(200);
  expect(held.begun()).not.toContain('late');
  const soon = await held.send('soon', { headers: { 'x-dtesn-budget-ms': '20000' } });
  expect(soon.status).toBe(200);
  expect(await held.metric('dtesn_shed_total{reason="budget"}')).toBe(1);
});

test('a budget that is no whole number of milliseconds above 0 is 400', async () => {
  await using held = await heldBridge({});
  for (const budget of ['0', '-1', '1.5', 'soon', '1e3', '9999999999']) {
    const { status, json } = await held.send('a', { headers: { 'x-dtesn-budget-ms': budget } });
    expect([budget, status, json.error?.code]).toEqual([budget, 400, 'malformed']);
  }
});

test('a client that leaves frees its place, and its text is never begun', async () => {
  await using held = await heldBridge({ maxRequests: 6 });
  await held.hold();
  for (let round = 0; round < 5; round++) {
    const leaving = new AbortController();
    const left = [1, 2, 3].map((i) => held.send(`left ${round} ${i}`, { signal: leaving.signal }).catch(() => null));
    await expect.poll(() => held.metric('dtesn_queue_requests'), { timeout: 10_000 }).toBe(3);
    expect(await held.metric('dtesn_queue_bytes')).toBeGreaterThan(0);
    leaving.abort();
    await Promise.all(left);
    await expect.poll(() => held.metric('dtesn_queue_requests'), { timeout: 10_000 }).toBe(0);
    expect(await held.metric('dtesn_queue_bytes')).toBe(0);
  }
  const stays = held.send('stays');
  held.letGo();
  expect((await stays).status).toBe(200);
  expect(held.begun().filter((text) => text.startsWith('left'))).toEqual([]);
});

test('high overtakes low that waits, and low is not starved', async () => {
  await using held = await heldBridge({ maxRequests: 400 });
  await held.hold();
  const low = Array.from({ length: 120 }, (_, i) =>
    held.send(`held low ${i}`, { query: '?priority=low', client: '192.0.2.1' }),
  );
  await expect.poll(() => held.metric('dtesn_queue_requests'), { timeout: 10_000 }).toBeGreaterThan(60);
  // Full batches are prepared ahead; what waits behind them is overtaken.
  const ahead = held.begun().filter((text) => text.startsWith('held low')).length;
  const waiting = await held.metric('dtesn_queue_requests');
  const high = Array.from({ length: 20 }, (_, i) =>
    held.send(`high ${i}`, { query: '?priority=high', client: '192.0.2.2' }),
  );
  await expect.poll(() => held.metric('dtesn_queue_requests'), { timeout: 10_000 }).toBe(waiting + 20);
  held.letGo();
  const answers = await Promise.all([...low, ...high]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const order = held.begun().filter((text) => text.startsWith('held low') || text.startsWith('high'));
  const lastHigh = Math.max(...high.map((_, i) => order.indexOf(`high ${i}`)));
  // 16 high to 1 low: 20 high have gone after two low ones, but for the order within a batch.
  const overtaken = order.length - 1 - lastHigh;
  expect(ahead).toBeLessThan(60);
  expect(overtaken).toBeGreaterThan(waiting / 2);
});

test('one client may hold half of the queue: 429 client_share with Retry-After, while another is admitted', async () => {
  await using held = await heldBridge({ maxRequests: 8 });
  await held.hold();
  const first = Array.from({ length: 4 }, (_, i) => held.send(`first ${i}`, { client: '192.0.2.1' }));
  await expect.poll(() => held.metric('dtesn_queue_requests'), { timeout: 10_000 }).toBe(4);
  const more = await held.send('more', { client: '192.0.2.1' });
  expect([more.status, more.json.error?.code]).toEqual([429, 'client_share']);
  expect(more.headers.get('x-dtesn-reason')).toBe('client_share');
  expect(Number(more.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  const second = Array.from({ length: 3 }, (_, i) => held.send(`second ${i}`, { client: '192.0.2.2' }));
  await expect.poll(() => held.metric('dtesn_queue_requests'), { timeout: 10_000 }).toBe(7);
  const third = held.send('third', { client: '192.0.2.3' });
  await expect
    .poll(async () => (await held.metric('dtesn_queue_requests')) + held.begun().length)
    .toBeGreaterThanOrEqual(8);
  held.letGo();
  for (const { status } of await Promise.all([...first, ...second, third])) expect(status).toBe(200);
  expect(await held.metric('dtesn_shed_total{reason="client_share"}')).toBe(1);
});

test('a request that waits longer than queueTtlMs is 429 queue_age, one beyond all places queue_full', async () => {
  await using held = await heldBridge({ maxRequests: 4, queueTtlMs: 400 });
  await held.hold();
  const waiting = ['1', '1', '2', '2'].map((host, i) => held.send(`w${i}`, { client: `192.0.2.${host}` }));
  await expect.poll(() => held.metric('dtesn_queue_requests'), { timeout: 10_000 }).toBe(4);
  const [full, ...aged] = await Promise.all([held.send('full', { client: '192.0.2.3' }), ...waiting]);
  expect([full.status, full.headers.get('x-dtesn-reason')]).toEqual([429, 'queue_full']);
  for (const { status, headers, json } of aged) {
    expect([status, json.error?.code, headers.get('x-dtesn-reason')]).toEqual([429, 'queue_age', 'queue_age']);
  }
});

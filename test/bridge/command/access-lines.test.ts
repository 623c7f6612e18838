/** The lines that the command logs of requests, and what they never hold. */
import { describe, expect, test } from 'vitest';
import { runningBridge } from '../running-bridge.js';
import { heldBridge } from './held-bridge.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

type Line = Record<string, unknown>;
function linesOf(log: string): Line[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}
const accessLines = (log: string) => linesOf(log).filter(({ reqId }) => reqId !== undefined);

describe('of requests the command logs', () => {
  test('those of 500 and above, those that were shed and the slow ones, with the trace id of traceparent', async () => {
    await using held = await heldBridge({ maxRequests: 2 });
    await held.hold();
    const as = (id: string) => ({ 'x-request-id': id, traceparent });
    const late = await held.send('a', {
      headers: { ...as('late'), 'x-dtesn-budget-ms': '50' },
      query: '?priority=low',
    });
    expect([late.status, late.headers.get('traceparent')]).toEqual([504, traceparent]);
    const slow = held.send('b', { headers: as('slow'), client: '192.0.2.1' });
    await expect.poll(() => held.metric('dtesn_queue_requests'), { timeout: 10_000 }).toBe(1);
    expect((await held.send('c', { headers: as('shed'), client: '192.0.2.1' })).status).toBe(429);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    held.letGo();
    expect((await slow).status).toBe(200);
    expect((await held.send('quick', { headers: as('quick') })).status).toBe(200);
    await fetch(`${held.bridge.url}/v1/nothing?canary-query=1`, { headers: as('lost') });
    await expect
      .poll(() => accessLines(held.bridge.log()).map(({ reqId }) => reqId), { timeout: 10_000 })
      .toContain('slow');
    const lines = accessLines(held.bridge.log()).filter(({ reqId }) => !String(reqId).includes('-'));
    const common = { route: '/v1/process', traceId, ms: expect.any(Number), bytes: expect.any(Number) };
    expect(lines).toEqual([
      expect.objectContaining({ ...common, reqId: 'late', level: 'error', status: 504, code: 'budget' }),
      expect.objectContaining({ ...common, reqId: 'shed', level: 'warn', status: 429, code: 'client_share' }),
      expect.objectContaining({ ...common, reqId: 'slow', level: 'info', status: 200 }),
    ]);
    expect(held.bridge.log()).not.toMatch(/canary|priority=low/);
  });

  test('one in a thousand of the others at the level debug, by the template of its route, without its query', async () => {
    await using bridge = await runningBridge({ args: ['--log-level', 'debug'] });
    const ask = (i: number) =>
      fetch(`${bridge.url}/v1/sessions/canary-id-${i}?canary-query=1`, { headers: { traceparent } }).then((answer) =>
        answer.text(),
      );
    for (let i = 0; i < 1500; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => ask(i + j)));
    const sampled = () => accessLines(bridge.log()).filter(({ msg }) => msg !== 'slow request');
    await expect.poll(() => sampled().length, { timeout: 10_000 }).toBe(2);
    for (const line of sampled()) {
      expect(line).toMatchObject({ level: 'debug', msg: 'request', route: '/v1/sessions/:id', status: 400, traceId });
    }
    expect(bridge.log()).not.toContain('canary');
  });

  test('no trace id where traceparent is not well-formed', async () => {
    await using bridge = await runningBridge({ args: ['--log-level', 'debug'] });
    const answer = await fetch(`${bridge.url}/v1/status`, { headers: { traceparent: '00-canary-trace-01' } });
    expect(answer.headers.get('traceparent')).toBeNull();
    await expect.poll(() => accessLines(bridge.log()).length, { timeout: 10_000 }).toBe(1);
    expect(accessLines(bridge.log())[0]).not.toHaveProperty('traceId');
    expect(bridge.log()).not.toContain('canary');
  });
});

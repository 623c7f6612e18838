/** Probes on the main listeners of the running command: what they add, what they refuse, and what they leave out of the log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closedPort } from '../../faults/engine-server.js';
import { type RunningBridge, runningBridge } from '../running-bridge.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-probes-'));
let bridge: RunningBridge;

beforeAll(async () => {
  bridge = await runningBridge({ args: ['--log-level', 'debug'] });
});
afterAll(async () => {
  await bridge[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const json = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>;
const lines = (log: string) =>
  log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('readiness with verbose says what engines, sources, disk and queue do', async () => {
  expect(await json(`${bridge.url}/readyz?verbose`)).toMatchObject({
    status: 'ok',
    conditions: { network: true },
    parts: {
      engines: expect.any(Object),
      sources: { errors: expect.any(Number), breakersOpen: 0 },
      disk: 'none',
      queue: { waiting: 0, streams: 0 },
    },
  });
  expect(await json(`${bridge.url}/readyz`)).not.toHaveProperty('parts');
  expect(await json(`${bridge.url}/livez?verbose`)).not.toHaveProperty('parts');
});

test('an engine that never answered shows in readiness with verbose and does not turn it', {
  timeout: 60_000,
}, async () => {
  const args = ['--engine', `http://127.0.0.1:${await closedPort()}`, '--state-dir', path.join(folder, 'state')];
  await using other = await runningBridge({ args });
  const detail = async () =>
    (await json(`${other.url}/readyz?verbose`)) as { status: string; parts: { engines: object } };
  await expect.poll(async () => (await detail()).parts.engines, { timeout: 30_000 }).toEqual({ loading: 1 });
  expect(await detail()).toMatchObject({ status: 'ok', parts: { disk: 'ok' } });
});

test.each([
  '/livez?a=1',
  '/readyz?verbose&a=1',
  '/metrics?a=1',
  '/v1/status?a=1',
  '/v1/engines?a=1',
  '/?a=1',
  '/openapi.json?a=1',
])('a parameter that no endpoint knows is refused: %s', async (target) => {
  const answer = await fetch(`${bridge.url}${target}`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: { code: 'unknown_field', message: expect.stringMatching(/ a /) },
  });
});

test('the address of the probe listener stands in the log and in the status, and answers', async () => {
  const { probes } = (await json(`${bridge.url}/v1/status`)) as { probes: string };
  expect(probes).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(lines(bridge.log())).toContainEqual(
    expect.objectContaining({ level: 'info', msg: 'probes', address: probes }),
  );
  expect((await fetch(`${probes}/readyz`)).status).toBe(200);
});

test('the start of the embedded simulation is one line of the log', async () => {
  expect(lines(bridge.log()).filter(({ msg }) => String(msg).includes('embedded simulation'))).toHaveLength(1);
});

test('while the bridge drains its probes answer 503 without a line of level error', {
  tags: ['slow'],
  timeout: 60_000,
}, async () => {
  await using draining = await runningBridge({ args: ['--log-level', 'debug'] });
  const open = new AbortController();
  await fetch(`${draining.url}/v1/events`, { signal: open.signal }); // a drain without connections ends early
  const ended = draining.end();
  await expect
    .poll(async () => (await fetch(`${draining.url}/readyz`)).status, { timeout: 4000, interval: 20 })
    .toBe(503);
  open.abort();
  expect(await ended).toBe(0);
  const served = lines(draining.log()).filter(({ route }) => route === '/readyz');
  expect(served.map(({ status }) => status)).toContain(503);
  expect(new Set(served.map(({ level }) => level))).toEqual(new Set(['debug']));
});

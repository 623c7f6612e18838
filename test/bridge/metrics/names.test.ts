/** The names of the families that the running command exposes follow the conventions of Prometheus. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningBridge, runningBridge } from '../running-bridge.js';

let bridge: RunningBridge;
let page = '';
const families: [name: string, type: string][] = [];
beforeAll(async () => {
  bridge = await runningBridge();
  const post = (path: string, body: object) =>
    fetch(`${bridge.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await post('/v1/process', { text: 'a' });
  await post('/v1/sessions', { id: 'a' });
  const observed = async () => expect((await post('/v1/pick', {})).status).toBe(200);
  await vi.waitFor(observed, { timeout: 20_000, interval: 50 });
  page = await (await fetch(`${bridge.url}/metrics`)).text();
  for (const [, name, type] of page.matchAll(/^# TYPE (\S+) (\S+)$/gm)) families.push([name!, type!]);
}, 60_000);
afterAll(() => bridge[Symbol.asyncDispose]());

test('each name has the prefix dtesn_, and no colon or capital', () => {
  expect(families.length).toBeGreaterThanOrEqual(20);
  expect(families.filter(([name]) => !/^dtesn_[a-z0-9]+(_[a-z0-9]+)*$/.test(name))).toEqual([]);
});

test('counters end in _total, and nothing else does', () => {
  expect(families.filter(([name, type]) => (type === 'counter') !== name.endsWith('_total'))).toEqual([]);
});

test('units are seconds, bytes and ratios', () => {
  const others =
    /_(ms|us|ns|milliseconds|millis|minutes|hours|kb|kib|mb|mib|gb|gib|kilobytes|megabytes|percent|pct)(_|$)/;
  expect(families.filter(([name]) => others.test(name))).toEqual([]);
});

test('the age of what was read of an engine is a gauge in seconds', () => {
  expect(page).toMatch(/^dtesn_source_age_seconds\{engine="embedded simulation",source="metrics"\} [\d.e-]+$/m);
});

/** What is wrong with an engine that answers, as the bridge tells it: events, items, metrics. */
import { afterEach, expect, test, vi } from 'vitest';
import { startSet, vllmServer } from './engine-under-test.js';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
const soon = { timeout: 20_000, interval: 20 };

test('an anomaly is an event with its evidence when it begins and when it ends, and is listed and counted meanwhile', async () => {
  const server = await vllmServer({ kvUsage: 0 });
  open.push(server);
  const { engines, metrics, told, types } = await startSet({ engines: [{ url: server.url, name: 'e' }] });
  open.push(engines);
  await vi.waitFor(() => expect(engines.list()[0]!.rates).not.toBeNull(), soon);
  expect(engines.list()[0]!.anomalies).toEqual([]);
  server.figures.kvUsage = 0.3;
  await vi.waitFor(() => expect(types('e')).toContain('anomaly'), soon);
  const leak = {
    kind: 'leak',
    rule: 'idle-kv',
    since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    evidence: [expect.stringContaining('30.0 % of the KV memory is held')],
  };
  const [event] = told.filter(({ type }) => type === 'anomaly');
  expect(event!.data).toMatchObject({ engine: 'e', ...leak, over: false });
  expect(Math.abs(Date.parse(String(event!.data['since'])) - Date.now())).toBeLessThan(20_000);
  expect(engines.list()[0]!.anomalies).toEqual([leak]);
  expect(engines.requests.outlook().items[0]!.anomalies).toEqual([leak]);
  expect(metrics.text()).toContain('dtesn_engine_anomaly{engine="e",kind="leak"} 1\n');
  expect(metrics.text()).toContain('dtesn_engine_anomalies_total{engine="e",kind="leak"} 1\n');
  expect(metrics.text()).toContain('dtesn_engine_anomalies_total{engine="e",kind="storm"} 0\n');
  server.figures.started = 5000;
  await vi.waitFor(
    () => expect(told.filter(({ type, data }) => type === 'anomaly' && data['over'] === true)).toHaveLength(1),
    soon,
  );
  expect(engines.list()[0]!.anomalies).toEqual([]);
  expect(metrics.text()).toContain('dtesn_engine_anomaly{engine="e",kind="leak"} 0\n');
  await engines.add({ url: 'http://127.0.0.1:9', name: 'other' });
  await engines.remove('e');
  expect(metrics.text()).not.toContain('engine="e"');
});

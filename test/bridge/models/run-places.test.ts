/** Places of model runs: two at once, bounds of those that wait, budgets, aborts, the end. */
import { expect, test } from 'vitest';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { RunPlaces } from '../../../src/bridge/sessions/run-places.js';
import { ManualClock } from '../../manual-clock.js';

function opened() {
  const clock = new ManualClock();
  const metrics = new MetricsRegistry();
  const places = new RunPlaces(clock, metrics.counter('dtesn_shed_total', 'Shed', ['reason']));
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  /** A run that lasts until its number is ended. */
  const run = (number: number, more: { client?: string; budgetMs?: number; signal?: AbortSignal } = {}) =>
    places.run({ client: String(number), ...more }, async (signal) => {
      begun.push(number);
      await new Promise<void>((resolve, reject) => {
        ends[number] = resolve;
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      return number;
    });
  const settle = () => new Promise((turn) => setImmediate(turn));
  return { clock, metrics, places, run, begun, settle, end: (number: number) => ends[number]!() };
}

test('two run, the others begin in the order of their arrival as places become free', async () => {
  const { run, begun, end, settle } = opened();
  const all = [run(0), run(1), run(2), run(3)];
  await settle();
  expect(begun).toEqual([0, 1]);
  end(1);
  await settle();
  expect(begun).toEqual([0, 1, 2]);
  end(0);
  await settle();
  for (const number of [2, 3]) end(number);
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
});

test('64 wait, 32 of them of one client', async () => {
  const { run, metrics, places, end } = opened();
  const first = [run(0), run(1)];
  const waiting = Array.from({ length: 32 }, (_, i) => run(2 + i, { client: 'one' }));
  await expect(run(99, { client: 'one' })).rejects.toMatchObject({ code: 'client_share' });
  waiting.push(...Array.from({ length: 32 }, (_, i) => run(40 + i)));
  await expect(run(99)).rejects.toMatchObject({ code: 'queue_full', status: 429 });
  expect(metrics.text()).toMatch(/dtesn_shed_total\{reason="queue_full"\} 1/);
  const ended = Promise.allSettled(waiting);
  const drained = places.drain();
  for (const outcome of await ended) expect(outcome).toMatchObject({ reason: { code: 'draining' } });
  for (const number of [0, 1]) end(number);
  await Promise.all([...first, drained, places.drain()]);
  await expect(run(99)).rejects.toMatchObject({ code: 'draining' });
});

test('a run that is not begun within its budget, or whose caller leaves, takes no place', async () => {
  const { run, begun, clock, end, settle } = opened();
  const running = [run(0), run(1)];
  const late = run(2, { budgetMs: 100 });
  const stop = new AbortController();
  const left = run(3, { signal: stop.signal });
  const last = run(4);
  const outcomes = Promise.allSettled([late, left]);
  await clock.pass(100);
  stop.abort(new Error('left'));
  end(0); // in the same turn as the abort
  expect(await outcomes).toMatchObject([{ reason: { code: 'budget' } }, { reason: { message: 'left' } }]);
  await settle();
  expect(begun).toEqual([0, 1, 4]);
  for (const number of [1, 4]) end(number);
  expect(await Promise.all([...running, last])).toEqual([0, 1, 4]);
});

test('a place that becomes free goes to a client that has none', async () => {
  const { run, begun, end, settle } = opened();
  const own = [0, 1, 2, 3].map((number) => run(number, { client: 'one' }));
  const other = run(4, { client: 'other' });
  await settle();
  end(0);
  await settle();
  expect(begun).toEqual([0, 1, 4]);
  end(4);
  await settle();
  expect(begun).toEqual([0, 1, 4, 2]); // no other client waits
  end(1);
  await settle();
  for (const number of [2, 3]) end(number);
  expect(await Promise.all([...own, other])).toEqual([0, 1, 2, 3, 4]);
});

test('a run that waits longer than its time is queue_age', async () => {
  const { run, places, clock, begun, end } = opened();
  places.setWait(500);
  const running = [run(0), run(1)];
  const outcomes = Promise.allSettled([run(2), run(3, { budgetMs: 900 }), run(4, { budgetMs: 100 })]);
  await clock.pass(500);
  const codes = (await outcomes).map((one) => (one as PromiseRejectedResult).reason.code);
  expect(codes).toEqual(['queue_age', 'queue_age', 'budget']);
  for (const number of [0, 1]) end(number);
  await Promise.all(running);
  expect(begun).toEqual([0, 1]);
});

test('the end aborts the runs under way with draining', async () => {
  const { run, places, settle } = opened();
  const outcomes = Promise.allSettled([run(0), run(1), run(2)]);
  await settle();
  await places.close();
  for (const one of await outcomes) expect(one).toMatchObject({ reason: { code: 'draining', status: 503 } });
});

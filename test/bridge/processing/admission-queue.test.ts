import { describe, expect, test } from 'vitest';
import { type Admission, AdmissionQueue, type QueueOptions } from '../../../src/bridge/processing/index.js';
import { ManualClock } from '../../manual-clock.js';
import { KeptMetrics } from './metrics.js';

function open(options: QueueOptions = {}) {
  const clock = new ManualClock();
  const metrics = new KeptMetrics();
  const queue = new AdmissionQueue<string>(metrics, { clock, ...options });
  const shed: { item: string; error: unknown }[] = [];
  const admit = (items: string | string[], admission: Admission = {}) =>
    queue.admit([items].flat(), admission, (item, error) => shed.push({ item, error }));
  return { clock, metrics, queue, shed, admit };
}

const many = (count: number, name: string) => Array.from({ length: count }, (_, i) => `${name}${i}`);

describe('priorities', () => {
  test('while all three wait, of 21 requests taken 16 are high, 4 normal and 1 low, each in order of arrival', () => {
    const { queue, admit } = open();
    admit(many(40, 'low'), { priority: 'low', client: 'a' });
    admit(many(40, 'normal'), { priority: 1, client: 'b' });
    admit(many(40, 'high'), { priority: 0, client: 'c' });
    for (const round of [0, 1]) {
      const taken = queue.take(21);
      const of = (name: string) => taken.filter((item) => item.startsWith(name));
      expect(of('high')).toEqual(many(40, 'high').slice(16 * round, 16 * (round + 1)));
      expect(of('normal')).toEqual(many(40, 'normal').slice(4 * round, 4 * (round + 1)));
      expect(of('low')).toEqual([`low${round}`]);
    }
  });

  test('a priority that was idle has no credit: a flood of it does not hold the others back', () => {
    const { queue, admit } = open();
    admit(many(200, 'high'), { priority: 'high', client: 'a' });
    queue.take(160);
    admit(many(100, 'low'), { priority: 'low', client: 'b' });
    expect(queue.take(34).filter((item) => item.startsWith('low')).length).toBeLessThanOrEqual(3);
  });

  test('a low request under an endless flood of high ones is taken', () => {
    const { queue, admit } = open();
    admit(['patient'], { priority: 2 });
    let takes = 0;
    for (let found = false; !found; takes++) {
      admit(['eager'], { priority: 'high', client: 'flood' });
      found = queue.take(1)[0] === 'patient';
    }
    expect(takes).toBeLessThanOrEqual(21);
  });

  test('any other priority is refused by name', () => {
    const { admit } = open();
    expect(() => admit('x', { priority: 3 as never })).toThrow("'high', 'normal', 'low' or 0, 1, 2");
    expect(() => admit('x', { priority: 'urgent' as never })).toThrow('priority');
  });
});

describe('bounds', () => {
  test('beyond its count and its bytes the queue is full', () => {
    const { admit, queue, metrics } = open({ maxRequests: 4, maxBytes: 100 });
    admit(['a', 'b'], { client: '1' });
    admit('c', { client: '2', bytes: 50 });
    expect(() => admit('d', { client: '2', bytes: 1 })).toThrow(expect.objectContaining({ code: 'client_share' }));
    expect(() => admit('d', { client: '3', bytes: 50 })).not.toThrow();
    expect(() => admit('e', { client: '4' })).toThrow(expect.objectContaining({ code: 'queue_full', status: 429 }));
    expect(queue.waiting).toBe(4);
    expect(metrics.read('dtesn_queue_bytes')).toEqual([100]);
    expect(metrics.read('dtesn_shed_total{reason="queue_full"}')).toEqual([1]);
    expect(metrics.read('dtesn_shed_total{reason="client_share"}')).toEqual([1]);
  });

  test('bytes that do not fit are refused though the count would fit', () => {
    const { admit } = open({ maxBytes: 100 });
    admit('a', { client: '1', bytes: 50 });
    admit('b', { client: '2', bytes: 30 });
    expect(() => admit('c', { client: '3', bytes: 21 })).toThrow(expect.objectContaining({ code: 'queue_full' }));
    expect(() => admit('c', { client: '3', bytes: 20 })).not.toThrow();
  });

  test('one client holds at most half of the places, and another one still enters', () => {
    const { admit, queue } = open({ maxRequests: 10 });
    admit(many(5, 'a'), { client: 'greedy' });
    expect(() => admit('a', { client: 'greedy' })).toThrow(expect.objectContaining({ code: 'client_share' }));
    admit(many(5, 'b'), { client: 'other' });
    queue.take(1);
    expect(() => admit('a', { client: 'greedy' })).not.toThrow();
  });

  test('items of one call are admitted all or none', () => {
    const { admit, queue } = open({ maxRequests: 4 });
    admit('x');
    expect(() => admit(['a', 'b'])).toThrow(expect.objectContaining({ code: 'client_share' }));
    expect(queue.waiting).toBe(1);
  });

  test('a call that never fits is too large, and is not asked to try again', () => {
    const { admit } = open({ maxRequests: 4, maxBytes: 100 });
    const tooLarge = expect.objectContaining({ code: 'body_too_large', retryAfterSeconds: undefined });
    expect(() => admit(['a', 'b', 'c'])).toThrow(tooLarge);
    expect(() => admit('a', { bytes: 51 })).toThrow(tooLarge);
  });
});

describe('times', () => {
  test('a request that is not begun within its budget is dropped with budget', async () => {
    const { admit, clock, shed, queue } = open();
    admit('short', { budgetMs: 20 });
    admit('long', { budgetMs: 200 });
    await clock.pass(21);
    expect(shed).toEqual([{ item: 'short', error: expect.objectContaining({ code: 'budget', status: 504 }) }]);
    expect(queue.take(5)).toEqual(['long']);
    await clock.pass(1000);
    expect(shed.length).toBe(1);
    expect(clock.waiting).toBe(0);
  });

  test('a request older than the queue keeps it is dropped with queue_age', async () => {
    const { admit, clock, shed, metrics } = open({ ttlMs: 500 });
    admit('old', { budgetMs: 9000 });
    await clock.pass(501);
    expect(shed).toEqual([{ item: 'old', error: expect.objectContaining({ code: 'queue_age', status: 429 }) }]);
    expect(metrics.read('dtesn_shed_total{reason="queue_age"}')).toEqual([1]);
  });

  test('a request whose time has passed is not begun though its timer is late', () => {
    let now = 0;
    const clock = { now: () => now, after: () => () => {} };
    const { admit, queue, shed } = open({ clock });
    admit('late', { budgetMs: 10 });
    admit('next');
    now = 11;
    expect(queue.take(2)).toEqual(['next']);
    expect(shed).toEqual([{ item: 'late', error: expect.objectContaining({ code: 'budget' }) }]);
  });

  test('the wait of each request is observed by priority', async () => {
    const { admit, clock, queue, metrics } = open();
    admit('a', { priority: 'high' });
    await clock.pass(250);
    queue.take(1);
    expect(metrics.read('dtesn_queue_wait_seconds{priority="high"}')).toEqual([0.25]);
  });

  test('Retry-After is the time in which the waiting requests are begun at the measured rate', async () => {
    const { admit, clock, queue } = open({ maxRequests: 200 });
    for (let second = 0; second < 60; second++) {
      admit(many(10, 'x'));
      queue.take(10);
      await clock.pass(1000);
    }
    admit(many(100, 'a'), { client: '1' });
    admit(many(100, 'b'), { client: '2' });
    const refused = (() => {
      try {
        admit('c', { client: '3' });
      } catch (error) {
        return error as { retryAfterSeconds: number };
      }
      return null;
    })();
    // 200 requests at 10 a second; the mean that forgets is within a tenth of it.
    expect(refused!.retryAfterSeconds).toBeGreaterThanOrEqual(18);
    expect(refused!.retryAfterSeconds).toBeLessThanOrEqual(23);
  });
});

describe('ends', () => {
  test('an abort frees the places of its call at once and nothing else', () => {
    const { admit, queue, shed } = open({ maxRequests: 4 });
    const stop = new AbortController();
    admit(['a', 'b'], { client: '1', bytes: 10, signal: stop.signal });
    admit('c', { client: '2', bytes: 5 });
    const reason = new Error('left');
    stop.abort(reason);
    expect(shed).toEqual([
      { item: 'a', error: reason },
      { item: 'b', error: reason },
    ]);
    expect([queue.waiting, queue.bytes]).toEqual([1, 5]);
    expect(() => admit(['d', 'e'], { client: '1' })).not.toThrow();
  });

  test('an abort after the request was taken does not shed it', () => {
    const { admit, queue, shed } = open();
    const stop = new AbortController();
    admit('a', { signal: stop.signal });
    expect(queue.take(1)).toEqual(['a']);
    stop.abort();
    expect(shed).toEqual([]);
  });

  test('an aborted signal admits nothing', () => {
    const { admit, queue } = open();
    expect(() => admit('a', { signal: AbortSignal.abort(new Error('gone')) })).toThrow('gone');
    expect(queue.waiting).toBe(0);
  });

  test('close drops what waits and refuses what comes, with draining', () => {
    const { admit, queue, shed, clock } = open();
    admit(['a', 'b']);
    queue.close();
    expect(shed.map(({ item }) => item)).toEqual(['a', 'b']);
    expect(shed[0]!.error).toMatchObject({ code: 'draining', status: 503 });
    expect(() => admit('c')).toThrow(expect.objectContaining({ code: 'draining' }));
    expect(clock.waiting).toBe(0);
  });
});

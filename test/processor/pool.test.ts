import { describe, expect, test } from 'vitest';
import { Pool } from '../../src/processor/pool.js';

describe('a pool', () => {
  test('hands out its limit of items, then returned ones, in the order of requests', async () => {
    const pool = new Pool(1, () => ({ bytes: 8 }));
    const first = await pool.take();
    const order: string[] = [];
    const stop = new AbortController();
    const aborted = Promise.resolve(pool.take(stop.signal));
    const waiting = async (name: string) => {
      const item = await pool.take();
      order.push(name);
      return item;
    };
    const second = waiting('second');
    const third = waiting('third');
    stop.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    pool.give(first);
    pool.give(await second);
    expect(await third).toBe(first);
    expect(order).toEqual(['second', 'third']);
  });

  test('counts the items made and in use and the waiting callers, and rejects callers after close()', async () => {
    const pool = new Pool(2, () => ({ bytes: 8 }));
    await pool.take();
    const second = await pool.take();
    const third = Promise.resolve(pool.take());
    expect([pool.made, pool.bytes, pool.busy, pool.waiting]).toEqual([2, 16, 2, 1]);
    pool.give(second);
    expect(await third).toBe(second);
    pool.give(second);
    expect(await pool.use(async (item) => item)).toBe(second);
    expect([pool.busy, pool.waiting]).toEqual([1, 0]);
    expect(pool.close()).toHaveLength(2);
    expect(() => pool.take()).toThrow(/open processor but it was closed/);
  });
});

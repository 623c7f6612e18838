import { describe, expect, test } from 'vitest';
import { setThreads } from '../../src/native/index.js';
import { DeepTreeModel, Reservoir } from '../../src/network/index.js';
import { StreamPool, type StreamPoolOptions } from '../../src/streams/index.js';
import fc from '../property/fast-check.js';
import { cases } from '../quick.js';
import { relativeError, sequence } from '../reference/reservoir.js';

const makeModel = () => new Reservoir({ units: 30, inputs: 2, leak: 0.5, seed: 2, dtype: 'f64' });

test('for any order of pushes and steps, each stream has the state of its own inputs', () => {
  const model = makeModel();
  const events = fc.array(
    fc.oneof(
      fc.record({ id: fc.integer({ min: 0, max: 6 }), steps: fc.integer({ min: 1, max: 4 }) }),
      fc.constant('step' as const),
      fc.record({ release: fc.integer({ min: 0, max: 6 }) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 3 }), (list, threads) => {
      setThreads(threads);
      const pool = new StreamPool({ model, capacity: 7, ring: 5 });
      const inputs = new Map<number, number[]>();
      let seed = 1;
      for (const event of list) {
        if (event === 'step') pool.step();
        else if ('release' in event) {
          if (inputs.delete(event.release)) pool.release(event.release);
        } else {
          const series = [...sequence(2 * event.steps, seed++)];
          if (pool.push(event.id, series)) inputs.set(event.id, [...(inputs.get(event.id) ?? []), ...series]);
          else inputs.set(event.id, inputs.get(event.id) ?? []);
        }
      }
      while (pool.step() > 0);
      for (const [id, series] of inputs) {
        const alone = makeModel();
        alone.run(Float64Array.from(series), { out: null });
        expect(relativeError(pool.state(id), alone.state)).toBeLessThan(1e-12);
      }
      expect(pool.size).toBe(inputs.size);
    }),
    { numRuns: cases(150) },
  );
});

test('every stream with inputs gets one step a call, however long the queues of others', () => {
  const pool = new StreamPool({ model: makeModel(), capacity: 100, ring: 8 });
  pool.push('long', sequence(16));
  for (let i = 0; i < 99; i++) pool.push(i, [1, 2]);
  expect(pool.step()).toBe(100);
  expect(pool.ready).toBe(1);
  expect(pool.step()).toBe(1);
});

test('push to a full ring returns false and changes nothing; a step makes room', () => {
  const pool = new StreamPool({ model: makeModel(), capacity: 1, ring: 2 });
  expect(pool.push('a', [1, 2, 3, 4])).toBe(true);
  expect(pool.push('a', [5, 6])).toBe(false);
  pool.step();
  expect(pool.push('a', [5, 6])).toBe(true);
  expect(pool.push('a', [5, 6, 7, 8])).toBe(false);
});

test('a released place is free again and begins at zero', () => {
  const pool = new StreamPool({ model: makeModel(), capacity: 1 });
  pool.push('a', [1, 2]);
  pool.step();
  pool.push('a', [1, 2]);
  pool.release('a');
  expect(pool.ready).toBe(0);
  pool.push('b', []);
  expect([...pool.state('b')]).toEqual(new Array(30).fill(0));
  expect(pool.step()).toBe(0);
});

test('a Deep Tree serves streams as well', () => {
  const options = { units: 40, depth: 3, inputs: 1, dtype: 'f64', seed: 1 } as const;
  const pool = new StreamPool({ model: new DeepTreeModel(options), capacity: 3 });
  pool.push('a', sequence(10));
  while (pool.step() > 0);
  const alone = new DeepTreeModel(options);
  alone.run(sequence(10), { out: null });
  expect(relativeError(pool.state('a'), alone.state)).toBeLessThan(1e-12);
});

// That a step allocates nothing is counted in native/test/allocations_test.cc. The sanitizers' own book-keeping grows with
// the memory that is touched.
test.skipIf(process.env['DTESN_SANITIZED'])('memory is flat over a million steps of streams', () => {
  const model = new Reservoir({ units: 16, inputs: 1 });
  const pool = new StreamPool({ model, capacity: 64 });
  const input = new Float32Array(8).fill(0.5);
  const rounds = (n: number) => {
    for (let k = 0; k < n; k++) {
      for (let id = 0; id < 64; id++) pool.push(id, input);
      while (pool.step() > 0);
    }
  };
  rounds(200);
  const before = process.memoryUsage();
  rounds(2000); // about a million stream-steps
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(10_000);
  expect(after.rss - before.rss).toBeLessThan(20_000_000);
});

test('invalid entries of the shared table are dropped', () => {
  const pool = new StreamPool({ model: makeModel(), capacity: 2 });
  pool.push('a', [1, 2]);
  pool.arena.view('ready')[0] = 77;
  pool.step();
  expect(pool.ready).toBe(0);
  pool.push('b', [1, 2]);
  pool.arena.view('heads').fill(1_000_000);
  pool.step();
  expect(pool.ready).toBe(0);
});

test('forged heads and counts never lead outside of a stream', () => {
  const pool = new StreamPool({ model: makeModel(), capacity: 3, ring: 2 });
  for (const id of ['a', 'b', 'c']) pool.push(id, [1, 2]);
  const [heads, counts, queue] = [pool.arena.view('heads'), pool.arena.view('counts'), pool.arena.view('queue')];
  const untouched = () => [...queue.subarray(0, 4), ...queue.subarray(8)];
  const before = untouched();
  for (const head of [-(2 ** 31), -1, 2, 2 ** 31 - 1]) {
    for (const count of [-(2 ** 31), -1, 1, 3, 2 ** 31 - 1]) {
      heads[1] = head;
      counts[1] = count;
      pool.push('b', [7, 8]);
      expect(untouched()).toEqual(before);
      expect(pool.ready).toBeLessThanOrEqual(3);
    }
  }
  while (pool.step() > 0);
  expect([counts[0], counts[2]]).toEqual([0, 0]);
});

test('a refused push begins no stream and counts nothing', () => {
  const pool = new StreamPool({ model: makeModel(), capacity: 2, ring: 2 });
  expect(() => pool.push('a', [1, 2, 3, NaN])).toThrow(/series \(element 3\) but received NaN/);
  expect([pool.size, pool.ready]).toEqual([0, 0]);
  expect(() => pool.push('a', [1, 2, 3, 4, 5, 6])).toThrow(/at most 2 steps/);
  pool.push('a', [1, 2]);
  expect(() => pool.push('a', [Infinity, 2])).toThrow(RangeError);
  expect([pool.step(), pool.step()]).toEqual([1, 0]);
  const alone = makeModel();
  alone.run([[1, 2]], { out: null });
  expect(relativeError(pool.state('a'), alone.state)).toBeLessThan(1e-12);
});

test('streams of a closed network are refused', () => {
  const model = makeModel();
  const pool = new StreamPool({ model, capacity: 1 });
  pool.push('a', [1, 2]);
  model.close();
  expect(() => pool.step()).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
});

describe('arguments', () => {
  test.each([
    ['no model', { capacity: 1 }, /a Reservoir or a DeepTreeModel for model/],
    ['no capacity', { model: makeModel(), capacity: 0 }, /for capacity but received 0/],
    ['more than memory', { model: makeModel(), capacity: 16_000_000, ring: 1_000_000 }, /available memory/],
    ['a misspelt key', { model: makeModel(), capacity: 1, rings: 2 }, /did you mean ring/],
  ])('a pool of %s is refused', (_name, options, message) => {
    expect(() => new StreamPool(options as StreamPoolOptions)).toThrow(message);
  });

  const pool = new StreamPool({ model: makeModel(), capacity: 1 });
  pool.push('a', [0, 0]);
  test.each([
    ['push() of other features', () => pool.push('a', [1]), /2 features/],
    ['push() of NaN', () => pool.push('a', [1, NaN]), /series \(element 1\) but received NaN/],
    ['push() of a string', () => pool.push('a', 'xy' as never), /an array of numbers/],
    ['push() to an object as id', () => pool.push({} as never, [1, 2]), /a string or a number for id/],
    ['push() to one stream too many', () => pool.push('b', [1, 2]), /at most 1 streams/],
    ['state() of an unknown id', () => pool.state('x'), /a stream of this pool for id/],
    ['release() of an unknown id', () => pool.release('x'), /a stream of this pool for id/],
  ])('%s throws', (_name, call, message) => {
    expect(call).toThrow(message);
  });
});

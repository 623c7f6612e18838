import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CircuitBreaker } from '../../src/abort/index.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTime(ms);

/** A breaker whose jitter is the longest, so that it rests its whole backoff. */
const breakerOf = () => new CircuitBreaker(() => 1);
const fail = (breaker: CircuitBreaker, times = 1, failure = {}) => {
  for (let i = 0; i < times; i++) breaker.failed(breaker.enter()!, failure);
};
const succeed = (breaker: CircuitBreaker, times = 1) => {
  for (let i = 0; i < times; i++) breaker.succeeded(breaker.enter()!);
};

describe('opening', () => {
  test('five failures in a row open the breaker, four do not', () => {
    const breaker = breakerOf();
    succeed(breaker, 20);
    fail(breaker, 4);
    expect(breaker.state).toBe('closed');
    fail(breaker);
    expect(breaker.state).toBe('open');
    expect(breaker.enter()).toBeNull();
  });

  test('the breaker opens when half of at least five calls of the last 10 s failed', () => {
    const breaker = breakerOf();
    fail(breaker, 2);
    succeed(breaker, 2);
    expect(breaker.state).toBe('closed'); // half, but of four
    fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('calls older than 10 s do not count', () => {
    const breaker = breakerOf();
    fail(breaker, 3);
    succeed(breaker);
    pass(10_000);
    succeed(breaker);
    fail(breaker, 2);
    expect(breaker.state).toBe('closed');
  });

  test('a rest that the engine asked for is honoured up to 30 s', () => {
    const breaker = breakerOf();
    fail(breaker, 1, { restMs: 7000 });
    expect(breaker.restMs).toBe(7000);
    pass(7000);
    expect(breaker.state).toBe('half-open');
    fail(breaker, 1, { restMs: 1e9 });
    expect(breaker.restMs).toBe(30_000);
  });
});

describe('probing', () => {
  const openFor = (breaker: CircuitBreaker) => {
    const { restMs } = breaker;
    pass(restMs);
    return restMs;
  };

  test('one probe passes at a time, and its success closes the breaker', () => {
    const breaker = breakerOf();
    fail(breaker, 5);
    pass(1000);
    expect(breaker.state).toBe('half-open');
    const probe = breaker.enter()!;
    expect(probe.probe).toBe(true);
    expect(breaker.enter()).toBeNull();
    breaker.succeeded(probe);
    expect(breaker.state).toBe('closed');
    fail(breaker, 4); // what failed before is forgotten
    expect(breaker.state).toBe('closed');
  });

  test('each failed probe doubles the rest, from 1 s to 30 s, and a success resets it', () => {
    const breaker = breakerOf();
    fail(breaker, 5);
    const rests = [openFor(breaker)];
    for (let i = 0; i < 6; i++) {
      fail(breaker);
      rests.push(openFor(breaker));
    }
    expect(rests).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    succeed(breaker);
    fail(breaker, 5);
    expect(openFor(breaker)).toBe(1000);
  });

  test('the rest is at least half of the backoff, and no longer than a failure allows', () => {
    const breaker = new CircuitBreaker(() => 0);
    fail(breaker, 5);
    expect(openFor(breaker)).toBe(500);
    const refused = breakerOf();
    fail(refused, 5);
    for (let i = 0; i < 5; i++) {
      openFor(refused);
      fail(refused, 1, { longestMs: 5000 });
    }
    expect(openFor(refused)).toBe(5000);
  });

  test('an inconclusive probe lets the next call probe', () => {
    const breaker = breakerOf();
    fail(breaker, 5);
    pass(1000);
    breaker.abandoned(breaker.enter()!);
    expect(breaker.enter()?.probe).toBe(true);
  });

  test('a call that began before the breaker opened does not change it', () => {
    const breaker = breakerOf();
    const late = breaker.enter()!;
    const later = breaker.enter()!;
    fail(breaker, 5);
    breaker.succeeded(late);
    expect(breaker.state).toBe('open');
    pass(1000);
    succeed(breaker);
    breaker.failed(later);
    fail(breaker, 4);
    expect(breaker.state).toBe('closed');
  });
});

import { describe, expect, test } from 'vitest';
import { AdmissionRule, RoutingRule, TtftPredictor } from '../../../src/outlook/index.js';
import { figuresOf } from '../figures.js';

/** A predictor that has seen an engine with this speed of prefill, and has so many tokens before the next request. */
function engine(name: string, { speed = 10_000, ahead = 0, kv = 0.2 } = {}) {
  const predictor = new TtftPredictor();
  for (let i = 0; i < 60; i++) {
    predictor.observe(
      figuresOf({ running: 20, kvUsageMax: kv, iterationCount: 20 * i, promptTokens: 2000 * i, requestsTotal: i }),
      i,
    );
    const events = predictor.sent(2000, i);
    events.firstToken(i + 0.05 + 2000 / speed);
    events.finished({ generatedTokens: 50 }, i + 0.9);
  }
  for (let sent = 0; sent < ahead; sent += 1000) predictor.sent(1000, 60);
  return { engine: name, predictor };
}
const NOW = 60;

describe('routing', () => {
  test('the engine whose queue is computed first serves a request, not the one with the fewest tokens before it', () => {
    const engines = [engine('slow', { speed: 2000, ahead: 3000 }), engine('fast', { speed: 10_000, ahead: 6000 })];
    expect(new RoutingRule().pick({ promptTokens: 1000 }, engines, NOW)).toBe('fast');
  });

  test('of equal engines the one with more free KV memory serves it', () => {
    const engines = [engine('full', { kv: 0.9 }), engine('free', { kv: 0.2 })];
    expect(new RoutingRule().pick({ promptTokens: 1000 }, engines, NOW)).toBe('free');
  });

  test('an engine whose KV memory is in use without requests is spared', () => {
    const leaking = engine('leaking');
    leaking.predictor.observe(
      figuresOf({
        running: 1,
        kvUsageMax: 0.5,
        promptTokens: 120_000,
        requestsTotal: 61,
        generationTokens: 9000,
        iterationCount: 1300,
      }),
      NOW,
    );
    expect(leaking.predictor.lostKvShare).toBeGreaterThan(0.4);
    expect(new RoutingRule().pick({ promptTokens: 1000 }, [leaking, engine('sound', { ahead: 3000 })], NOW)).toBe(
      'sound',
    );
  });

  test('a session returns to the engine that holds its prefix while that saves more than its queue costs', () => {
    const rule = new RoutingRule();
    const [a, b] = [engine('a'), engine('b', { ahead: 1000 })];
    expect(rule.pick({ promptTokens: 6000, session: 's' }, [a, b], NOW)).toBe('a');
    a.predictor.sent(4000, NOW);
    // 4,000 tokens before it on a, of which it needs 500; 1,000 on b, of which it needs 6,500
    expect(rule.pick({ promptTokens: 6500, session: 's' }, [a, b], NOW)).toBe('a');
    expect(rule.pick({ promptTokens: 6500, session: 'other' }, [a, b], NOW)).toBe('b');
    for (let i = 0; i < 10; i++) a.predictor.sent(4000, NOW);
    expect(rule.pick({ promptTokens: 6500, session: 's' }, [a, b], NOW)).toBe('b');
  });

  test('a prefix is taken to be gone after ten minutes', () => {
    const rule = new RoutingRule();
    const [a, b] = [engine('a', { ahead: 1000 }), engine('b', { ahead: 2000 })];
    rule.pick({ promptTokens: 6000, session: 's' }, [a], NOW);
    const cost = (now: number) => rule.cost({ promptTokens: 6000, session: 's' }, a, now);
    expect(cost(NOW + 1)).toBeLessThan(0.5 * rule.cost({ promptTokens: 6000, session: 's' }, b, NOW + 1));
    expect(cost(NOW + 601)).toBeGreaterThan(2 * cost(NOW + 1));
  });

  test('without any engine there is an error that says so', () => {
    expect(() => new RoutingRule().pick({}, [], 0)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_NO_ENGINE' }));
    expect(() => new RoutingRule().pick({ promptToken: 1 } as never, [engine('a')], NOW)).toThrow('promptTokens');
  });
});

describe('admission', () => {
  const slo = { promptTokens: 1000, ttftSloMs: 2000 };

  test('a request that is expected within 85 % of its limit is taken, by the best engine', () => {
    const engines = [engine('busy', { ahead: 12_000 }), engine('idle')];
    const answer = new AdmissionRule().admit(slo, engines, NOW);
    expect(answer).toMatchObject({ admitted: true, engine: 'idle', ttft: { basis: 'physics' } });
  });

  test('one that is expected later is refused until the queue has drained to the limit', () => {
    const answer = new AdmissionRule().admit(slo, [engine('busy', { ahead: 25_000 })], NOW);
    // 0.05 s + 26,000 tokens at 10,000 a second, less 1.7 s
    expect(answer).toMatchObject({ admitted: false, retryAfterMs: 950 });
    expect((answer as { reason: string }).reason).toBe(
      'the first token is expected in 2650 ms (physics), the limit is 1700 ms',
    );
  });

  test('sheddable work is refused first', () => {
    const engines = [engine('busy', { ahead: 9000 })];
    const rule = new AdmissionRule();
    expect(rule.admit({ ...slo, priority: -1 }, engines, NOW)).toMatchObject({ admitted: false });
    expect(rule.admit(slo, engines, NOW)).toMatchObject({ admitted: true });
  });

  test('another margin moves the limit', () => {
    const engines = [engine('busy', { ahead: 17_000 })];
    expect(new AdmissionRule().admit(slo, engines, NOW)).toMatchObject({ admitted: false });
    expect(new AdmissionRule().admit({ ...slo, margin: 1 }, engines, NOW)).toMatchObject({ admitted: true });
  });

  test('without an engine nothing is taken', () => {
    expect(new AdmissionRule().admit(slo, [], NOW)).toEqual({
      admitted: false,
      retryAfterMs: 1000,
      reason: 'no engine can serve',
    });
  });

  test('wrong requests are errors that name the argument', () => {
    const rule = new AdmissionRule();
    expect(() => rule.admit({ ttftSloMs: 1 } as never, [], 0)).toThrow('promptTokens');
    expect(() => rule.admit({ ...slo, ttftSloMs: 0 }, [], 0)).toThrow('ttftSloMs');
    expect(() => rule.admit({ ...slo, margins: 1 } as never, [], 0)).toThrow('did you mean margin?');
  });
});

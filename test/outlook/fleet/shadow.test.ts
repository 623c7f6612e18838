/** What predictions are compared with: persistence, and a limit on queued tokens; and the requests that are on their way. */
import { describe, expect, test } from 'vitest';
import { type Outcome, SkillWindow } from '../../../src/outlook/fleet/outlook-skill.js';
import { Reservations } from '../../../src/outlook/fleet/reservations.js';
import { TokenLimit } from '../../../src/outlook/fleet/token-limit.js';
import fc from '../../property/fast-check.js';

const outcome = (given: Partial<Outcome>): Outcome => ({
  predictedMs: 1000,
  p90Ms: 1500,
  persistenceMs: 1000,
  observedMs: 1000,
  objectiveMs: 1000,
  overLimit: false,
  ...given,
});

describe('the skill of the last two minutes', () => {
  test('is unknown without a first token, and gives no reason to step back', () => {
    expect(new SkillWindow().at(50)).toEqual({
      windowSeconds: 120,
      outcomes: 0,
      error: { outlook: null, persistence: null },
      coverage: null,
      judged: 0,
      wrong: { outlook: null, persistence: null, tokenLimit: null },
      contested: 0,
      better: true,
    });
  });

  test('compares errors in logarithms, coverage of p90, and calls of the objective', () => {
    const window = new SkillWindow();
    window.add(outcome({ predictedMs: 500, observedMs: 1000, persistenceMs: null, overLimit: null }), 1);
    window.add(outcome({ predictedMs: 2000, p90Ms: 2500, observedMs: 4000, persistenceMs: 1000, overLimit: true }), 2);
    expect(window.at(3)).toMatchObject({
      outcomes: 2,
      error: { outlook: Math.log(2), persistence: Math.log(4) },
      coverage: 0.5,
      judged: 2,
      wrong: { outlook: 0, persistence: 1, tokenLimit: 0 },
      contested: 1,
    });
  });

  test('forgets what is older', () => {
    const window = new SkillWindow();
    for (let second = 0; second < 1000; second++) window.add(outcome({}), second);
    expect(window.at(999).outcomes).toBe(120);
    expect(window.at(1060).outcomes).toBe(59);
    expect(window.at(2000).outcomes).toBe(0);
  });

  test('says that persistence was better after 30 contested outcomes, not where nothing is contested', () => {
    const contested = new SkillWindow();
    const idle = new SkillWindow();
    for (let i = 0; i < 29; i++) contested.add(outcome({ predictedMs: 1300 }), i);
    for (let i = 0; i < 100; i++) idle.add(outcome({ predictedMs: 130, persistenceMs: 100, observedMs: 100 }), i);
    expect([contested.at(29).better, idle.at(100).better]).toEqual([true, true]);
    contested.add(outcome({ predictedMs: 1300 }), 29);
    expect(contested.at(29).better).toBe(false);
  });
});

describe('the limit on queued tokens', () => {
  test('is the one with the fewest wrong calls on what came before', () => {
    const limit = new TokenLimit();
    expect(limit.over(1e9)).toBeNull();
    for (let i = 0; i < 16; i++) limit.add(1000 * i, i >= 10);
    expect([limit.over(9000), limit.over(9001)]).toEqual([false, true]);
  });

  test('is at no tokens where all missed, and nowhere where none did', () => {
    const [all, none] = [new TokenLimit(), new TokenLimit()];
    for (let i = 0; i < 16; i++) all.add(i, true);
    for (let i = 0; i < 16; i++) none.add(i, false);
    expect([all.over(0), none.over(1e9)]).toEqual([true, false]);
  });

  test('makes as few wrong calls as the best of all limits', () => {
    const row = fc.record({ tokens: fc.nat(20), missed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(row, { minLength: 16, maxLength: 16 }), (rows) => {
        const limit = new TokenLimit();
        for (const { tokens, missed } of rows) limit.add(tokens, missed);
        const wrong = (over: (tokens: number) => boolean) =>
          rows.filter((one) => over(one.tokens) !== one.missed).length;
        const best = Math.min(...Array.from({ length: 22 }, (_, i) => wrong((tokens) => tokens > i - 1)));
        expect(wrong((tokens) => limit.over(tokens)!)).toBe(best);
      }),
    );
  });
});

describe('requests that were given an engine and not sent yet', () => {
  test('count there for half a second, or until they are sent', () => {
    const kept = new Reservations();
    kept.add({ engine: 'a', promptTokens: 100, by: 'admit', at: 0 });
    kept.add({ engine: 'a', promptTokens: 200, by: 'admit', at: 0.2 });
    expect(kept.of('a', 0.3)).toEqual({ requests: 2, promptTokens: 300 });
    kept.sent('a', 200, 0.3);
    expect(kept.of('a', 0.3)).toEqual({ requests: 1, promptTokens: 100 });
    expect(kept.of('a', 0.6)).toEqual({ requests: 0, promptTokens: 0 });
  });

  test('count once where a pick follows an admission', () => {
    const kept = new Reservations();
    kept.add({ engine: 'a', promptTokens: 100, by: 'admit', at: 0 });
    kept.add({ engine: 'b', promptTokens: 100, by: 'pick', at: 0 });
    expect([kept.of('a', 0).requests, kept.of('b', 0).requests]).toEqual([0, 1]);
  });

  test('end by a request of another length where none is of its own, and with their engine', () => {
    const kept = new Reservations();
    kept.add({ engine: 'a', promptTokens: 100, by: 'pick', at: 0 });
    kept.add({ engine: 'a', promptTokens: 300, by: 'pick', at: 0 });
    kept.sent('a', 7, 0.1);
    expect(kept.of('a', 0.1)).toEqual({ requests: 1, promptTokens: 300 });
    kept.forget('a');
    expect(kept.of('a', 0.1)).toEqual({ requests: 0, promptTokens: 0 });
  });

  test('are bounded in number', () => {
    const kept = new Reservations();
    for (let i = 0; i < 10_000; i++) kept.add({ engine: 'a', promptTokens: 1, by: 'pick', at: 0 });
    expect(kept.of('a', 0).requests).toBe(4096);
  });
});

import { describe, expect, test } from 'vitest';
import { TtftPredictor, type TtftSnapshot } from '../../../src/outlook/index.js';
import { RandomStream } from '../../../src/simulator/index.js';
import fc from '../../property/fast-check.js';
import { figuresOf } from '../figures.js';

/** Requests one after the other, each with a first token after `seconds(tokens)`; returns the time at the end. */
function teach(predictor: TtftPredictor, count: number, seconds: (tokens: number) => number, from = 0): number {
  let now = from;
  for (let i = 0; i < count; i++) {
    predictor.observe(figuresOf({ running: 1, iterationCount: 20 * (i + 1) }), now);
    const tokens = 1200 + 100 * (i % 30);
    const events = predictor.sent(tokens, now + 0.1);
    events.firstToken(now + 0.1 + seconds(tokens));
    events.finished({ generatedTokens: 50 }, now + 0.9);
    now++;
  }
  return now;
}

describe('a predicted time to the first token', () => {
  test('before any event it stands on the metrics alone, and says so', () => {
    const predictor = new TtftPredictor();
    expect(predictor.predict(1000, 0).basis).toBe('metrics');
    predictor.observe(figuresOf({ promptTokens: 0, requestsTotal: 0, waiting: 4 }), 0);
    predictor.observe(figuresOf({ promptTokens: 10_000, requestsTotal: 10, waiting: 4 }), 1);
    const { ms, basis } = predictor.predict(1000, 1);
    expect(basis).toBe('metrics');
    // 0.08 s + (4 waiting x 1000 tokens + 1000) / 10,000 a second
    expect(ms).toBeCloseTo(580, 6);
  });

  test('the physics is one step and the tokens before the first one, at the speed that was learned', () => {
    const predictor = new TtftPredictor();
    teach(predictor, 100, (tokens) => 0.05 + tokens / 5000);
    const now = 100.2;
    const before = predictor.predict(2000, now);
    expect(before.basis).toBe('physics');
    expect(before.samples).toBe(100);
    expect(before.ms).toBeCloseTo(1000 * (0.05 + 2000 / 5000), 3);
    predictor.sent(3000, now);
    expect(predictor.predict(2000, now).ms).toBeCloseTo(1000 * (0.05 + 5000 / 5000), 3);
  });

  test('what the engine has computed of the request at the head of the queue counts no more', () => {
    const predictor = new TtftPredictor();
    teach(predictor, 100, (tokens) => 0.05 + tokens / 5000);
    predictor.sent(3000, 101);
    // 0.4 s at 5,000 tokens a second
    expect(predictor.physicsSeconds(2000, 101.4)).toBeCloseTo(0.05 + 3000 / 5000, 3);
    expect(predictor.physicsSeconds(2000, 109)).toBeCloseTo(0.05 + 2000 / 5000, 3);
  });

  test('a KV memory that is full is waited for at the rate at which it is given back', () => {
    const predictor = new TtftPredictor();
    let now = teach(predictor, 100, (tokens) => 0.05 + tokens / 5000);
    const figures = { running: 40, waiting: 10, kvUsageMax: 1, iterationCount: 3000 };
    predictor.observe(figuresOf(figures), now++);
    // 3 % of 81,920 tokens and the prompt, at some 2,700 tokens a second (each of the finished requests held 1,250 to 4,150)
    const seconds = predictor.physicsSeconds(1000, now);
    expect(seconds).toBeGreaterThan(0.05 + (0.03 * 81_920 + 1000) / 3200);
    expect(seconds).toBeLessThan(0.05 + (0.03 * 81_920 + 1000) / 2300);
  });

  test('requests beyond the slots of the engine wait for others to finish', () => {
    const [few, many] = [new TtftPredictor({ slots: 4 }), new TtftPredictor({ slots: 100 })];
    for (const predictor of [few, many]) {
      const now = teach(predictor, 100, (tokens) => 0.05 + tokens / 5000);
      predictor.observe(figuresOf({ running: 4, waiting: 4, iterationCount: 3000 }), now);
      for (let i = 0; i < 8; i++) predictor.sent(10, now);
    }
    // 5 requests more than slots, at one a second
    expect(few.physicsSeconds(10, 100.2)).toBeCloseTo(5, 0);
    expect(many.physicsSeconds(10, 100.2)).toBeLessThan(1);
  });

  test('after 150 first tokens a correction is learned that the physics cannot see', () => {
    const predictor = new TtftPredictor();
    const law = (tokens: number) => 0.3 + (tokens / 5000) ** 2;
    const now = teach(predictor, 600, law);
    for (const tokens of [1300, 2500, 4000]) {
      const { ms, basis } = predictor.predict(tokens, now);
      expect(basis).toBe('learned');
      const learned = Math.abs(Math.log(ms / 1000 / law(tokens)));
      expect(learned).toBeLessThan(0.15);
    }
  });

  test('a restart forgets what was learned, and requests of the run before teach nothing', () => {
    const predictor = new TtftPredictor();
    const now = teach(predictor, 200, (tokens) => 0.05 + tokens / 5000);
    const old = predictor.sent(2000, now);
    predictor.observe(figuresOf(), now + 1, { restarted: true });
    expect(predictor.predict(2000, now + 1).samples).toBe(0);
    old.firstToken(now + 40);
    expect(predictor.predict(2000, now + 41).samples).toBe(0);
    expect(predictor.inFlight).toBe(1);
    old.failed(now + 42);
    expect(predictor.inFlight).toBe(0);
  });

  test('a caller who reports no first tokens is predicted for by the metrics', () => {
    const predictor = new TtftPredictor();
    for (let i = 0; i < 12; i++) predictor.sent(1000, i).finished({ generatedTokens: 5 }, i + 0.5);
    expect(predictor.predict(1000, 13).basis).toBe('metrics');
  });

  test('a request that ends without a first token after longer than predicted makes predictions longer', () => {
    const [patient, impatient] = [new TtftPredictor(), new TtftPredictor()];
    for (const predictor of [patient, impatient]) teach(predictor, 200, (tokens) => 0.05 + tokens / 5000);
    for (let i = 0; i < 400; i++) {
      const now = 201 + 40 * i;
      impatient.sent(2000, now).failed(now + 30);
      patient.sent(2000, now).failed(now + 0.01);
    }
    expect(impatient.predict(2000, 20_000).ms).toBeGreaterThan(3 * patient.predict(2000, 20_000).ms);
  });

  test('an event after the end, or a second first token, has no effect', () => {
    const predictor = new TtftPredictor();
    const events = predictor.sent(2000, 0);
    events.firstToken(1);
    events.firstToken(2);
    events.finished({ generatedTokens: 1 }, 3);
    events.failed(4);
    events.firstToken(5);
    expect(predictor.predict(2000, 6).samples).toBe(1);
    expect(predictor.inFlight).toBe(0);
  });

  test('requests that never end are forgotten after a quarter of an hour', () => {
    const predictor = new TtftPredictor();
    for (let i = 0; i < 1000; i++) predictor.sent(1000, i);
    expect(predictor.inFlight).toBe(901);
    predictor.observe(figuresOf(), 5000);
    expect(predictor.inFlight).toBe(0);
    expect(predictor.physicsSeconds(1, 5000)).toBeLessThan(0.1);
  });

  test('of more requests under way than 65,536 the oldest are forgotten', () => {
    const predictor = new TtftPredictor();
    for (let i = 0; i < 70_000; i++) predictor.sent(1, 0);
    expect(predictor.inFlight).toBe(65_536);
  });

  test('a restored predictor predicts the same bits, also after it has learned more', () => {
    const [first, second] = [new TtftPredictor({ slots: 8 }), new TtftPredictor({ slots: 8 })];
    const law = (tokens: number) => 0.1 + tokens / 3000;
    const now = teach(first, 300, law);
    second.restore(JSON.parse(JSON.stringify(first.snapshot())) as TtftSnapshot);
    expect(second.predict(1800, now)).toEqual(first.predict(1800, now));
    for (const predictor of [first, second]) teach(predictor, 50, law, now);
    expect(second.predict(1800, now + 60)).toEqual(first.predict(1800, now + 60));
    expect(second.snapshot()).toEqual(first.snapshot());
  });

  test.each([
    ['another version', { version: 2 }, 'version'],
    ['a margin below 0', { bound: { margin: -1, errors: 0 } }, 'bound'],
    ['too few weights', { correction: { steps: 0, scale: 1, weights: [], covariance: [] } }, 'correction'],
    ['an unknown field', { more: 1 }, 'more'],
  ])('a snapshot with %s is refused', (_, change, named) => {
    const predictor = new TtftPredictor();
    const snapshot = { ...predictor.snapshot(), ...change } as TtftSnapshot;
    expect(() => predictor.restore(snapshot)).toThrow(named);
  });

  test('wrong arguments are errors that name them', () => {
    const predictor = new TtftPredictor();
    expect(() => new TtftPredictor({ slots: 0 })).toThrow('slots');
    expect(() => predictor.predict(-1, 0)).toThrow('promptTokens');
    expect(() => predictor.predict(1, Number.NaN)).toThrow('the time');
    expect(() => predictor.sent(1, 0).finished({ generatedTokens: 0.5 }, 1)).toThrow('generatedTokens');
    expect(() => predictor.observe(null as never, 0)).toThrow('figures');
  });
});

test('predictions are finite and p90 is at least the median, whatever the order of events', () => {
  const event = fc.record({
    kind: fc.constantFrom('sent', 'first', 'finished', 'failed', 'scrape', 'restart', 'snapshot'),
    step: fc.double({ min: -2, max: 50, noNaN: true }),
    which: fc.nat(20),
    tokens: fc.oneof(fc.nat(10), fc.nat(200_000)),
    figure: fc.option(fc.oneof(fc.double(), fc.nat(100_000)), { nil: null }),
    usage: fc.option(fc.double({ min: -1, max: 2 }), { nil: null }),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 400 }),
      fc.option(fc.integer({ min: 1, max: 100 }), { nil: null }),
      (events, slots) => {
        const predictor = new TtftPredictor({ slots });
        const open: ReturnType<TtftPredictor['sent']>[] = [];
        let now = 0;
        for (const { kind, step, which, tokens, figure, usage } of events) {
          now += step;
          const request = open[which % Math.max(1, open.length)];
          if (kind === 'sent') open.push(predictor.sent(tokens, now));
          else if (kind === 'first') request?.firstToken(now);
          else if (kind === 'finished') request?.finished({ generatedTokens: tokens }, now);
          else if (kind === 'failed') request?.failed(now);
          else if (kind === 'snapshot')
            predictor.restore(JSON.parse(JSON.stringify(predictor.snapshot())) as TtftSnapshot);
          else {
            const figures = figuresOf({
              running: figure,
              waiting: figure,
              kvUsageMax: usage,
              promptTokens: figure,
              generationTokens: figure,
              requestsTotal: figure,
              iterationCount: figure,
              kvTokensCapacity: figure,
            });
            predictor.observe(figures, now, { restarted: kind === 'restart', interTokenSeconds: usage });
          }
          const { ms, p90Ms } = predictor.predict(tokens, now);
          expect(ms).toBeGreaterThan(0);
          expect(Number.isFinite(p90Ms)).toBe(true);
          expect(p90Ms).toBeGreaterThanOrEqual(ms);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('predictions stay bounded with traffic without any pattern', () => {
  const predictor = new TtftPredictor({ slots: 16 });
  const random = new RandomStream(5);
  for (let i = 0; i < 5000; i++) {
    if (i % 10 === 0)
      predictor.observe(
        figuresOf({ running: random.bits() % 20, waiting: random.bits() % 50, kvUsageMax: random.uniform() }),
        i / 10,
      );
    const events = predictor.sent(random.bits() % 8000, i / 10);
    events.firstToken(i / 10 + random.exponential(5));
    events.finished({ generatedTokens: random.bits() % 500 }, i / 10 + 100);
  }
  expect(predictor.predict(1000, 500).ms).toBeLessThan(600_000);
  expect(predictor.predict(1000, 500).ms).toBeGreaterThan(10);
});

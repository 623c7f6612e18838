/** A fleet that is told of requests: what it predicts, whether it admits, and which engine it picks. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Fleet, FleetOptions } from '../../../src/outlook/index.js';
import { answered, engine, type MemoryEngine, type WatchedFleet, watched } from './watched-engines.js';

const open: Fleet[] = [];
afterEach(() => Promise.all(open.splice(0).map((fleet) => fleet.close())));

async function fleetOf(engines: MemoryEngine[], options: FleetOptions = {}): Promise<WatchedFleet> {
  const made = await watched(engines, options);
  open.push(made.fleet);
  return made;
}

describe('a prediction', () => {
  test('is by the metrics until requests are reported, and then by the physics of what is queued', async () => {
    const one = await fleetOf([engine('a')]);
    expect(one.fleet.predictTtft('a', { promptTokens: 800 })).toMatchObject({ basis: 'metrics', samples: 0 });
    await answered(one, 'a', 4000, 500);
    const idle = one.fleet.predictTtft('a', { promptTokens: 800 });
    expect(idle).toMatchObject({ basis: 'physics', samples: 1 });
    expect(idle.p90Ms).toBeGreaterThanOrEqual(idle.ms);
    one.fleet.sent('a', { promptTokens: 8000 });
    const queued = one.fleet.predictTtft('a', { promptTokens: 800 });
    // 4,000 tokens took half a second, less the time between two tokens.
    expect(queued.ms - idle.ms).toBeGreaterThan(800);
    expect(queued.ms - idle.ms).toBeLessThan(1200);
  });

  test('counts a request until its first token, and one that failed no more', async () => {
    const { clock, fleet } = await fleetOf([engine('a')]);
    const idle = fleet.predictTtft('a', { promptTokens: 100 }).ms;
    const [first, second] = [fleet.sent('a', { promptTokens: 5000 }), fleet.sent('a', { promptTokens: 5000 })];
    const both = fleet.predictTtft('a', { promptTokens: 100 }).ms;
    second.failed();
    const one = fleet.predictTtft('a', { promptTokens: 100 }).ms;
    expect(one).toBeLessThan(both);
    await clock.pass(100);
    first.firstToken();
    expect(fleet.predictTtft('a', { promptTokens: 100 }).ms).toBeLessThan(one);
    expect(fleet.predictTtft('a', { promptTokens: 100 }).ms).toBeCloseTo(idle, -2);
  });

  test('takes a load that was reported between two scrapes', async () => {
    const { clock, fleet } = await fleetOf([engine('a'), engine('b')]);
    fleet.sent('a', { promptTokens: 1000 }).failed();
    const pick = () => fleet.pick({ promptTokens: 500 }).label;
    fleet.report('a', { kvUsage: 0.96 });
    expect([pick(), pick()]).toEqual(['b', 'b']);
    await clock.pass(2000);
    fleet.report('b', { kvUsage: 0.96, running: null });
    expect(pick()).toBe('a');
  });

  test('of one engine does not depend on the requests of another', async () => {
    const { fleet } = await fleetOf([engine('a'), engine('b')]);
    const before = fleet.predictTtft('b', { promptTokens: 100 });
    fleet.sent('a', { promptTokens: 50_000 });
    expect(fleet.predictTtft('b', { promptTokens: 100 })).toEqual(before);
  });
});

describe('admission', () => {
  const crowd = (fleet: Fleet) => {
    for (let i = 0; i < 20; i++) fleet.sent('a', { promptTokens: 4000 });
  };

  test('names the engine on which the first token comes in time', async () => {
    const { fleet } = await fleetOf([engine('a'), engine('b')]);
    crowd(fleet);
    const answer = fleet.admit({ promptTokens: 500, ttftSloMs: 2000 });
    expect(answer).toMatchObject({ admitted: true, withheld: null });
    expect(answer.admitted && answer.engine.label).toBe('b');
  });

  test('is advisory at first: it admits, and says and counts what it would have refused', async () => {
    const { fleet } = await fleetOf([engine('a')]);
    crowd(fleet);
    const answer = fleet.admit({ promptTokens: 500, ttftSloMs: 1000 });
    expect(answer).toMatchObject({ admitted: true, withheld: { why: 'advisory' } });
    expect(answer.admitted && answer.withheld!.retryAfterMs).toBeGreaterThan(1000);
    expect(answer.admitted && answer.withheld!.reason).toMatch(/the first token is expected in \d+ ms/);
    expect(fleet.outlook!.admissions).toEqual({ asked: 1, refused: 0, withheld: { advisory: 1, skill: 0 } });
  });

  test('refuses when it is active, with the time after which to ask again', async () => {
    const { fleet } = await fleetOf([engine('a')], { outlook: { admission: 'active' } });
    crowd(fleet);
    const answer = fleet.admit({ promptTokens: 500, ttftSloMs: 1000 });
    expect(answer).toEqual({
      admitted: false,
      retryAfterMs: expect.any(Number),
      reason: expect.stringMatching(/the limit is 850 ms/),
    });
    expect(fleet.admit({ promptTokens: 500, ttftSloMs: 60_000 })).toMatchObject({ admitted: true });
    expect(fleet.outlook!.admissions).toEqual({ asked: 2, refused: 1, withheld: { advisory: 0, skill: 0 } });
    fleet.outlook!.admission = 'advisory';
    expect(fleet.admit({ promptTokens: 500, ttftSloMs: 1000 })).toMatchObject({ admitted: true });
  });

  test('refuses sheddable work first', async () => {
    const { fleet } = await fleetOf([engine('a')], { outlook: { admission: 'active' } });
    fleet.sent('a', { promptTokens: 8000 });
    const { ms } = fleet.predictTtft('a', { promptTokens: 500 });
    const ask = (priority: number) => fleet.admit({ promptTokens: 500, ttftSloMs: 1.4 * ms, priority }).admitted;
    expect(ask(-1)).toBe(false);
    expect(ask(0)).toBe(true);
  });

  test('of requests that ask at the same moment takes as many as fit', async () => {
    const { fleet } = await fleetOf([engine('a'), engine('b')], { outlook: { admission: 'active' } });
    const answers = Array.from({ length: 40 }, () => fleet.admit({ promptTokens: 2000, ttftSloMs: 2000 }));
    const taken = answers.flatMap((answer) => (answer.admitted ? [answer.engine.label] : []));
    expect(taken.length).toBeGreaterThan(4);
    expect(taken.length).toBeLessThan(20);
    const onA = taken.filter((label) => label === 'a').length;
    expect(Math.abs(2 * onA - taken.length)).toBeLessThanOrEqual(1);
  });

  test('steps back, and says so, where the last first token was the better prediction', async () => {
    const one = await fleetOf([engine('a')], { outlook: { admission: 'active' } });
    const { clock, fleet } = one;
    fleet.admit({ promptTokens: 100, ttftSloMs: 1000 });
    // Each takes 900 ms, whatever the length of its prompt: no physics says that.
    for (let i = 0; i < 60; i++) {
      await answered(one, 'a', i % 2 === 0 ? 100 : 20_000, 900);
      await clock.pass(100);
    }
    expect(fleet.outlook!.skill).toMatchObject({ better: false });
    expect(fleet.outlook!.skill.error.persistence).toBeLessThan(0.01);
    const answer = fleet.admit({ promptTokens: 100, ttftSloMs: 1 });
    expect(answer).toMatchObject({ admitted: true, withheld: { why: 'skill' } });
    expect(fleet.outlook!.admissions.withheld.skill).toBe(1);
    await clock.pass(130_000);
    expect(fleet.admit({ promptTokens: 100, ttftSloMs: 1 })).toMatchObject({ admitted: false });
  });

  test('has no answer where no engine can serve', async () => {
    const a = engine('a');
    const { clock, fleet } = await fleetOf([a]);
    a.face.dead = true;
    await clock.pass(3000);
    const refused = () => fleet.admit({ promptTokens: 1, ttftSloMs: 1000 });
    expect(refused).toThrow(expect.objectContaining({ code: 'ERR_DTESN_NO_ENGINE' }));
  });
});

describe('a pick', () => {
  test('is by the load while no requests are reported, and by the physics of what is queued after', async () => {
    const { fleet } = await fleetOf([engine('a'), engine('b', { running: 9 })]);
    expect(fleet.choose()).toMatchObject({ engine: { label: 'a' }, cost: 1 / 1.05 });
    expect(fleet.choose().ttft).toBeUndefined();
    fleet.sent('a', { promptTokens: 30_000 });
    expect(fleet.choose({ promptTokens: 100 })).toMatchObject({
      engine: { label: 'b' },
      reason: 'cheapest',
      ttft: { basis: expect.any(String) },
    });
  });

  test('avoids an engine whose KV memory is nearly full', async () => {
    const { fleet } = await fleetOf([engine('a', { usage: 0.9 }), engine('b')]);
    fleet.sent('b', { promptTokens: 1000 });
    expect(fleet.pick({ promptTokens: 100 }).label).toBe('b');
  });

  test('spreads requests that ask at the same moment', async () => {
    const { fleet } = await fleetOf([engine('a'), engine('b'), engine('c')]);
    fleet.sent('a', { promptTokens: 1 }).failed();
    const counts: Record<string, number> = {};
    for (let i = 0; i < 30; i++) {
      const { label } = fleet.pick({ promptTokens: 1000 });
      counts[label] = (counts[label] ?? 0) + 1;
    }
    expect(counts).toEqual({ a: 10, b: 10, c: 10 });
  });

  test('gives a session the engine that holds its prefix, unless that is too busy', async () => {
    const { clock, fleet } = await fleetOf([engine('a'), engine('b')]);
    const first = fleet.pick({ session: 's', promptTokens: 6000 });
    fleet.sent(first, { promptTokens: 6000, session: 's' }).failed();
    await clock.pass(1000);
    const again = fleet.choose({ session: 's', promptTokens: 6200 });
    expect(again).toMatchObject({ engine: { label: first.label }, reason: 'session' });
    for (let i = 0; i < 5; i++) fleet.sent(first, { promptTokens: 20_000 });
    expect(fleet.choose({ session: 's', promptTokens: 6400 })).toMatchObject({ reason: 'moved' });
  });

  test('multiplies its costs by the factor of the request', async () => {
    const { fleet } = await fleetOf([engine('a'), engine('b')]);
    fleet.sent('b', { promptTokens: 900 });
    const factor = ({ label }: { label: string }) => (label === 'a' ? 100 : 1);
    expect(fleet.choose({ promptTokens: 100, factor }).engine.label).toBe('b');
  });
});

describe('the load that is expected in ten seconds', () => {
  test('is what will still be queued then, and what the queued prompts will take of the KV memory', async () => {
    const { fleet } = await fleetOf([engine('a', { usage: 0.5 })]);
    expect(fleet.outlook!.expectedLoad('a')).toBeNull();
    for (let i = 0; i < 40; i++) fleet.sent('a', { promptTokens: 4000 });
    // 160,000 tokens at 8,000 a second drain in 20 s; the engine holds 64,000.
    const expected = fleet.outlook!.expectedLoad('a')!;
    expect(expected).toMatchObject({ seconds: 10, kvUsage: 1 });
    expect(expected.waiting).toBeGreaterThan(15);
    expect(expected.waiting).toBeLessThan(25);
  });

  test('is no queue where it drains before', async () => {
    const { fleet } = await fleetOf([engine('a', { usage: 0.5 })]);
    fleet.sent('a', { promptTokens: 6400 });
    expect(fleet.outlook!.expectedLoad('a')).toEqual({ seconds: 10, waiting: 0, kvUsage: 0.6 });
  });
});

describe('the requests of tickets', () => {
  test('show a hang that hides them from the metrics, and end with the ticket', async () => {
    const a = engine('a', { steps: 5, still: true });
    const { clock, fleet } = await fleetOf([a, engine('b')]);
    const ticket = fleet.sent('a', { promptTokens: 100 });
    await clock.pass(6000);
    expect(fleet.monitor('a').state.name).toBe('hung');
    expect(fleet.pick({ promptTokens: 10 }).label).toBe('b');
    ticket.failed();
    await clock.pass(2000);
    expect(fleet.monitor('a').state.name).toBe('ready');
  });

  test('that had their first token convict no engine whose gauges are 0', async () => {
    const a = engine('a', { steps: 5 });
    const { clock, fleet } = await fleetOf([a]);
    const ticket = fleet.sent('a', { promptTokens: 100 });
    await clock.pass(200);
    ticket.firstToken(); // its end is never reported
    a.face.still = true;
    await clock.pass(8000);
    expect(fleet.monitor('a').state.name).toBe('ready');
  });

  test('that are older than a minute convict no engine', async () => {
    const { clock, fleet } = await fleetOf([engine('a', { steps: 5, still: true })]);
    fleet.sent('a', { promptTokens: 100 });
    await clock.pass(70_000);
    expect(fleet.monitor('a').state.name).toBe('ready');
  });
});

describe('the scale hint', () => {
  test('is not known before load and capacity are, and says which is missing', async () => {
    const { fleet } = await fleetOf([engine('a')]);
    expect(fleet.scaleHint()).toMatchObject({ replicas: null, unknown: ['load', 'capacity'] });
    expect(() => fleet.scaleHint({ targetUse: 2 })).toThrow(/targetUse/);
  });
});

describe('the number of requests that were sent lately', () => {
  test('is taken as before, with and without the option', async () => {
    for (const outlook of [true, false]) {
      const { fleet } = await fleetOf([engine('a'), engine('b', { running: 2 })], { outlook });
      expect(fleet.sent('a', 7)).toBeUndefined();
      expect(fleet.choose().engine.label).toBe('b');
    }
  });
});

describe('without the option', () => {
  test.each<[string, (fleet: Fleet) => unknown]>([
    ['sent', (fleet) => fleet.sent('a', { promptTokens: 1 })],
    ['predictTtft', (fleet) => fleet.predictTtft('a', { promptTokens: 1 })],
    ['admit', (fleet) => fleet.admit({ promptTokens: 1, ttftSloMs: 1 })],
    ['scaleHint', (fleet) => fleet.scaleHint()],
  ])('%s is an error, and there is no outlook', async (_, ask) => {
    const { fleet } = await fleetOf([engine('a')], { outlook: false });
    expect(fleet.outlook).toBeNull();
    expect(() => ask(fleet)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_STATE' }));
  });
});

test.each<[string, (fleet: Fleet) => unknown, RegExp]>([
  ['a prompt below 0', (fleet) => fleet.sent('a', { promptTokens: -1 }), /promptTokens/],
  ['an unknown field', (fleet) => fleet.sent('a', { prompTokens: 1 } as never), /did you mean promptTokens/],
  ['no request', (fleet) => fleet.sent('a', undefined as never), /requests/],
  ['an engine that is none', (fleet) => fleet.predictTtft('x', { promptTokens: 1 }), /an engine of the fleet/],
  ['no objective', (fleet) => fleet.admit({ promptTokens: 1 } as never), /ttftSloMs/],
  [
    'generated tokens below 0',
    (fleet) => fleet.sent('a', { promptTokens: 1 }).finished({ generatedTokens: -1 }),
    /generatedTokens/,
  ],
  ['another mode', (fleet) => Object.assign(fleet.outlook!, { admission: 'on' }), /'advisory' or 'active'/],
])('refused: %s', async (_, call, message) => {
  const { fleet } = await fleetOf([engine('a')]);
  expect(() => call(fleet)).toThrow(message);
});

test('refused: an unknown option of the outlook', async () => {
  await expect(fleetOf([engine('a')], { outlook: { admision: 'active' } as never })).rejects.toThrow(
    /did you mean admission/,
  );
});

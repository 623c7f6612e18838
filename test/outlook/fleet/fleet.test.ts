/** Which engine of a fleet serves next: by load, by session, never a sick one. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Engine, EngineError } from '../../../src/engine/index.js';
import { Fleet, type FleetOptions } from '../../../src/outlook/index.js';

const fleets: Fleet[] = [];
afterEach(() => Promise.all(fleets.splice(0).map((fleet) => fleet.close())));

/** An engine in memory whose load a test sets; null figures are not told. */
function engine(
  label: string,
  load: { running?: number | null; waiting?: number; usage?: number; dead?: boolean } = {},
) {
  const face = { running: 0 as number | null, waiting: 0, usage: 0.1, dead: false, ...load };
  const answer = <T>(value: T): Promise<T> =>
    face.dead ? Promise.reject(new EngineError('ERR_DTESN_ENGINE_REFUSED', 'nothing listens')) : Promise.resolve(value);
  const gauge = (name: string, value: number | null) =>
    value === null ? '' : `# TYPE aphrodite:${name} gauge\naphrodite:${name}{engine="0"} ${value}\n`;
  const text = () =>
    gauge('num_requests_running', face.running) +
    gauge('num_requests_waiting', face.waiting) +
    gauge('kv_cache_usage_perc', face.usage);
  const self = { label, health: () => answer(undefined), metrics: () => answer(Buffer.from(text())) };
  return { face, self: self as unknown as Engine };
}

async function fleetOf(engines: { self: Engine }[], options: FleetOptions = {}) {
  const fleet = new Fleet(
    engines.map(({ self }) => self),
    { monitor: { intervalMs: 60_000 }, ...options },
  );
  fleets.push(fleet);
  await fleet.observed();
  return fleet;
}

const picks = (fleet: Fleet, count: number, session?: (i: number) => string) => {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const { label } = fleet.pick(session === undefined ? {} : { session: session(i) });
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
};

/** Answers nothing until it is aborted. */
function never({ signal }: { signal: AbortSignal }): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

test('observed() rejects with the reason of its signal while an engine has not answered', async () => {
  const silent = {
    label: 'silent',
    health: never,
    metrics: never,
  };
  const fleet = new Fleet([silent as unknown as Engine], { monitor: { intervalMs: 60_000, timeoutMs: 60_000 } });
  const reason = new Error('enough');
  const abort = new AbortController();
  const observed = fleet.observed({ signal: abort.signal });
  abort.abort(reason);
  await expect(observed).rejects.toBe(reason);
  await expect(fleet.observed({ signal: abort.signal })).rejects.toBe(reason);
  await fleet.close();
});

describe('without a session', () => {
  test.each([
    ['fewer requests run', { running: 2 }, { running: 9 }],
    ['fewer wait', { running: 9 }, { running: 1, waiting: 5 }],
    ['more KV memory is free', { running: 4, usage: 0.2 }, { running: 4, usage: 0.9 }],
  ])('the engine is picked on which %s', async (_, better, worse) => {
    const fleet = await fleetOf([engine('worse', worse), engine('better', better)]);
    expect(fleet.pick().label).toBe('better');
  });

  test('a burst of picks between two observations spreads over equal engines', async () => {
    const fleet = await fleetOf([engine('a'), engine('b'), engine('c')]);
    expect(picks(fleet, 30)).toEqual({ a: 10, b: 10, c: 10 });
  });

  test('an unknown figure of an engine counts as the worst of the known ones', async () => {
    const fleet = await fleetOf([engine('one', { running: 3 }), engine('two', { running: 8, waiting: 0 })]);
    const [one, two] = fleet.members.map(({ cost }) => cost!);
    expect(one).toBeLessThan(two!);
  });
});

describe('with a session', () => {
  test('a session gets the same engine every time, and sessions spread over engines', async () => {
    const fleet = await fleetOf([engine('a'), engine('b'), engine('c')], { affinity: 1e9 });
    expect(Object.keys(picks(fleet, 20, () => 'user-7'))).toHaveLength(1);
    const counts = Object.values(picks(fleet, 3000, (i) => `user-${i}`));
    expect(Math.min(...counts)).toBeGreaterThan(800);
  });

  test('a session moves to a cheaper engine when its own is too loaded', async () => {
    const [a, b] = [engine('a'), engine('b')];
    const home = (await fleetOf([a, b])).pick({ session: 's' }).label;
    (home === 'a' ? a : b).face.running = 100;
    expect((await fleetOf([a, b])).pick({ session: 's' }).label).not.toBe(home);
    expect((await fleetOf([a, b], { affinity: 1e9 })).pick({ session: 's' }).label).toBe(home);
  });

  test('when an engine is drained only its own sessions move', async () => {
    const all = [engine('a'), engine('b'), engine('c')];
    const sessions = Array.from({ length: 300 }, (_, i) => `user-${i}`);
    const homes = async (engines: typeof all) => {
      const fleet = await fleetOf(engines, { affinity: 1e9 });
      return sessions.map((session) => fleet.pick({ session }).label);
    };
    const before = await homes(all);
    const after = await homes(all.slice(0, 2));
    before.forEach((home, i) => {
      if (home !== 'c') expect(after[i]).toBe(home);
    });
  });
});

test('a failing engine is drained and restored with events', async () => {
  const [a, b] = [engine('a', { running: 50 }), engine('b')];
  const fleet = await fleetOf([a, b], { monitor: { intervalMs: 10 } });
  const told: string[] = [];
  fleet.on('drained', ({ label }, { name }) => told.push(`${label} ${name}`));
  fleet.on('restored', ({ label }) => told.push(`${label} back`));
  expect(fleet.pick().label).toBe('b');
  b.face.dead = true;
  await vi.waitFor(() => expect(told).toEqual(['b dead']), { timeout: 10_000 });
  expect(fleet.pick().label).toBe('a');
  expect(fleet.members.map(({ cost }) => cost === null)).toEqual([false, true]);
  b.face.dead = false;
  await vi.waitFor(() => expect(told).toEqual(['b dead', 'b back']), { timeout: 10_000 });
  expect(fleet.pick().label).toBe('b');
});

test('when every engine is drained the error names the state of each', async () => {
  const fleet = await fleetOf([engine('a', { dead: true }), engine('b', { dead: true })]);
  expect(() => fleet.pick()).toThrow(
    expect.objectContaining({
      code: 'ERR_DTESN_NO_ENGINE',
      message: expect.stringMatching(/a is loading, b is loading/),
    }),
  );
});

test.each<[string, () => unknown, RegExp]>([
  ['no array', () => new Fleet('x' as never), /an array of engines/],
  ['no engine', () => new Fleet([]), /at least one engine/],
  ['one engine twice', () => new Fleet([engine('a').self, engine('a').self]), /each engine once/],
  ['an unknown option', () => new Fleet([engine('a').self], { afinity: 1 } as FleetOptions), /did you mean affinity/],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});

test('observed() ends with an error when the fleet is closed before an engine was observed', async () => {
  const silent = {
    ...engine('a').self,
    metrics: () => new Promise<never>(() => {}),
    health: () => new Promise<never>(() => {}),
  };
  const fleet = new Fleet([silent]);
  const observed = fleet.observed();
  const expected = expect(observed).rejects.toThrow(expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }));
  await fleet.close();
  await expected;
  await expect(fleet.observed()).rejects.toThrow('Expected an open fleet but it was closed');
});

test('an engine of the host may have a field named scraper', async () => {
  const fleet = await fleetOf([{ self: Object.assign(engine('a').self, { scraper: {} }) }]);
  expect(fleet.pick().label).toBe('a');
});

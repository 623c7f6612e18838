/** Engines that join and leave a fleet, when each is asked, and why one is chosen. */
import { afterEach, expect, test } from 'vitest';
import { type Engine, EngineError } from '../../../src/engine/index.js';
import { Fleet, type FleetOptions } from '../../../src/outlook/index.js';
import { ManualClock } from '../../manual-clock.js';

const fleets: Fleet[] = [];
afterEach(() => Promise.all(fleets.splice(0).map((fleet) => fleet.close())));

interface Face {
  running: number;
  waiting: number;
  usage: number;
  dead: boolean;
}

function engine(label: string, clock: ManualClock, given: Partial<Face> = {}) {
  const face: Face = { running: 0, waiting: 0, usage: 0, dead: false, ...given };
  const asked: number[] = [];
  const text = () =>
    `vllm:num_requests_running ${face.running}\nvllm:num_requests_waiting ${face.waiting}\nvllm:kv_cache_usage_perc ${face.usage}\n` +
    'vllm:cache_config_info{block_size="16",num_gpu_blocks="100"} 1\n';
  const answer = async <T>(value: T): Promise<T> => {
    if (face.dead) throw new EngineError('ERR_DTESN_ENGINE_REFUSED', 'nothing listens');
    return value;
  };
  const metrics = () => {
    asked.push(clock.now());
    return answer(Buffer.from(text()));
  };
  return { face, asked, self: { label, metrics, health: () => answer(undefined) } as unknown as Engine };
}

function fleetOf(clock: ManualClock, engines: { self: Engine }[], options: FleetOptions = {}) {
  const fleet = new Fleet(
    engines.map(({ self }) => self),
    { clock, ...options },
  );
  fleets.push(fleet);
  return fleet;
}

test('an engine that joins or leaves does not change what is known of the others', async () => {
  const clock = new ManualClock();
  const [a, b] = [engine('a', clock, { running: 3 }), engine('b', clock)];
  const fleet = fleetOf(clock, [a]);
  await clock.pass(10_000);
  const { sinceSeconds } = fleet.monitor('a').state;
  const asked = a.asked.length;
  fleet.add(b.self);
  await clock.pass(5000);
  expect(fleet.members.map(({ engine: { label }, state }) => `${label} ${state.name}`)).toEqual(['a busy', 'b ready']);
  expect(await fleet.remove('b')).toBe(b.self);
  const askedOfB = b.asked.length;
  await clock.pass(5000);
  expect(b.asked).toHaveLength(askedOfB);
  expect(fleet.monitor(a.self).state.sinceSeconds).toBe(sinceSeconds);
  expect(a.asked).toHaveLength(asked + 10);
  expect(fleet.members).toHaveLength(1);
});

test('a fleet may be empty only where that is allowed', async () => {
  const clock = new ManualClock();
  const a = engine('a', clock);
  const fleet = fleetOf(clock, [], { allowEmpty: true });
  await fleet.observed();
  expect(() => fleet.pick()).toThrow(
    expect.objectContaining({ code: 'ERR_DTESN_NO_ENGINE', message: expect.stringMatching(/fleet is empty/) }),
  );
  fleet.add(a.self);
  await clock.pass(10);
  expect(fleet.pick()).toBe(a.self);
  await fleet.remove('a');
  expect(fleet.members).toEqual([]);
  await expect(fleetOf(clock, [a]).remove('a')).rejects.toThrow(/beside which others stay/);
});

test('an engine joins once, and only one that is there leaves', async () => {
  const clock = new ManualClock();
  const a = engine('a', clock);
  const fleet = fleetOf(clock, [a]);
  expect(() => fleet.add(a.self)).toThrow(/an engine that is not in the fleet/);
  await expect(fleet.remove('x')).rejects.toThrow(/an engine of the fleet/);
  await fleet.close();
  expect(() => fleet.add(engine('b', clock).self)).toThrow('Expected an open fleet but it was closed');
});

test('who waits until all were observed does not wait for an engine that left', async () => {
  const clock = new ManualClock();
  const silent = { label: 'silent', metrics: () => new Promise(() => {}), health: () => new Promise(() => {}) };
  const fleet = fleetOf(clock, [engine('a', clock), { self: silent as unknown as Engine }]);
  const observed = fleet.observed();
  await clock.pass(1);
  void fleet.remove('silent');
  await observed;
});

test('fifty engines are asked at moments spread over the interval, whenever they joined', async () => {
  const clock = new ManualClock();
  const engines = Array.from({ length: 50 }, (_, i) => engine(`e${i}`, clock));
  const fleet = fleetOf(clock, engines.slice(0, 30));
  await clock.pass(3210);
  for (const { self } of engines.slice(30)) fleet.add(self);
  await clock.pass(10_000);
  const second = engines.flatMap(({ asked }) => asked.filter((at) => at >= 11_000 && at < 12_000));
  expect(second).toHaveLength(50);
  const tenths = Array.from(
    { length: 10 },
    (_, i) => second.filter((at) => Math.floor((at - 11_000) / 100) === i).length,
  );
  expect(Math.max(...tenths)).toBeLessThanOrEqual(10);
  expect(Math.min(...tenths)).toBeGreaterThan(0);
});

test('a choice says by which rule it was made and what it costs', async () => {
  const clock = new ManualClock();
  const [a, b] = [engine('a', clock, { running: 4 }), engine('b', clock)];
  const fleet = fleetOf(clock, [a, b]);
  await clock.pass(10);
  expect(fleet.choose()).toEqual({ engine: b.self, reason: 'cheapest', cost: 1 / 1.05, candidates: 2 });
  const home = fleetOf(clock, [engine('a', clock), engine('b', clock)], { affinity: 1e9 });
  await clock.pass(10);
  const { engine: own } = home.choose({ session: 's' });
  const loads = { a: own.label === 'a' ? 100 : 0, b: own.label === 'b' ? 100 : 0 };
  const crowded = fleetOf(clock, [engine('a', clock, { running: loads.a }), engine('b', clock, { running: loads.b })]);
  await clock.pass(10);
  expect(home.choose({ session: 's' }).reason).toBe('session');
  expect(crowded.choose({ session: 's' }).reason).toBe('moved');
  b.face.dead = true;
  await clock.pass(3000);
  expect(fleet.choose()).toMatchObject({ engine: a.self, reason: 'only', candidates: 1 });
});

test('a reported load counts until the metrics are read again', async () => {
  const clock = new ManualClock();
  const [a, b] = [engine('a', clock), engine('b', clock, { running: 1 })];
  const fleet = fleetOf(clock, [a, b], { monitor: { intervalMs: 1000 } });
  await clock.pass(10);
  expect(fleet.pick()).toBe(a.self);
  fleet.report('a', { waiting: 5, kvUsage: 0.9 });
  expect(fleet.pick()).toBe(b.self);
  await clock.pass(2000);
  expect(fleet.pick()).toBe(a.self);
});

test('requests that were sent lately count beside the figures that do not show them yet', async () => {
  const clock = new ManualClock();
  const [a, b] = [engine('a', clock), engine('b', clock, { running: 2 })];
  const fleet = fleetOf(clock, [a, b]);
  await clock.pass(10);
  fleet.sent('a', 7);
  expect(fleet.choose()).toMatchObject({ engine: b.self });
  fleet.sent('a', 0);
  expect(fleet.choose()).toMatchObject({ engine: a.self });
});

test('an engine without free memory for the prompt costs more', async () => {
  const clock = new ManualClock();
  const [a, b] = [engine('a', clock, { usage: 0.5 }), engine('b', clock, { usage: 0.1, running: 2 })];
  const fleet = fleetOf(clock, [a, b]);
  await clock.pass(10);
  expect(fleet.choose({ promptTokens: 700 }).engine).toBe(a.self); // of 1600 tokens 800 are free
  expect(fleet.choose({ promptTokens: 900 }).engine).toBe(b.self);
});

test('first observations come at once, or spread over an interval of at most a second', async () => {
  const clock = new ManualClock();
  const together = ['a', 'b', 'c', 'd'].map((label) => engine(label, clock));
  fleetOf(clock, together);
  const spread = ['e', 'f', 'g', 'h'].map((label) => engine(label, clock));
  fleetOf(clock, spread, { spreadFirst: true });
  const slow = ['i', 'j'].map((label) => engine(label, clock));
  fleetOf(clock, slow, { spreadFirst: true, monitor: { intervalMs: 60_000 } });
  await clock.pass(3000);
  expect(together.map(({ asked }) => asked[0])).toEqual([0, 0, 0, 0]);
  const firsts = spread.map(({ asked }) => Math.round(asked[0]!));
  expect(firsts).toEqual([0, 618, 236, 854]);
  expect(spread.map(({ asked }) => Math.round(asked[1]!))).toEqual(firsts.map((first) => first + 1000));
  expect(slow.map(({ asked }) => asked.map(Math.round))).toEqual([[0], [618]]);
});

test('a bound of observations a second makes the interval of each engine grow with their number', async () => {
  const clock = new ManualClock();
  const some = ['a', 'b', 'c'].map((label) => engine(label, clock));
  const fleet = fleetOf(clock, some, { mostPerSecond: 2 });
  const ofSecond = (from: number) =>
    some.map(({ asked }) => asked.filter((at) => at > from && at <= from + 12_000).length);
  await clock.pass(15_000);
  expect(ofSecond(3000)).toEqual([8, 8, 8]); // three of them every 1.5 s
  await fleet.remove('c');
  await clock.pass(15_000);
  expect(ofSecond(18_000)).toEqual([12, 12, 0]); // two of them every second, which is the interval
  expect(() => fleetOf(clock, some, { mostPerSecond: 0 })).toThrow(/mostPerSecond/);
  expect(() => fleet.monitor('a').askEvery(0)).toThrow(/intervalMs/);
});

test('a fleet that is closed asks no engine whose first observation was to come', async () => {
  const clock = new ManualClock();
  const [a, b] = [engine('a', clock), engine('b', clock)];
  const fleet = fleetOf(clock, [a, b], { spreadFirst: true });
  await fleet.close();
  await clock.pass(5000);
  expect(b.asked).toEqual([]);
});

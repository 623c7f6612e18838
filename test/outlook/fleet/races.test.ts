/** Events of requests that come late, twice, in a wrong order, or for an engine that is gone. */
import { afterEach, expect, test } from 'vitest';
import { canServe } from '../../../src/monitor/index.js';
import type { Fleet, FleetOptions, RequestTicket } from '../../../src/outlook/index.js';
import fc from '../../property/fast-check.js';
import { answered, engine, type MemoryEngine, type WatchedFleet, watched } from './watched-engines.js';

const open: Fleet[] = [];
afterEach(() => Promise.all(open.splice(0).map((fleet) => fleet.close())));

async function fleetOf(engines: MemoryEngine[], options: FleetOptions = {}): Promise<WatchedFleet> {
  const made = await watched(engines, options);
  open.push(made.fleet);
  return made;
}

/** Tells all that can be told of a request. */
function tellAll(ticket: RequestTicket) {
  ticket.firstToken();
  ticket.finished({ generatedTokens: 5 });
  ticket.failed();
}

test('what is said of a request of an engine that was removed has no effect on one that has its name', async () => {
  const { fleet } = await fleetOf([engine('a'), engine('b')]);
  const ticket = fleet.sent('a', { promptTokens: 9000 });
  await fleet.remove('a');
  fleet.add(engine('a').self);
  const before = fleet.predictTtft('a', { promptTokens: 100 });
  tellAll(ticket);
  expect(fleet.predictTtft('a', { promptTokens: 100 })).toEqual(before);
  expect(fleet.outlook!.skill.outcomes).toBe(0);
  expect(() => fleet.outlook!.skillOf('x')).toThrow(/an engine of the fleet/);
});

test('a restart between sent and first token: nothing is learned of the old process, and its requests stand in no queue', async () => {
  const a = engine('a', { steps: 100 });
  const one = await fleetOf([a]);
  for (let i = 0; i < 5; i++) await answered(one, 'a', 4000, 500);
  const { clock, fleet } = one;
  expect(fleet.predictTtft('a', { promptTokens: 100 }).samples).toBe(5);
  const { outcomes } = fleet.outlook!.skill;
  const ticket = fleet.sent('a', { promptTokens: 50_000 });
  await clock.pass(1500);
  Object.assign(a.face, { began: 2000, steps: 0 });
  await clock.pass(2000);
  expect(fleet.monitor('a').restarts).toBe(1);
  const after = fleet.predictTtft('a', { promptTokens: 100 });
  expect(after).toMatchObject({ samples: 0 });
  expect(after.ms).toBeLessThan(1000);
  tellAll(ticket);
  expect(fleet.predictTtft('a', { promptTokens: 100 })).toMatchObject({ samples: 0 });
  expect(fleet.outlook!.skill.outcomes).toBe(outcomes);
});

test('requests that a restart loses do not make the new process look like one that answers nothing', async () => {
  const a = engine('a', { steps: 100 });
  const { clock, fleet } = await fleetOf([a]);
  for (let i = 0; i < 40; i++) fleet.sent('a', { promptTokens: 100 });
  await clock.pass(1500);
  Object.assign(a.face, { began: 2000, steps: 0 });
  await clock.pass(2000);
  expect(fleet.monitor('a').restarts).toBe(1);
  fleet.sent('a', { promptTokens: 100 });
  expect(fleet.predictTtft('a', { promptTokens: 100 }).basis).toBe('physics');
});

test('a request that was sent after the last scrape of the old process counts on', async () => {
  const a = engine('a', { steps: 100 });
  const { clock, fleet } = await fleetOf([a]);
  await clock.pass(2000);
  const idle = fleet.predictTtft('a', { promptTokens: 100 }).ms;
  Object.assign(a.face, { began: 2000, steps: 0 });
  const ticket = fleet.sent('a', { promptTokens: 50_000 });
  await clock.pass(1000);
  expect(fleet.monitor('a').restarts).toBe(1);
  expect(fleet.predictTtft('a', { promptTokens: 100 }).ms).toBeGreaterThan(idle + 1000);
  ticket.failed();
  expect(fleet.predictTtft('a', { promptTokens: 100 }).ms).toBeLessThan(idle + 1000);
});

test('after close a fleet answers no question, and what is said of requests has no effect', async () => {
  const { fleet } = await fleetOf([engine('a')]);
  const ticket = fleet.sent('a', { promptTokens: 100 });
  const closing = fleet.close();
  const closed = expect.objectContaining({ code: 'ERR_DTESN_CLOSED' });
  expect(() => fleet.admit({ promptTokens: 1, ttftSloMs: 1000 })).toThrow(closed);
  expect(() => fleet.sent('a', { promptTokens: 1 })).toThrow(closed);
  expect(() => fleet.predictTtft('a', { promptTokens: 1 })).toThrow(closed);
  tellAll(ticket);
  await closing;
  tellAll(ticket);
  expect(fleet.outlook!.skill.outcomes).toBe(0);
});

test('an engine is removed while it is being admitted to: the next admission names another', async () => {
  const { fleet } = await fleetOf([engine('a'), engine('b')], { outlook: { admission: 'active' } });
  const first = fleet.admit({ promptTokens: 10, ttftSloMs: 2000 });
  const label = first.admitted ? first.engine.label : '';
  const removing = fleet.remove(label);
  const second = fleet.admit({ promptTokens: 10, ttftSloMs: 2000 });
  expect(second.admitted && second.engine.label).toBe(label === 'a' ? 'b' : 'a');
  await removing;
  expect(() => fleet.sent(label, { promptTokens: 10 })).toThrow(/an engine of the fleet/);
});

test('tickets that never end expire after ten minutes, and are bounded in number', async () => {
  const { clock, fleet } = await fleetOf([engine('a')], { monitor: { intervalMs: 60_000 } });
  const idle = fleet.predictTtft('a', { promptTokens: 100 }).ms;
  for (let i = 0; i < 70_000; i++) fleet.sent('a', { promptTokens: 10 });
  expect(fleet.predictTtft('a', { promptTokens: 100 }).ms).toBeGreaterThan(idle);
  await clock.pass(660_000);
  const ticket = fleet.sent('a', { promptTokens: 10 });
  ticket.finished();
  expect(fleet.predictTtft('a', { promptTokens: 100 }).ms).toBeLessThan(idle + 1000);
});

test('whatever is said in whatever order, predictions stay finite and an idle engine is known to be idle', async () => {
  const event = fc.record({
    kind: fc.constantFrom('sent', 'first', 'finished', 'failed', 'pass', 'restart', 'admit', 'pick', 'swap'),
    which: fc.nat(30),
    tokens: fc.constantFrom(0, 1, 700, 30_000, 1_000_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
      const faces = { a: engine('a'), b: engine('b') };
      const { clock, fleet } = await watched([faces.a, faces.b]);
      const tickets: RequestTicket[] = [];
      const ask = (question: () => unknown) => {
        if (fleet.members.some(({ state }) => canServe(state))) question();
        else expect(question).toThrow(expect.objectContaining({ code: 'ERR_DTESN_NO_ENGINE' }));
      };
      for (const { kind, which, tokens } of events) {
        const ticket = tickets[which % Math.max(1, tickets.length)];
        const label = which % 2 === 0 ? 'a' : 'b';
        if (kind === 'sent') tickets.push(fleet.sent(label, { promptTokens: tokens, session: `s${which}` }));
        if (kind === 'first') ticket?.firstToken();
        if (kind === 'finished') ticket?.finished({ generatedTokens: tokens });
        if (kind === 'failed') ticket?.failed();
        if (kind === 'pass') await clock.pass(50 * which);
        if (kind === 'restart') faces[label].face.began++;
        if (kind === 'admit') ask(() => fleet.admit({ promptTokens: tokens, ttftSloMs: 1000, priority: which - 10 }));
        if (kind === 'pick') ask(() => fleet.pick({ promptTokens: tokens, session: `s${which}` }));
        if (kind === 'swap') {
          await fleet.remove(label);
          faces[label] = engine(label);
          fleet.add(faces[label].self);
          await clock.pass(1);
        }
        for (const name of ['a', 'b']) {
          const { ms, p90Ms } = fleet.predictTtft(name, { promptTokens: tokens });
          expect(Number.isFinite(ms) && ms > 0 && p90Ms >= ms && Number.isFinite(p90Ms)).toBe(true);
        }
      }
      for (const ticket of tickets) tellAll(ticket);
      await clock.pass(60_000);
      const admitted = fleet.admit({ promptTokens: 1, ttftSloMs: 10_000 });
      expect(admitted).toMatchObject({ admitted: true });
      const { admissions, skill } = fleet.outlook!;
      expect(admissions.asked).toBeGreaterThanOrEqual(admissions.refused);
      expect(skill.outcomes).toBeLessThanOrEqual(tickets.length);
      await fleet.close();
    }),
    { numRuns: 40 },
  );
});

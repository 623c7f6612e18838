/** Events for clients that listen and for those that come back. */
import { expect, test } from 'vitest';
import { type BridgeEvent, EventLog } from '../../../src/bridge/engines/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';

test('an event is server-sent text with id, type and one line of data, and every subscriber gets the same object', () => {
  const log = new EventLog();
  const got: BridgeEvent[][] = [[], []];
  for (const list of got) log.subscribe((event) => list.push(event));
  const event = log.append('state', { engine: 'a\nb', state: 'hung' });
  expect(event.id).toBe(`${log.boot}-1`);
  expect(event.text.split('\n')).toEqual([
    `id: ${event.id}`,
    'event: state',
    expect.stringMatching(/^data: \{.*\}$/),
    '',
    '',
  ]);
  expect(JSON.parse(event.text.split('\n')[2]!.slice('data: '.length))).toEqual({
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    engine: 'a\nb',
    state: 'hung',
  });
  expect(got[0]![0]).toBe(event);
  expect(got[1]![0]).toBe(event);
});

test('a replay gives what came after an id, in order, and nothing to a client that begins now', () => {
  const log = new EventLog();
  const [first, second, third] = ['added', 'state', 'removed'].map((type) => log.append(type as 'added'));
  expect(log.replay(first!.id)).toEqual({ missed: null, events: [second, third] });
  expect(log.replay(third!.id)).toEqual({ missed: null, events: [] });
  expect(log.replay(`${log.boot}-0`).events).toHaveLength(3);
  expect(log.replay()).toEqual({ missed: null, events: [] });
});

test('an id of another boot, of no form or of the future has missed a restart, and gets all kept events', () => {
  const metrics = new MetricsRegistry();
  const log = new EventLog({ metrics });
  const event = log.append('plan');
  for (const id of [new EventLog().append('plan').id, 'nonsense', `${log.boot}-2`, `${log.boot}-1e9`]) {
    expect(log.replay(id)).toEqual({
      missed: { reason: 'restart', text: 'event: missed\ndata: {"reason":"restart"}\n\n' },
      events: [event],
    });
  }
  expect(metrics.text()).toContain('dtesn_events_missed_total{reason="restart"} 4');
});

test('only the last events are kept, and a client that left before them has missed an overflow', () => {
  const log = new EventLog({ capacity: 10 });
  const ids = Array.from({ length: 95 }, () => log.append('state').id);
  expect(log.replay(ids[84]).events.map(({ id }) => id)).toEqual(ids.slice(85));
  const { missed, events } = log.replay(ids[83]);
  expect(missed?.reason).toBe('overflow');
  expect(events.map(({ id }) => id)).toEqual(ids.slice(85));
});

test('a subscriber that left or threw does not keep the others from their events', () => {
  const log = new EventLog();
  const got: string[] = [];
  log.subscribe(() => {
    throw new Error('broken');
  });
  const stop = log.subscribe(({ type }) => got.push(`left ${type}`));
  log.subscribe(({ type }) => got.push(type));
  stop();
  log.append('config');
  expect(got).toEqual(['config']);
  expect(log.subscribers).toBe(2);
});

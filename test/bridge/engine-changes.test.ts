/** What is forgotten when engines come and go. */
import { expect, test } from 'vitest';
import { followEngines } from '../../src/bridge/engine-changes.js';
import { EventLog } from '../../src/bridge/engines/index.js';
import type { Engine } from '../../src/engine/index.js';

test('a change of the first engine, and each that leaves, is reported once', () => {
  const [a, b] = [{ label: 'a' }, { label: 'b' }] as unknown as [Engine, Engine];
  const events = new EventLog();
  const told: string[] = [];
  let engines = [a];
  const stop = followEngines({
    events,
    first: () => engines[0],
    firstChanged: () => told.push('first'),
    left: async () => void told.push('left'),
    failed: () => told.push('failed'),
  });
  engines = [a, b];
  events.append('added', { engine: 'b' });
  events.append('state', { engine: 'a' });
  expect(told).toEqual([]);
  engines = [b];
  events.append('removed', { engine: 'a' });
  expect(told.splice(0)).toEqual(['first', 'left']);
  engines = [];
  events.append('removed', { engine: 'b' });
  expect(told.splice(0)).toEqual(['first', 'left']);
  engines = [a];
  events.append('added', { engine: 'a' });
  expect(told.splice(0)).toEqual(['first']);
  stop();
  engines = [b];
  events.append('added', { engine: 'b' });
  expect(told).toEqual([]);
});

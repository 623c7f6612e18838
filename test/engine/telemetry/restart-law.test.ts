/** The truth table of the restart law. */
import { describe, expect, test } from 'vitest';
import { RestartDetector, type RunFigures } from '../../../src/engine/telemetry/restart-law.js';

type Change = { start?: number | null; capacity?: number | null; counter?: number | null };

const look = ({ start = 1000, capacity = 1600, counter = 50 }: Change): RunFigures => ({
  startTime: start,
  kvTokensCapacity: capacity,
  counters: { tokens: counter, other: 7 },
});

function reasons(...looks: (Change | 'gone')[]): (string[] | null)[] {
  const detector = new RestartDetector();
  return looks.map((one) => {
    if (one !== 'gone') return detector.observe(look(one))?.reasons ?? null;
    detector.gone();
    return null;
  });
}

describe('a restart is detected from', () => {
  test.each<[string, Change, string]>([
    ['another start time', { start: 1001 }, 'the start time of the process changed'],
    ['a start time that went back', { start: 999 }, 'the start time of the process changed'],
    ['a counter that fell', { counter: 49 }, 'tokens fell from 50 to 49'],
    ['another KV capacity', { capacity: 1616 }, 'the capacity of the KV cache changed'],
  ])('%s is a restart', (_, change, reason) => {
    expect(reasons({}, change, change)).toEqual([null, [reason], null]);
  });

  test('an engine that was unavailable in between has restarted', () => {
    expect(reasons({}, 'gone', {}, {})).toEqual([null, null, ['the engine was unavailable in between'], null]);
  });
});

describe('no restart is detected from', () => {
  test.each<[string, Change, Change]>([
    ['a figure that appears', { start: null, capacity: null, counter: null }, {}],
    ['a figure that disappears', {}, { start: null, capacity: null, counter: null }],
    ['the same figures', {}, {}],
    ['a counter that rose', {}, { counter: 51 }],
  ])('%s is no restart', (_, before, now) => {
    expect(reasons(before, now)).toEqual([null, null]);
  });

  test('the first observation is not a restart, even after the engine was unavailable', () => {
    expect(reasons('gone', {}, {})).toEqual([null, null, null]);
  });
});

test.each<[string, Change, Change]>([
  ['start time', { start: null }, { start: 1001 }],
  ['capacity', { capacity: null }, { capacity: 1616 }],
  ['counter', { counter: null }, { counter: 49 }],
])('a %s that was unknown for a while is compared with the last known value', (_, unknown, now) => {
  expect(reasons({}, unknown, now)[2]).toHaveLength(1);
});

test('a counter that falls is a contradiction only when the start time is known and unchanged', () => {
  const verdict = (before: Change, now: Change) => {
    const detector = new RestartDetector();
    detector.observe(look(before));
    return detector.observe(look(now))?.contradiction;
  };
  expect(verdict({}, { counter: 1 })).toBe(true);
  expect(verdict({}, { counter: 1, start: 2000 })).toBe(false);
  expect(verdict({ start: null }, { counter: 1, start: null })).toBe(false);
  expect(verdict({}, { capacity: 1616 })).toBe(false);
});

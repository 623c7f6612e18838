/** The frozen rule of the Fleet of 0.1 that bench/outlook compares with. */
import { expect, test } from 'vitest';
import { fleet01 } from '../../../bench/outlook/fleet-0-1.mjs';
import { type ClosedLoopEngine, TtftPredictor } from '../../../src/outlook/index.js';
import { figuresOf } from '../figures.js';

interface Seen {
  running: number;
  waiting?: number;
  kv?: number;
  sent?: number;
  preemptions?: number;
}

const engines = (readSeconds: number, seen: readonly Seen[]): ClosedLoopEngine[] =>
  seen.map(({ running, waiting = 0, kv = 0.1, sent = 0, preemptions = 0 }, index) => ({
    index,
    readSeconds,
    sentRequests: sent,
    canServe: true,
    inFlight: 0,
    waitingRequests: 0,
    waitingTokens: 0,
    predictor: new TtftPredictor(),
    figures: figuresOf({ running, waiting, kvUsageMax: kv, preemptions, kvTokensCapacity: 80_000 }),
  }));

// Golden picks, worked out by hand from (1 + running + 3 waiting + sent)/(1.05 - kv), times 4 when strained.
test.each<[string, Seen[], number, number]>([
  ['the least running', [{ running: 5 }, { running: 4 }, { running: 6 }], 100, 1],
  ['a waiting request counts as three that run', [{ running: 5 }, { running: 3, waiting: 1 }], 100, 0],
  ['what was sent since the scrape counts as running', [{ running: 5 }, { running: 3, sent: 3 }], 100, 0],
  // 11/0.95 = 11.6 against 7/0.55 = 12.7
  [
    'KV memory in use',
    [
      { running: 10, kv: 0.1 },
      { running: 6, kv: 0.5 },
    ],
    100,
    0,
  ],
  // 5/0.15 = 33 fits 10,000 tokens no more and costs 133; 40/0.95 = 42
  [
    'too little KV memory for the prompt',
    [
      { running: 4, kv: 0.9 },
      { running: 39, kv: 0.1 },
    ],
    10_000,
    1,
  ],
  ['the first of equals', [{ running: 2 }, { running: 2 }], 100, 0],
])('it picks by %s', (_, seen, promptTokens, picked) => {
  expect(fleet01()({ promptTokens, index: 0 }, engines(1, seen), 1)).toBe(picked);
});

test('it counts an engine four times after three scrapes with a queue, until three without', () => {
  const pick = fleet01();
  const at = (second: number, waiting: number) =>
    pick({ promptTokens: 1, index: 0 }, engines(second, [{ running: 0, waiting }, { running: 7 }]), second);
  expect([at(1, 1), at(2, 1), at(3, 1), at(4, 0), at(5, 0), at(6, 0)]).toEqual([0, 0, 1, 0, 0, 0]);
  const other = fleet01();
  const cheap = (second: number, preemptions: number) =>
    other({ promptTokens: 1, index: 0 }, engines(second, [{ running: 2, preemptions }, { running: 7 }]), second);
  expect([cheap(1, 1), cheap(2, 2), cheap(3, 3), cheap(4, 3), cheap(5, 3), cheap(6, 3)]).toEqual([0, 0, 1, 1, 1, 0]);
});

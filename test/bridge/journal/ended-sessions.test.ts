/** How many ended sessions stay in memory and in a snapshot. */
import { expect, test } from 'vitest';
import { ENDED_MS, MOST_ENDED } from '../../../src/bridge/journal/ended-sessions.js';
import { SessionLedger } from '../../../src/bridge/journal/session-ledger.js';
import { session } from './journal-fixture.js';

const startMs = Date.parse('2026-01-01T00:00:00.000Z');

function ledgerThatEnded(count: number, msApart: number) {
  const opened = { sessions: [], ended: [], unnamed: 0, definitions: new Map(), nextSequence: 1, nextSession: 1 };
  const ledger = new SessionLedger({ ...opened, newlyDamaged: false, outcome: { bytes: 0, degraded: null } as never });
  for (let index = 0; index < count; index++) {
    const record = session(`s${index}`);
    const endedAt = new Date(startMs + index * msApart).toISOString();
    ledger.end(ledger.create(record), { id: record.id, epoch: record.epoch, reason: 'deleted', endedAt });
  }
  return ledger;
}

test('of more than MOST_ENDED ended sessions the newest are remembered, at most MOST_ENDED', () => {
  const count = MOST_ENDED + 20_000;
  const ended = ledgerThatEnded(count, 0).recentlyEnded(startMs);
  expect(ended.length).toBeLessThanOrEqual(MOST_ENDED);
  expect(ended.length).toBeGreaterThanOrEqual(0.9 * MOST_ENDED);
  expect(ended.map(({ number }) => number)).toEqual(ended.map((_, index) => count - ended.length + 1 + index));
});

test('sessions that ended more than an hour ago are forgotten at the next snapshot', () => {
  const ledger = ledgerThatEnded(10, ENDED_MS / 5);
  const ended = ledger.recentlyEnded(startMs + (9 * ENDED_MS) / 5);
  expect(ended.map(({ number }) => number)).toEqual([6, 7, 8, 9, 10]);
});

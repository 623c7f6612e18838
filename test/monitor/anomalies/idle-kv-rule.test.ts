/** KV memory that an idle engine holds. */
import { expect, test } from 'vitest';
import { IdleKvRule } from '../../../src/monitor/anomalies/idle-kv-rule.js';
import { sample } from './samples.js';

const idle = (kvUsage: number) => ({ ...sample, running: 0, waiting: 0, kvUsage });

/** What the rule says of each of these scrapes, a second apart. */
function said(...scrapes: (typeof sample | { inFlight: number })[]) {
  const rule = new IdleKvRule();
  return scrapes.map((one, time) => {
    const inFlight = 'inFlight' in one ? one.inFlight : 0;
    return rule.observe('inFlight' in one ? idle(0.1) : one, time, inFlight);
  });
}

test('memory that stays held for three idle scrapes is a leak of an engine that was empty once', () => {
  const verdicts = said(idle(0), sample, idle(0.05), idle(0.05), idle(0.05));
  expect(verdicts.map(({ alarm }) => alarm)).toEqual([false, null, null, null, true]);
  expect(verdicts.at(-1)).toMatchObject({
    kind: 'leak',
    rule: 'idle-kv',
    evidence: 'nothing runs or waits, but 5.0 % of the KV memory is held',
    since: 4,
  });
});

test('less than 0.4 % is no leak and ends one; an engine at work does not say', () => {
  const verdicts = said(idle(0), idle(0.01), idle(0.01), idle(0.01), sample, idle(0.004));
  expect(verdicts.map(({ alarm }) => alarm)).toEqual([false, null, null, true, null, false]);
});

test('an engine that was never empty when idle counts cached prefixes, which are no leak', () => {
  expect(said(...Array(20).fill(idle(0.3))).every(({ alarm }) => alarm === null)).toBe(true);
});

test('an engine for which the caller waits is not idle', () => {
  expect(said(idle(0), ...Array(9).fill({ inFlight: 1 })).at(-1)!.alarm).toBeNull();
});

/** From what the rules say to anomalies that begin, end and are counted. */
import { expect, test } from 'vitest';
import type { AnomalyKind, AnomalyRule, Verdict } from '../../../src/monitor/anomalies/anomaly.js';
import { AnomalyLog } from '../../../src/monitor/anomalies/anomaly-log.js';

const says = (alarm: boolean | null, kind: AnomalyKind = 'slow', rule: AnomalyRule = 'chart', since = 1): Verdict => {
  return { kind, rule, alarm, evidence: `${kind} by ${rule}`, since };
};

test('an anomaly begins with the first rule that alarms, and gathers the evidence of the others', () => {
  const log = new AnomalyLog();
  const { begun } = log.observe([says(false), says(true, 'slow', 'threshold', 7)], 10, 1);
  expect(begun).toEqual([{ kind: 'slow', rule: 'threshold', evidence: ['slow by threshold'], since: 7 }]);
  expect(log.observe([says(true), says(true, 'slow', 'threshold')], 11, 1).begun).toEqual([]);
  expect(log.present).toEqual([
    { kind: 'slow', rule: 'threshold', evidence: ['slow by threshold', 'slow by chart'], since: 7 },
  ]);
});

test('it ends a minute after the last rule that saw it, and one that does not say holds it', () => {
  const log = new AnomalyLog();
  log.observe([says(true)], 0, 1);
  expect(log.observe([says(null)], 500, 1).ended).toEqual([]);
  expect(log.observe([says(false)], 501, 1).ended).toEqual([]);
  expect(log.observe([says(true)], 520, 1)).toEqual({ begun: [], ended: [] });
  expect(log.observe([says(false)], 579, 1).ended).toEqual([]);
  expect(log.observe([says(false)], 580, 1).ended).toMatchObject([{ kind: 'slow', rule: 'chart' }]);
  expect(log.isCalm(580)).toBe(true);
  expect(log.counts.alarms).toBe(1);
});

test('traffic is normal while no anomaly is present, and when those present have lasted for an hour', () => {
  const log = new AnomalyLog();
  expect(log.isCalm(0)).toBe(true);
  log.observe([says(true)], 0, 1);
  expect(log.isCalm(3600)).toBe(false);
  expect(log.isCalm(3601)).toBe(true);
});

test('alarms are counted by kind and a day of the watch', () => {
  const log = new AnomalyLog();
  expect(log.counts.alarmsPerDay).toBeNull();
  log.observe([says(true), says(true, 'leak', 'idle-kv')], 0, 21_600);
  log.observe([says(true)], 1, 21_600);
  expect(log.counts).toEqual({
    watchedSeconds: 43_200,
    alarms: 2,
    byKind: { slow: 1, leak: 1, storm: 0, 'partial-hang': 0 },
    alarmsPerDay: 4,
  });
});

test('clear ends all, and what is given out is a copy', () => {
  const log = new AnomalyLog();
  const { begun } = log.observe([says(true)], 0, 1);
  begun[0]!.evidence.push('mine');
  log.present[0]!.evidence.push('mine');
  expect(log.clear()).toMatchObject([{ evidence: ['slow by chart'] }]);
  expect(log.present).toEqual([]);
});

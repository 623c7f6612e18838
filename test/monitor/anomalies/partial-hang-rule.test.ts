/** A rank that stands still while another does not. */
import { expect, test } from 'vitest';
import { PartialHangRule } from '../../../src/monitor/anomalies/partial-hang-rule.js';
import { figures } from './samples.js';

const rank = (engine: string, running: number, iterationCount: number) => ({
  ...figures,
  engine,
  running,
  iterationCount,
});

/** What the two rules say after scrapes a second apart: of each rank its running requests and its count. */
function said(seconds: number, ranks: (second: number) => [number, number][], inFlight = 0) {
  const rule = new PartialHangRule(3.5);
  let verdicts: ReturnType<typeof rule.observe> = [];
  for (let second = 0; second < seconds; second++) {
    const engines = ranks(second).map(([running, count], i) => rank(String(i), running, count));
    const running = engines.reduce((sum, one) => sum + one.running, 0);
    verdicts = rule.observe({ ...figures, running, waiting: 0, engines }, second, inFlight);
  }
  return verdicts.map(({ alarm }) => alarm);
}

test('a rank with work that counts nothing for hungAfter seconds hangs, while another moves or has nothing to do', () => {
  const moving = (second: number): [number, number][] => [
    [1, second],
    [3, 7],
  ];
  expect(said(4, moving)).toEqual([false, false]);
  expect(said(5, moving)).toEqual([true, false]);
  expect(
    said(5, () => [
      [0, 1],
      [3, 7],
    ]),
  ).toEqual([true, false]);
});

test('the evidence names the rank', () => {
  const rule = new PartialHangRule(3.5);
  for (let second = 0; second < 5; second++) {
    const engines = [rank('a', 1, second), rank('b', 3, 7)];
    const [verdict] = rule.observe({ ...figures, running: 4, engines }, second, 0);
    if (second < 4) continue;
    expect(verdict).toMatchObject({
      kind: 'partial-hang',
      rule: 'heartbeat',
      evidence: '3 requests run and 0 wait on engine b, but no iteration for 4.0 s',
      since: 0,
    });
  }
});

test('ranks that all stand still are no partial hang, nor is an engine of one rank', () => {
  expect(
    said(9, () => [
      [1, 1],
      [3, 7],
    ]),
  ).toEqual([false, false]);
  expect(said(9, () => [[3, 7]])).toEqual([]);
});

test('a rank that counts nothing hangs when the caller waits for requests that no rank shows', () => {
  const hidden = (second: number): [number, number][] => [
    [1, second],
    [0, 7],
  ];
  expect(said(4, hidden, 2)).toEqual([false, false]);
  expect(said(5, hidden, 2)).toEqual([false, true]);
  expect(said(9, hidden, 1)).toEqual([false, false]);
});

test('as many requests in flight beyond those that ranks show as in normal traffic are no hang', () => {
  const slowReaders = (second: number): [number, number][] => [
    [1, second],
    [0, Math.min(second, 100)],
  ];
  expect(said(200, slowReaders, 5)).toEqual([false, false]);
  expect(said(200, slowReaders, 1)).toEqual([false, false]);
});

test('an excess that has gone for twenty minutes is no longer usual', () => {
  const rule = new PartialHangRule(3.5);
  const observe = (second: number, count: number, inFlight: number) => {
    const engines = [rank('a', 1, second), rank('b', 0, count)];
    return rule.observe({ ...figures, running: 1, engines }, second, inFlight).map(({ alarm }) => alarm);
  };
  for (let second = 0; second < 100; second++) observe(second, second, 5);
  for (let second = 100; second < 110; second++) expect(observe(second, 99, 5)).toEqual([false, false]);
  for (let second = 110; second < 1400; second++) observe(second, second, 1);
  for (let second = 1400; second < 1403; second++) observe(second, 1399, 5);
  expect(observe(1404, 1399, 5)).toEqual([false, true]);
});

test('after a reset a rank is judged from the next scrape on', () => {
  const rule = new PartialHangRule(3.5);
  const observe = (second: number) =>
    rule.observe({ ...figures, engines: [rank('a', 1, second), rank('b', 3, 7)] }, second, 0);
  for (let second = 0; second < 4; second++) observe(second);
  rule.reset();
  expect(observe(4)[0]!.alarm).toBe(false);
  expect(observe(7)[0]!.alarm).toBe(false);
  expect(observe(8)[0]!.alarm).toBe(true);
});

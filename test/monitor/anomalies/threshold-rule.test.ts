/** Learned thresholds over averages of ten seconds. */
import { expect, test } from 'vitest';
import type { HealthSample } from '../../../src/monitor/anomalies/index.js';
import { thresholdRules } from '../../../src/monitor/anomalies/threshold-rule.js';
import { sample } from './samples.js';

const LEARN = 600;

function watched(kind: 'slow' | 'storm') {
  const rules = thresholdRules(LEARN);
  let time = 0;
  /** What the rule of this kind says after so many seconds of a sample. */
  const after = (seconds: number, change: Partial<HealthSample>, { calm = true, knowsLoad = true } = {}) => {
    let last = null;
    for (let i = 0; i < seconds; i++, time++) {
      const verdicts = rules.map((rule) =>
        rule.observe({ ...sample, ...change }, { time, seconds: 1, calm, knowsLoad }),
      );
      last = verdicts.find((verdict) => verdict.kind === kind)!;
    }
    return last!;
  };
  return { rules, after };
}

test('an engine is slow when the time between tokens is 1.2 times its greatest average', () => {
  const { after } = watched('slow');
  expect(after(LEARN, { interTokenSeconds: 0.05 }).alarm).toBeNull();
  expect(after(200, { interTokenSeconds: 0.05 }).alarm).toBe(false);
  expect(after(60, { interTokenSeconds: 0.059 }).alarm).toBe(false);
  expect(after(60, { interTokenSeconds: 0.061 })).toMatchObject({
    kind: 'slow',
    rule: 'threshold',
    alarm: true,
    evidence: '0.0610 s between tokens over 10 s, more than the limit of 0.0600 s',
  });
});

test('one wild scrape is averaged away', () => {
  const { after } = watched('slow');
  after(LEARN + 10, { interTokenSeconds: 0.05 });
  expect(after(1, { interTokenSeconds: 0.1 }).alarm).toBe(false);
});

test('a storm is at least half a preemption a second, however calm the traffic was', () => {
  const { after } = watched('storm');
  after(LEARN + 10, { preemptionsPerSecond: 0 });
  expect(after(60, { preemptionsPerSecond: 0.45 }).alarm).toBe(false);
  expect(after(60, { preemptionsPerSecond: 0.6 }).alarm).toBe(true);
});

test('where preemptions are normal a storm is above their limit', () => {
  const { after } = watched('storm');
  after(LEARN + 10, { preemptionsPerSecond: 2 });
  expect(after(60, { preemptionsPerSecond: 2.3 }).alarm).toBe(false);
  expect(after(60, { preemptionsPerSecond: 3 }).alarm).toBe(true);
});

test('a load beyond those learned explains slow tokens but no storm', () => {
  const unknown = { knowsLoad: false };
  const slow = watched('slow');
  slow.after(LEARN + 10, {});
  expect(slow.after(60, { interTokenSeconds: 1 }, unknown).alarm).toBeNull();
  const storm = watched('storm');
  storm.after(LEARN + 10, {});
  expect(storm.after(60, { preemptionsPerSecond: 9 }, unknown).alarm).toBe(true);
});

test('what lasts for a window is normal afterwards, and most of a limit stays after a quieter one', () => {
  const { after } = watched('slow');
  after(LEARN + 10, { interTokenSeconds: 0.05 });
  expect(after(60, { interTokenSeconds: 0.1 }).alarm).toBe(true);
  after(LEARN, { interTokenSeconds: 0.1 });
  expect(after(60, { interTokenSeconds: 0.1 }).alarm).toBe(false);
  after(2 * LEARN, { interTokenSeconds: 0.02 });
  expect(after(60, { interTokenSeconds: 0.1 }).alarm).toBe(false);
});

test('nothing is learned while an anomaly is present, and a figure that is unknown is not judged', () => {
  const { after } = watched('slow');
  after(LEARN + 10, {}, { calm: false });
  expect(after(10, {}).alarm).toBeNull();
  const other = watched('slow');
  other.after(LEARN + 10, {});
  expect(other.after(1, { interTokenSeconds: null }).alarm).toBeNull();
});

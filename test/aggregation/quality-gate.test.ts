import { describe, expect, test } from 'vitest';
import {
  type Aggregation,
  aggregateMultiSourceData,
  type QualityChange,
  QualityGate,
  type QualityGateOptions,
} from '../../src/aggregation/index.js';
import { goodSources } from './sources-fixture.js';

const good = aggregateMultiSourceData(goodSources());

function at(score: number, ready: boolean | null = true): Aggregation {
  return {
    ...good,
    data_quality_score: score,
    optimization_hints: { ...good.optimization_hints, engine_optimizations_available: ready },
  };
}

function gated(options: QualityGateOptions = {}) {
  let now = 0;
  const changes: QualityChange[] = [];
  const gate = new QualityGate({ clock: () => now, onChange: (change) => changes.push(change), ...options });
  return { gate, changes, wait: (ms: number) => (now += ms) };
}

describe('the threshold', () => {
  test('quality becomes high strictly above the threshold and low below threshold minus hysteresis', () => {
    const { gate } = gated();
    const above = [0.7, 0.71, 0.68, 0.651, 0.649, 0.69, 0.7].map((score) => gate.judge(at(score)).above);
    expect(above).toEqual([false, true, true, true, false, false, false]);
  });

  test('qualityMeasure graded compares the graded score with the threshold', () => {
    const { gate } = gated({ qualityMeasure: 'graded' });
    expect(gate.judge(at(0.2))).toMatchObject({ score: 1, measure: 'graded', above: true });
  });

  test('a judgement has a reason with the figures', () => {
    const { gate } = gated();
    expect(gate.judge(at(0.8)).reason).toBe('quality 0.80 is above 0.7 and the engine is ready');
    expect(gate.judge(at(0.68)).reason).toContain('not above 0.7 (within 0.05, so it still counts as above)');
  });
});

describe('standardisation', () => {
  test('standardisation needs an engine that is known to be ready', () => {
    expect(gated().gate.judge(at(1, null)).standardise).toBe(false);
    expect(gated().gate.judge(at(1, false)).standardise).toBe(false);
    expect(gated().gate.judge(at(1)).standardise).toBe(true);
  });

  test('standardisation changes at most once in the hold, while above follows at once', () => {
    const { gate, changes, wait } = gated();
    expect(gate.judge(at(1))).toMatchObject({ above: true, standardise: true });
    expect(gate.judge(at(0.2))).toMatchObject({ above: false, standardise: false });
    wait(59_999);
    const held = gate.judge(at(1));
    expect(held).toMatchObject({ above: true, standardise: false });
    expect(held.reason).toContain('changed less than 60 s ago');
    wait(1);
    expect(gate.judge(at(1)).standardise).toBe(true);
    expect(changes.map(({ kind, to }) => [kind, to])).toEqual([
      ['standardisation', false],
      ['standardisation', true],
    ]);
    expect(changes[0]?.reason).toContain('not above');
  });

  test('standardisation keeps its first judgement when the plan is fixed', () => {
    const { gate, changes, wait } = gated({ plan: 'fixed' });
    expect(gate.judge(at(1)).standardise).toBe(true);
    wait(1e9);
    const judged = gate.judge(at(0));
    expect(judged).toMatchObject({ above: false, standardise: true });
    expect(judged.reason).toContain('fixed to its first judgement');
    expect(changes).toEqual([]);
  });
});

describe('the learned threshold', () => {
  test('the threshold falls by 0.01 for each observation that agrees, and not below 0.5', () => {
    const { gate, changes } = gated({ adaptive: true });
    gate.observe({ agreement: 1 });
    expect(gate.threshold).toBe(0.69);
    expect(changes).toEqual([
      { kind: 'threshold', from: 0.7, to: 0.69, reason: 'standardised and plain features agree to 1.00' },
    ]);
    for (let i = 0; i < 100; i++) gate.observe({ agreement: 1 });
    expect(gate.threshold).toBe(0.5);
    expect(changes).toHaveLength(20);
  });

  test('the threshold rises for observations that differ, and not above 0.95', () => {
    const { gate } = gated({ adaptive: true });
    for (let i = 0; i < 100; i++) gate.observe({ agreement: 0.2 });
    expect(gate.threshold).toBe(0.95);
  });

  test('the threshold follows the errors of a readout rather than agreement', () => {
    const { gate } = gated({ adaptive: true });
    gate.observe({ standardised: true, error: 0.5 });
    expect(gate.threshold).toBe(0.7);
    gate.observe({ standardised: false, error: 1 });
    expect(gate.threshold).toBe(0.7); // half a hundredth, of which 0.695 is published as 0.7
    gate.observe({ standardised: false, error: 1 });
    expect(gate.threshold).toBe(0.69);
    gate.observe({ agreement: 0 });
    expect(gate.threshold).toBe(0.69);
    for (let i = 0; i < 50; i++) gate.observe({ standardised: true, error: 9 });
    expect(gate.threshold).toBeGreaterThan(0.9);
  });

  test('the threshold stays when adaptive is false', () => {
    const { gate, changes } = gated();
    gate.observe({ agreement: 0 });
    expect([gate.threshold, changes]).toEqual([0.7, []]);
  });
});

test.each([
  [{ qualityTreshold: 1 }, /did you mean qualityThreshold/],
  [{ qualityThreshold: 2 }, /a number in \[0, 1\] for qualityThreshold but received 2/],
  [{ qualityThreshold: 0.3, adaptive: true }, /\[0\.5, 0\.95\] \(adaptive\)/],
  [{ clock: 7 }, /a function for clock/],
  [{ plan: 'loose' }, /'adaptive' or 'fixed'/],
] as [object, RegExp][])('the options %j are refused by name', (options, message) => {
  expect(() => new QualityGate(options)).toThrow(message);
});

test('an impossible observation is refused by name', () => {
  const gate = new QualityGate({ adaptive: true });
  expect(() => gate.observe({ agreement: 2 })).toThrow(/for agreement but received 2/);
  expect(() => gate.observe({ standardised: true, error: Number.NaN })).toThrow(/for error but received NaN/);
  expect(() => gate.observe({ standardised: 'yes' as never, error: 1 })).toThrow(/for standardised/);
});

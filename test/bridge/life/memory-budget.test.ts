import { expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/bridge/life/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { ManualClock } from '../../manual-clock.js';

test('is tight above 85 % of the limit, reads again after a quarter of a second, and shows the share', async () => {
  const clock = new ManualClock();
  const metrics = new MetricsRegistry();
  let free = 160;
  const budget = new MemoryBudget({ metrics, clock, read: () => ({ memoryBytes: 1000, memoryFreeBytes: free }) });
  expect([budget.share(), budget.isTight()]).toEqual([0.84, false]);
  free = 140;
  expect(budget.isTight()).toBe(false);
  await clock.pass(250);
  expect([budget.share(), budget.isTight()]).toEqual([0.86, true]);
  expect(metrics.text()).toContain('dtesn_memory_used_ratio 0.86\n');
});

test('without a limit nothing is tight and no share is shown', () => {
  const metrics = new MetricsRegistry();
  const budget = new MemoryBudget({ metrics, read: () => ({ memoryBytes: null, memoryFreeBytes: null }) });
  expect([budget.share(), budget.isTight()]).toEqual([null, false]);
  expect(metrics.text()).not.toMatch(/^dtesn_memory_used_ratio/m);
});

test('reads the control group of this process where none is given', () => {
  const share = new MemoryBudget({ metrics: new MetricsRegistry() }).share();
  if (share !== null) expect(share).toBeGreaterThan(0);
  expect(share ?? 0).toBeLessThanOrEqual(1);
});

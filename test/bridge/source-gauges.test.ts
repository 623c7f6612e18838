/** Metrics of sources stay true when their readers are replaced and when engines go. */
import { expect, test } from 'vitest';
import { MetricsRegistry } from '../../src/bridge/metrics/index.js';
import { SourceGauges, type SourcesOfEngine } from '../../src/bridge/source-gauges.js';

const figures = (failures: Record<string, number>, breakerOpen = false): SourcesOfEngine['sources'] => ({
  performance: { failures, providers: { engine: { breakerOpen } } },
});

test('errors are counted on when another processor takes the place of one, and go with their engine', () => {
  const metrics = new MetricsRegistry();
  let all: SourcesOfEngine[] = [];
  new SourceGauges(
    metrics,
    () => all,
    () => all.map(({ engine }) => engine),
  );
  const [old, next] = [{}, {}];
  const errors = () => /^dtesn_source_errors_total\{.*engine="a".*\} (\d+)$/m.exec(metrics.text())?.[1];
  all = [{ engine: 'a', reader: old, sources: figures({ timeout: 3 }, true) }];
  expect(errors()).toBe('3');
  expect(metrics.text()).toContain('dtesn_breaker_open{engine="a"} 1');
  all = [
    { engine: 'a', reader: old, sources: figures({ timeout: 4 }) },
    { engine: 'a', reader: next, sources: figures({ timeout: 1 }) },
  ];
  expect(errors()).toBe('5');
  expect(metrics.text()).toContain('dtesn_breaker_open{engine="a"} 0');
  all = [{ engine: 'a', reader: next, sources: figures({ timeout: 2 }) }];
  expect(errors()).toBe('6');
  all = [];
  expect(metrics.text()).not.toContain('engine="a"');
});

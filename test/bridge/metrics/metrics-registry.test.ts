import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MetricsRegistry, processMetrics } from '../../../src/bridge/metrics/index.js';
import { parsePrometheus } from '../../../src/engine/index.js';

function everyType(): MetricsRegistry {
  const metrics = new MetricsRegistry();
  metrics.counter('dtesn_shed_total', 'Requests shed.', ['reason']).inc({ reason: 'queue_full' });
  metrics.gauge('dtesn_queue_bytes', 'Bytes in the queue.').set({}, 12.5);
  const seconds = metrics.histogram('dtesn_wait_seconds', 'Waits.', [0.1, 1], ['route', 'code']);
  for (const value of [0.1, 0.5, 7]) seconds.observe({ route: '/v1/"x"\\\n', code: '200' }, value);
  return metrics;
}

describe('MetricsRegistry', () => {
  test('writes counters, gauges and histograms in the text format', () => {
    expect(everyType().text()).toBe(
      [
        '# HELP dtesn_shed_total Requests shed.',
        '# TYPE dtesn_shed_total counter',
        'dtesn_shed_total{reason="queue_full"} 1',
        '# HELP dtesn_queue_bytes Bytes in the queue.',
        '# TYPE dtesn_queue_bytes gauge',
        'dtesn_queue_bytes 12.5',
        '# HELP dtesn_wait_seconds Waits.',
        '# TYPE dtesn_wait_seconds histogram',
        String.raw`dtesn_wait_seconds_bucket{code="200",route="/v1/\"x\"\\\n",le="0.1"} 1`,
        String.raw`dtesn_wait_seconds_bucket{code="200",route="/v1/\"x\"\\\n",le="1"} 2`,
        String.raw`dtesn_wait_seconds_bucket{code="200",route="/v1/\"x\"\\\n",le="+Inf"} 3`,
        String.raw`dtesn_wait_seconds_sum{code="200",route="/v1/\"x\"\\\n"} 7.6`,
        String.raw`dtesn_wait_seconds_count{code="200",route="/v1/\"x\"\\\n"} 3`,
        '',
      ].join('\n'),
    );
  });

  test('writes a page that the own reader takes, with the same label values', () => {
    const families = parsePrometheus(Buffer.from(everyType().text()));
    expect(families.get('dtesn_wait_seconds')!.label(0, 'route')).toBe('/v1/"x"\\\n');
  });

  test.skipIf(spawnSync('promtool', ['--version']).error)('promtool check metrics has no remark', async () => {
    const metrics = everyType();
    const own = processMetrics(metrics, { version: '1.2.3' });
    await wait(50);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: metrics.text() });
    own.close();
    expect([status, `${stdout}${stderr}`]).toEqual([0, '']);
  });

  test('writes infinities and NaN as Go reads them', () => {
    const metrics = new MetricsRegistry();
    const gauge = metrics.gauge('dtesn_age_seconds', 'Ages.', ['source']);
    gauge.set({ source: 'a' }, Number.POSITIVE_INFINITY);
    gauge.set({ source: 'b' }, Number.NEGATIVE_INFINITY);
    gauge.set({ source: 'c' }, Number.NaN);
    expect(metrics.text().match(/ \S+$/gm)!.slice(2)).toEqual([' +Inf', ' -Inf', ' NaN']);
  });

  test('a counter without labels is 0 from the start', () => {
    const metrics = new MetricsRegistry();
    metrics.counter('dtesn_a_total', 'A.');
    expect(metrics.text()).toContain('dtesn_a_total 0\n');
  });

  test('a family shows its help and type before it has a series, and a series that was begun is 0', () => {
    const metrics = new MetricsRegistry();
    const counter = metrics.counter('dtesn_a_total', 'A.', ['x']);
    expect(metrics.text()).toBe('# HELP dtesn_a_total A.\n# TYPE dtesn_a_total counter\n');
    counter.begin({ x: '1' });
    expect(metrics.text()).toContain('dtesn_a_total{x="1"} 0\n');
  });

  test('a name made twice with the same shape is the same family', () => {
    const metrics = new MetricsRegistry();
    const make = () => metrics.counter('dtesn_a_total', 'A.', ['x', 'y']);
    make().inc({ x: '1', y: '2' });
    expect(metrics.counter('dtesn_a_total', 'A.', ['y', 'x'])).toBe(make());
    expect(make().value({ y: '2', x: '1' })).toBe(1);
  });

  test.each([
    ['type', (metrics: MetricsRegistry) => metrics.gauge('dtesn_h_seconds', 'H.', ['x'])],
    ['help', (metrics: MetricsRegistry) => metrics.histogram('dtesn_h_seconds', 'Other.', [1], ['x'])],
    ['labels', (metrics: MetricsRegistry) => metrics.histogram('dtesn_h_seconds', 'H.', [1], ['y'])],
    ['bounds', (metrics: MetricsRegistry) => metrics.histogram('dtesn_h_seconds', 'H.', [2], ['x'])],
  ])('a name made twice with other %s throws', (what, again) => {
    const metrics = new MetricsRegistry();
    metrics.histogram('dtesn_h_seconds', 'H.', [1], ['x']);
    expect(() => again(metrics)).toThrow(`The metric dtesn_h_seconds exists with other ${what}`);
  });

  test.each([
    [() => new MetricsRegistry().counter('dtesn_a', 'A.'), /that ends in _total/],
    [() => new MetricsRegistry().gauge('dtesn_a_total', 'A.'), /without _total/],
    [() => new MetricsRegistry().gauge('dtesn-a', 'A.'), /lower-case letters, digits and _/],
    [() => new MetricsRegistry().gauge('dtesn_a', ''), /a help text/],
    [() => new MetricsRegistry().gauge('dtesn_a', 'A.', ['le']), /none le/],
    [() => new MetricsRegistry().histogram('dtesn_a', 'A.', [2, 1]), /increasing finite numbers/],
    [() => new MetricsRegistry().counter('dtesn_a_total', 'A.').inc({}, -1), /0 or more/],
    [() => new MetricsRegistry().counter('dtesn_a_total', 'A.').inc({ x: '1' }), /no labels/],
    [() => new MetricsRegistry().counter('dtesn_a_total', 'A.', ['x']).inc(), /the labels x/],
    [() => new MetricsRegistry().histogram('dtesn_a', 'A.', [1]).observe({}, Number.NaN), /a finite number/],
  ])('refuses wrong names, labels and values (%#)', (act, expected) => {
    expect(act).toThrow(expected);
  });

  test('removes every series with the given labels', () => {
    const metrics = new MetricsRegistry();
    const state = metrics.gauge('dtesn_engine_state', 'States.', ['engine', 'state']);
    for (const engine of ['a', 'b']) for (const name of ['up', 'down']) state.set({ engine, state: name }, 1);
    state.remove({ engine: 'a' });
    expect(metrics.text()).not.toContain('engine="a"');
    expect(metrics.text().match(/engine="b"/g)).toHaveLength(2);
  });

  test('keeps no more label sets than the bound and counts the updates beyond it', () => {
    const metrics = new MetricsRegistry({ maxSeries: 3 });
    const counter = metrics.counter('dtesn_a_total', 'A.', ['x']);
    for (let i = 0; i < 10; i++) counter.inc({ x: String(i) });
    counter.inc({ x: '0' });
    expect(metrics.text().match(/^dtesn_a_total\{/gm)).toHaveLength(3);
    expect(metrics.text()).toContain('dtesn_metrics_dropped_updates_total{family="dtesn_a_total"} 7');
  });

  test('collectors run before each page until they are ended; one that throws is counted and hides no other', () => {
    const metrics = new MetricsRegistry();
    const total = metrics.counter('dtesn_rows_total', 'Rows.');
    let rows = 4;
    metrics.collect(() => {
      throw new Error('unreadable');
    });
    const end = metrics.collect(() => total.setTotal({}, rows));
    expect(metrics.text()).toContain('dtesn_rows_total 4\n');
    rows = 9;
    end();
    expect(metrics.text()).toContain('dtesn_rows_total 4\n');
    expect(metrics.text()).toMatch(/dtesn_metrics_collect_errors_total [23]\n/);
    expect(() => total.setTotal({}, 3)).toThrow(/4 or more/);
  });
});

test('processMetrics shows the version and a delay of the event loop that was blocked', async () => {
  const metrics = new MetricsRegistry();
  const own = processMetrics(metrics, { version: '1.2.3' });
  await wait(30);
  const until = performance.now() + 120;
  while (performance.now() < until);
  await wait(30);
  const text = metrics.text();
  own.close();
  expect(text).toContain('dtesn_build_info{version="1.2.3"} 1');
  const worst = Number(/dtesn_event_loop_delay_seconds\{percentile="100"\} (\S+)/.exec(text)![1]);
  expect(worst).toBeGreaterThan(0.05);
});

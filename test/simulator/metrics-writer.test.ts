/** The writer beside prometheus_client of Python, which writes the bodies of real engines: the same lines in the same order. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../src/simulator/histogram.js';
import { type Labels, type MetricsForm, MetricsWriter } from '../../src/simulator/metrics-writer.js';

const PYTHON = '/usr/bin/python3';
const MODEL = 'C:\\a "b"\nc';
const absent = spawnSync(PYTHON, ['-c', 'import prometheus_client']).status !== 0;

const script = `
import os
import prometheus_client as p
from prometheus_client import multiprocess
L, M = ['model_name', 'engine'], ${JSON.stringify(MODEL)}
many = 'PROMETHEUS_MULTIPROC_DIR' in os.environ
own = p.CollectorRegistry()
gauge = p.Gauge('a:running', 'g', L, registry=own, multiprocess_mode='max')
counter = p.Counter('a:success', 'c', L + ['reason'], registry=own)
histogram = p.Histogram('a:latency', 'h', L, registry=own, buckets=[0.025, 1, 2.5e6])
for engine in '01': gauge.labels(M, engine).set(19)
for reason in ('stop', 'abort'):
    for engine in '01': counter.labels(M, engine, reason).inc(12345678)
for engine in '01': histogram.labels(M, engine)
for value in (0.025, 0.5, 3e6): histogram.labels(M, '1').observe(value)
registry = p.CollectorRegistry()
if many: multiprocess.MultiProcessCollector(registry)
print(p.generate_latest(registry if many else own).decode(), end='')
`;

function ofPython(form: MetricsForm): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-multiproc-'));
  const env = { ...process.env, ...(form === 'multi-process' && { PROMETHEUS_MULTIPROC_DIR: folder }) };
  const { stdout, stderr } = spawnSync(PYTHON, ['-c', script], { env, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(stderr).toBe('');
  return stdout;
}

function ofWriter(form: MetricsForm): string {
  const writer = new MetricsWriter(form, 0);
  const engines: Labels[] = ['0', '1'].map((engine) => ({ model_name: MODEL, engine }));
  writer.gauge(
    'a:running',
    'g',
    engines.map((labels) => [labels, 19]),
  );
  const reasons = ['stop', 'abort'].flatMap((reason) => engines.map((labels): Labels => ({ ...labels, reason })));
  writer.counter(
    'a:success',
    'c',
    reasons.map((labels) => [labels, 12_345_678]),
  );
  const [idle, busy] = [new Histogram([0.025, 1, 2.5e6]), new Histogram([0.025, 1, 2.5e6])];
  for (const value of [0.025, 0.5, 3e6]) busy.observe(value);
  writer.histogram('a:latency', 'h', [
    [engines[0]!, idle],
    [engines[1]!, busy],
  ]);
  return writer.text();
}

/** The blocks of the families; the times of creation are those of the run. */
const families = (text: string) =>
  text
    .replace(/(_created\{.*\}) .*$/gm, '$1')
    .split(/^(?=# HELP)/m)
    .sort();

describe.skipIf(absent)('beside prometheus_client (skipped: not installed)', { tags: ['slow'] }, () => {
  test('the single-process form equals that of prometheus_client line by line', () => {
    expect(ofWriter('single-process').replace(/(_created\{.*\}) .*$/gm, '$1')).toBe(
      ofPython('single-process').replace(/(_created\{.*\}) .*$/gm, '$1'),
    );
  });

  // In which order the files of the types are read is a matter of the folder.
  test('the multi-process form equals that of prometheus_client family by family', () => {
    expect(families(ofWriter('multi-process'))).toEqual(families(ofPython('multi-process')));
  });
});

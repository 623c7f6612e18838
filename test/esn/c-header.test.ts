/** The C header of an Esn, compiled and compared with it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  csr,
  DeepTreeModel,
  delays,
  Es2n,
  Esn,
  type EsnOptions,
  EuSn,
  Featured,
  matrix,
  Nvar,
  nlat,
  products,
  Reservoir,
} from '../../src/index.js';

const hasCompiler = spawnSync('cc', ['--version']).status === 0;
const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-c-'));
afterAll(() => rmSync(folder, { recursive: true }));
let programs = 0;

const series = Array.from({ length: 300 }, (_, t) => [3 + Math.sin(t / 3), Math.cos(t / 7)]);
const known = Array.from({ length: 30 }, (_, t) => [Math.cos((300 + t) / 7)]);
const network = { units: 40, inputs: 2, leak: 0.4, inputScaling: 0.3, biasScaling: 0.3, seed: 1 };

/** Outputs of steps, and of a forecast, one number a line. */
const program = (hasInputs: boolean) => `
#include <stdio.h>
#include "net.h"
static const double series[][NET_INPUTS] = { SERIES };
static const double known[] = { KNOWN };
int main(void) {
  static net_state n;
  static double out[64 * NET_OUTPUTS];
  (void)known;
  net_reset(&n);
  for (unsigned t = 0; t < sizeof series / sizeof *series; ++t) {
    net_step(&n, series[t], out);
    for (int o = 0; o < NET_OUTPUTS; ++o) printf("%.17g\\n", out[o]);
  }
#if NET_OUTPUTS <= NET_INPUTS
  net_resume(&n);
  net_forecast(&n, 30, ${hasInputs ? 'known, ' : ''}out);
  for (int i = 0; i < 30 * NET_OUTPUTS; ++i) printf("%.17g\\n", out[i]);
#endif
  return 0;
}
`;

function run(esn: Esn): number[] {
  const place = path.join(folder, String(programs++));
  execFileSync('mkdir', [place]);
  const hasInputs = esn.readout.outputs < 2;
  const source = program(hasInputs)
    .replace(
      'SERIES',
      series
        .slice(0, 50)
        .map((row) => `{${row}}`)
        .join(','),
    )
    .replace('KNOWN', known.join(','));
  writeFileSync(path.join(place, 'net.h'), esn.toC({ name: 'net' }));
  writeFileSync(path.join(place, 'main.c'), source);
  const strict = ['-std=c99', '-pedantic', '-Wall', '-Wextra', '-Werror', '-O1'];
  execFileSync('cc', [...strict, '-o', path.join(place, 'main'), path.join(place, 'main.c'), '-lm']);
  return execFileSync(path.join(place, 'main'), { encoding: 'utf8' }).trim().split('\n').map(Number);
}

const data = Float64Array.from({ length: 100 }, (_, i) => (i % 7 === 0 ? Math.sin(i) / 3 : 0));
const weights = {
  recurrent: matrix(10, 10, data),
  input: csr(10, 2, {
    offsets: Array.from({ length: 11 }, (_, i) => i),
    columns: [0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
    values: data.slice(0, 10).map((_, i) => 0.1 * i),
  }),
};
const segments = (['tanh', 'sigmoid', 'relu', 'identity', 'sine', 'softplus'] as const).map((activation) => ({
  units: 5,
  activation,
}));
const cases: [string, EsnOptions][] = [
  ['a reservoir', { network }],
  [
    'a reservoir with delays, squares and scaled inputs',
    {
      network,
      features: ['inputs', 'squares', 'states', nlat(2), delays(3), delays(1, { of: 'states' })],
      scale: 'standard',
      readout: { ridge: 1e-6 },
    },
  ],
  ['a reservoir of f32', { network: { ...network, dtype: 'f32' }, readout: { ridge: 1e-4 }, scale: 'range' }],
  [
    'every activation, a leak for each unit',
    {
      network: new Reservoir({
        ...network,
        units: 30,
        dtype: 'f64',
        leak: Array.from({ length: 30 }, (_, i) => (i + 1) / 40),
        activation: segments,
      }),
      readout: { ridge: 1e-5 },
    },
  ],
  ['given sparse weights', { network: new Reservoir({ weights }), readout: { ridge: 1e-4 } }],
  [
    'a cycle',
    { network: new Reservoir({ units: 60, inputs: 2, topology: 'cycle', dtype: 'f64' }), readout: { ridge: 1e-5 } },
  ],
  [
    'a deep tree',
    {
      network: new DeepTreeModel({ depth: 3, units: 30, inputs: 2, feedback: 0.2, dtype: 'f64' }),
      readout: { ridge: 1e-4 },
    },
  ],
  [
    'a synchronous deep tree',
    {
      network: new DeepTreeModel({ parents: [null, 0, 1], units: 30, inputs: 2, update: 'synchronous', dtype: 'f64' }),
      readout: { ridge: 1e-4 },
    },
  ],
  ['an Es2n', { network: new Es2n({ units: 20, inputs: 2, proximity: 0.6, dtype: 'f64' }), readout: { ridge: 1e-4 } }],
  ['an EuSn', { network: new EuSn({ units: 20, inputs: 2, step: 0.1, dtype: 'f64' }), readout: { ridge: 1e-4 } }],
  [
    'an Nvar',
    { network: new Nvar({ inputs: 2, delay: 2, strides: 2, order: 3, dtype: 'f64' }), readout: { ridge: 1e-4 } },
  ],
  [
    'an Nvar with delays',
    {
      network: new Nvar({ inputs: 2, delay: 2, order: 2, dtype: 'f64' }),
      features: ['states', delays(2, { stride: 2 })],
      readout: { ridge: 1e-4 },
    },
  ],
  [
    'a Featured of a Featured',
    {
      network: new Featured({
        network: new Featured({ network: new Reservoir({ ...network, dtype: 'f64' }), features: ['states', 'inputs'] }),
        features: ['squares', delays(1)],
      }),
      features: ['states', products({ order: 2 })],
      readout: { ridge: 1e-4 },
    },
  ],
];

function near(found: readonly number[], wanted: ArrayLike<number>) {
  expect(found.length).toBe(wanted.length);
  const worst = Math.max(...found.map((value, i) => Math.abs(value - wanted[i]!)));
  expect(worst).toBeLessThan(1e-5);
}

describe.skipIf(!hasCompiler)('the C header, compiled without a warning (skipped: no cc)', () => {
  test.each(cases)('of %s predicts and forecasts as the Esn does', (_, options) => {
    const esn = new Esn(options).fit(series);
    const found = run(esn);
    const forecast = esn.forecast({ steps: 30 });
    const predicted = esn.predict(series.slice(0, 50), { state: 'reset' });
    near(found, [...predicted.data, ...forecast.data]);
  });

  test('of an Esn with fewer outputs than inputs takes the known ones', () => {
    const esn = new Esn({ network, scale: 'standard', readout: { ridge: 1e-6 } }).fit(
      series.slice(0, -1),
      series.slice(1).map(([a]) => [a!]),
    );
    const found = run(esn);
    const forecast = esn.forecast({ steps: 30, inputs: known });
    near(found, [...esn.predict(series.slice(0, 50), { state: 'reset' }).data, ...forecast.data]);
  });

  test('of an Esn with more outputs than inputs has no forecast', () => {
    const esn = new Esn({ network, scale: 'standard' }).fit(
      series,
      series.map(([a, b]) => [a!, b!, a! * b!]),
    );
    expect(esn.toC()).not.toContain('esn_forecast');
    near(run(esn), esn.predict(series.slice(0, 50), { state: 'reset' }).data);
  });

  test('leaves out the membranes whose gates are closed', () => {
    const tree = new DeepTreeModel({ depth: 3, units: 30, inputs: 2, feedback: 0.2, inputTo: 'skin', dtype: 'f64' });
    const esn = new Esn({ network: tree, readout: { ridge: 1e-4 } }).fit(series);
    esn.state.gates![1] = 0;
    near(run(esn).slice(100), esn.forecast({ steps: 30 }).data);
  });
});

describe('toC', () => {
  test('refuses names that are no identifiers, and a network that is too large for a source', () => {
    const esn = new Esn({ network }).fit(series);
    expect(() => esn.toC({ name: '2d' })).toThrow(/a C identifier/);
    expect(() => esn.toC({ nam: 'a' } as never)).toThrow(/did you mean name/);
    const large = new Esn({ network: new Reservoir({ units: 2100, inputs: 2, topology: 'cycle' }) }).fit(series);
    expect(() => large.toC()).toThrow(/at most 4194304 places/);
    expect(() => new Esn({ network }).toC()).toThrow(/call fit first/);
  });
});

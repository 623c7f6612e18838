// Horizons of 300 units on Lorenz as a plain prototype found them (5000 steps, features [x, u, 1], 48 starts), in Lyapunov
// times. docs/readout.md states the figures.
import { describe, expect, test } from 'vitest';
import { Reservoir, type ReservoirOptions } from '../../src/network/index.js';
import { lorenz, lorenzPoints, median, validTime } from '../reference/lorenz.js';

const known = new Map<string, number>();

/** The median of five seeds. */
function horizon(ridge: number, options: object, solver: 'qr' | 'cholesky' = 'qr'): number {
  const key = JSON.stringify([ridge, options, solver]);
  const value = known.get(key) ?? measured(ridge, options, solver);
  known.set(key, value);
  return value;
}

function measured(ridge: number, options: object, solver: 'qr' | 'cholesky'): number {
  const base = { units: 300, inputs: 3, spectralRadius: 0.5, leak: 0.7, inputScaling: 0.1, biasScaling: 1 };
  const times = Array.from({ length: 5 }, (_, seed) =>
    validTime(new Reservoir({ ...base, ...options, seed } as ReservoirOptions), { ridge, solver }),
  );
  return median(times);
}

const degree10 = { topology: 'sparse', density: 10 / 300, dtype: 'f64' };

// Along a bounded orbit the means of d(x²)/dt and dz/dt are 0: <x²> = <xy> = 8/3 <z>. <z> of the attractor is 23.55 (Sparrow,
// 1982, appendix; Lorenz, 1963, has the equations), and z stays above 0 as the origin is left along the z axis only.
test('the series is the Lorenz attractor: its means obey the equations, z stays above zero, x changes sign', () => {
  const steps = 15_000;
  const points = lorenzPoints(steps);
  const [x, y, z] = [0, 1, 2].map((d) => Float64Array.from({ length: steps }, (_, t) => points[3 * t + d]!));
  const mean = (of: (t: number) => number) => x!.reduce((sum, _, t) => sum + of(t) / steps, 0);
  const meanZ = mean((t) => z![t]!);
  expect(Math.abs(meanZ / 23.55 - 1)).toBeLessThan(0.01);
  expect(Math.abs(mean((t) => x![t]! ** 2) / ((8 / 3) * meanZ) - 1)).toBeLessThan(0.005);
  expect(Math.abs(mean((t) => x![t]! * y![t]!) / ((8 / 3) * meanZ) - 1)).toBeLessThan(0.005);
  expect(Math.min(...z!)).toBeGreaterThan(0);
  expect(Math.max(...x!)).toBeGreaterThan(15);
  expect(Math.min(...x!)).toBeLessThan(-15);
});

test('the series that networks learn is standardised over its training part', () => {
  for (let d = 0; d < 3; d++) {
    const column = Array.from({ length: 5000 }, (_, t) => lorenz[3 * t + d]!);
    expect(column.reduce((sum, v) => sum + v, 0) / 5000).toBeCloseTo(0, 10);
    expect(column.reduce((sum, v) => sum + v * v, 0) / 5000).toBeCloseTo(1, 10);
  }
});

test.each([
  [1e-8, 7.8],
  [1e-12, 13.2],
  [1e-14, 15.2],
])('f64 states and QR with a ridge of %d forecast as far as the prototype', (ridge, wanted) => {
  expect(Math.abs(horizon(ridge, degree10) / wanted - 1)).toBeLessThan(0.08);
});

test('f32 states forecast as far as f64 ones down to a ridge of 1e-8', { tags: ['slow'] }, () => {
  expect(horizon(1e-8, { ...degree10, dtype: 'f32' })).toBeGreaterThan(7.4);
  expect(horizon(1e-12, { ...degree10, dtype: 'f32' })).toBeGreaterThan(9.4);
});

test("Cholesky's method forecasts as far as QR at a ridge of 1e-8", { tags: ['slow'] }, () => {
  expect(Math.abs(horizon(1e-8, degree10, 'cholesky') / horizon(1e-8, degree10) - 1)).toBeLessThan(0.05);
});

describe('blocks of rows cost nothing in accuracy', { tags: ['slow'] }, () => {
  test.each([
    [8, 1e-8],
    [16, 1e-8],
    [8, 1e-12],
    [16, 1e-12],
  ])('blocks of %i at a ridge of %d forecast within a twentieth of random sparse rows', (blockRows, ridge) => {
    const random = horizon(ridge, { topology: 'sparse', density: 0.1, dtype: 'f64' });
    const blocks = horizon(ridge, { topology: 'block-sparse', density: 0.1, blockRows, dtype: 'f64' });
    expect(Math.abs(blocks / random - 1)).toBeLessThan(0.05);
  });
});

describe.each(['dense', 'block-sparse'])('%s weights', { tags: ['slow'] }, (topology) => {
  test.each(['bf16', 'int8'])('weights in %s forecast as far as weights in f32', (precision) => {
    const narrow = horizon(1e-8, { topology, precision });
    expect(Math.abs(narrow / horizon(1e-8, { topology }) - 1)).toBeLessThan(0.05);
  });
});

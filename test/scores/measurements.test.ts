import { describe, expect, test } from 'vitest';
import { Reservoir } from '../../src/network/index.js';
import { matrix, singularValues } from '../../src/numeric/index.js';
import { RandomNumbers } from '../../src/random/index.js';
import {
  conditionalLyapunov,
  echoState,
  generalisationRank,
  informationProcessingCapacity,
  kernelRank,
  matrixRank,
  memoryCapacity,
} from '../../src/scores/index.js';

const ring = (units: number, radius: number) =>
  new Reservoir({
    units,
    inputs: 1,
    topology: 'cycle',
    spectralRadius: radius,
    activation: 'identity',
    dtype: 'f64',
    seed: 3,
  });
const noise = (steps: number) => {
  const random = new RandomNumbers(5, 'dataset');
  return Float64Array.from({ length: steps }, () => random.uniform(-1, 1));
};

describe('memory', () => {
  // Rodan & Tino (2011): MC_k = (1 - r^2N) r^(2N floor(k/N)).
  test('a linear cycle remembers what theory says, as well as can be measured', () => {
    const [units, radius] = [10, 0.9];
    const { total, byDelay } = memoryCapacity(ring(units, radius), { steps: 20_000, testSteps: 5000, delays: 40 });
    byDelay.forEach((capacity, i) => {
      const theory = (1 - radius ** (2 * units)) * radius ** (2 * units * Math.floor((i + 1) / units));
      expect(Math.abs(capacity - theory)).toBeLessThan(0.03);
    });
    expect(Math.abs(total - (units - (1 - radius ** (2 * units))))).toBeLessThan(0.3);
  });

  test('the network keeps its own state, and more inputs than one are refused', () => {
    const network = new Reservoir({ units: 5, inputs: 1 });
    network.run([1, 2, 3]);
    const state = network.state.slice();
    memoryCapacity(network, { steps: 200, testSteps: 100, delays: 3 });
    kernelRank(network);
    conditionalLyapunov(network, noise(200));
    echoState(network, noise(10));
    expect(network.state).toEqual(state);
    expect(() => memoryCapacity(new Reservoir({ units: 5, inputs: 2 }))).toThrow(
      'a network with 1 input but received 2',
    );
  });
});

describe('information processing capacity', () => {
  // A linear network computes no products of its inputs, and all N of its features are linear in them.
  test('a linear cycle has linear capacity N and no other', () => {
    const capacity = informationProcessingCapacity(ring(8, 0.7), { delays: [80, 8, 5], steps: 8000 });
    expect(capacity.byDegree[0]).toBeGreaterThan(7.9);
    expect(capacity.byDegree[0]).toBeLessThan(8.01);
    expect(capacity.byDegree[1]! + capacity.byDegree[2]!).toBeLessThan(0.03);
    expect(capacity.functions).toBe(80 + 36 + 35);
  });

  // Without bias tanh is odd, so that no even function is computed; with bias both are. The total is at most N.
  test('a reservoir with bias computes even and odd functions, one without only odd ones', () => {
    const options = { units: 20, inputs: 1, inputScaling: 1, dtype: 'f64', seed: 1 } as const;
    const odd = informationProcessingCapacity(new Reservoir(options), { steps: 5000 });
    expect(odd.byDegree[1]).toBeLessThan(0.05);
    expect(odd.byDegree[2]).toBeGreaterThan(1);
    const both = informationProcessingCapacity(new Reservoir({ ...options, biasScaling: 0.5 }), { steps: 5000 });
    expect(both.byDegree[1]).toBeGreaterThan(1);
    expect(both.total).toBeLessThan(20.2);
    expect(both.total).toBeGreaterThan(10);
  });
});

test('delays with too many functions are refused before any is made', () => {
  const network = new Reservoir({ units: 5, inputs: 1 });
  for (const [delays, functions] of [
    [[0, 10_000], 50_005_000],
    [[0, 0, 100], 171_700],
    [[100_000 / 10, 400, 45], 10_000 + 80_200 + 16_215],
  ] as const) {
    expect(() => informationProcessingCapacity(network, { delays })).toThrow(
      `at most 100000 functions for delays but received ${functions}`,
    );
  }
  const { functions } = informationProcessingCapacity(network, { delays: [0, 3, 0, 2, 1], steps: 100 });
  expect(functions).toBe(6 + 5 + 1);
});

describe('ranks', () => {
  test('singular values are those of a product of known ones', () => {
    const random = new RandomNumbers(1, 'score');
    const wanted = [5, 2, 0.3, 1e-9];
    // U diag(s) V' with reflections I - 2 v v'.
    const reflection = (n: number) => {
      const v = Array.from({ length: n }, () => random.normal());
      const square = v.reduce((sum, x) => sum + x * x, 0);
      return (x: number[]) => {
        const along = v.reduce((sum, one, i) => sum + one * x[i]!, 0);
        return x.map((one, i) => one - (2 * along * v[i]!) / square);
      };
    };
    const [left, right] = [reflection(6), reflection(4)];
    const rows = Array.from({ length: 4 }, (_, i) => right(wanted.map((_, k) => (i === k ? 1 : 0))));
    const columns = wanted.map((s, i) => left(Array.from({ length: 6 }, (_, k) => (k === i ? s : 0))));
    const product = matrix(
      6,
      4,
      Float64Array.from({ length: 24 }, (_, at) => {
        const [i, k] = [Math.floor(at / 4), at % 4];
        return wanted.reduce((sum, _, j) => sum + columns[j]![i]! * rows[j]![k]!, 0);
      }),
    );
    singularValues(product).forEach((value, i) => {
      expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-14);
    });
    expect(matrixRank(product, { tolerance: 1e-6 })).toBe(3);
    expect(matrixRank(product)).toBe(4);
  });

  // x(T) = Σ W^k V u(T - k): with c common last steps, streams differ in W^c times the rest, and share one vector.
  test('a linear delay line forgets streams that end alike, and a ring does not', () => {
    const recurrent = matrix(6, 6, new Float64Array(36));
    for (let i = 1; i < 6; i++) recurrent.data[6 * i + i - 1] = 0.9;
    const input = matrix(6, 1, [1, 0, 0, 0, 0, 0]);
    const line = new Reservoir({ weights: { recurrent, input }, activation: 'identity', dtype: 'f64' });
    expect(kernelRank(line)).toBe(6);
    expect(generalisationRank(line, { common: 6 })).toBe(1);
    expect(generalisationRank(line, { common: 4 })).toBe(3);
    expect(generalisationRank(ring(6, 0.9), { common: 6 })).toBe(6);
    expect(() => generalisationRank(line, { steps: 5, common: 6 })).toThrow('at most 5 (steps) for common');
  });
});

describe('stability', () => {
  test.each([0.5, 0.95, 1.01])('the exponent of a linear cycle of radius %d is its logarithm', (radius) => {
    const exponent = conditionalLyapunov(ring(7, radius), noise(400));
    expect(exponent).toBeCloseTo(Math.log(radius), 4);
  });

  test('f32 networks have the same exponent to the precision of their states', () => {
    const options = { units: 50, inputs: 1, spectralRadius: 0.9, seed: 2 };
    const [f32, f64] = (['f32', 'f64'] as const).map((dtype) =>
      conditionalLyapunov(new Reservoir({ ...options, dtype }), noise(1000)),
    );
    expect(Math.abs(f32! - f64!)).toBeLessThan(0.02);
    expect(f64).toBeLessThan(0);
  });

  test('a network without memory has the exponent -Infinity', () => {
    const network = new Reservoir({ weights: { recurrent: matrix(2, 2, [0, 0, 0, 0]), input: matrix(2, 1, [1, 1]) } });
    expect(conditionalLyapunov(network, noise(200))).toBe(Number.NEGATIVE_INFINITY);
  });

  test('the state of a large network is measured as that of a small one', () => {
    expect(conditionalLyapunov(ring(130_000, 0.9), noise(3), { washout: 1 })).toBeCloseTo(Math.log(0.9), 4);
  });

  test('a series without rows to measure on is refused', () => {
    expect(() => conditionalLyapunov(ring(7, 0.9), noise(100))).toThrow(
      expect.objectContaining({
        code: 'ERR_DTESN_ARGUMENT',
        message: 'Expected more than 100 rows (washout) for series but received 100',
      }),
    );
    expect(() => echoState(ring(7, 0.9), [])).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  });

  test('echo states hold for a contracting ring, at its rate, and not for an expanding one', () => {
    const contracting = echoState(ring(7, 0.8), noise(100));
    expect(contracting.holds).toBe(true);
    expect(contracting.rate).toBeCloseTo(Math.log(0.8), 8);
    expect(echoState(ring(7, 1), noise(100)).holds).toBe(false);
    const lively = new Reservoir({ units: 100, inputs: 1, spectralRadius: 3, inputScaling: 0.01, seed: 1 });
    expect(echoState(lively, noise(500)).holds).toBe(false);
    expect(conditionalLyapunov(lively, noise(500))).toBeGreaterThan(0);
  });
});

// Trajectories at 1e-13 (two integrators of scipy that agree), and the first rows of the generators of reservoirpy 0.4.2.
import { expect, test } from 'vitest';
import {
  doubleScroll,
  lorenz,
  lorenz96,
  mackeyGlass,
  multiscroll,
  rabinovichFabrikant,
  rossler,
} from '../../src/datasets/index.js';
import type { Matrix } from '../../src/numeric/index.js';
import { sharedText, skipped } from '../shared-files.js';

type Trajectory = Record<string, { x: number[]; agreement: number }>;
const text = sharedText('golden/ode-references.json');
const golden: Record<string, Trajectory> = text === null ? {} : JSON.parse(text);

const goldenOf = (begin: string) => Object.entries(golden).find(([name]) => name.startsWith(begin))?.[1] ?? {};

function row({ cols, data }: Matrix, i: number): number[] {
  return [...data.subarray(i * cols, (i + 1) * cols)];
}

const flows = [
  ['lorenz', lorenz, 0.02],
  ['lorenz', lorenz, 0.5],
  ['rossler', rossler, 0.1],
  ['chen_multiscroll', multiscroll, 0.01],
  ['rabinovich', rabinovichFabrikant, 0.05],
  ['doublescroll', doubleScroll, 0.25],
] as const;

test.skipIf(text === null).each(flows)(
  `${skipped(text)}%s follows the reference within 1e-9 (%#)`,
  (name, flow, dt) => {
    const trajectory = goldenOf(name);
    expect(Object.keys(trajectory).length).toBeGreaterThan(2);
    for (const [time, { x }] of Object.entries(trajectory)) {
      const at = Math.round(Number(time) / dt);
      const found = row(flow(at + 1, { dt }), at);
      expect([x.length, found.length]).toEqual([3, 3]);
      for (const [i, value] of found.entries()) expect(Math.abs(value - x[i]!)).toBeLessThan(1e-9);
    }
  },
);

// The reference itself is known to its `agreement` only: the model is chaotic with many exponents.
test.skipIf(text === null)(`${skipped(text)}Lorenz-96 follows the reference as far as it is known`, () => {
  const trajectory = Object.entries(goldenOf('lorenz96'));
  expect(trajectory).toHaveLength(3);
  for (const [time, { x, agreement }] of trajectory) {
    const at = Math.round(Number(time) / 0.01);
    const found = row(lorenz96(at + 1), at);
    expect([x.length, found.length]).toEqual([4, 36]); // the reference has the first four sites
    for (const [i, value] of x.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(agreement + 1e-9);
  }
});

test.skipIf(text === null).each([17, 30])(
  `${skipped(text)}Mackey-Glass with delay %i follows the reference within 1e-12`,
  (tau) => {
    const trajectory = (golden['mackey_glass'] as unknown as Record<string, Record<string, { x: number }>>)[
      `tau${tau}_const_history_1.2`
    ]!;
    expect(Object.keys(trajectory)).toHaveLength(11);
    const { data } = mackeyGlass(501, { tau });
    for (const [time, { x }] of Object.entries(trajectory)) {
      expect(Math.abs(data[Number(time)]! - x)).toBeLessThan(1e-12);
    }
  },
);

// x(t) = x* + (1.2 - x*) exp(-b t) with x* = a 1.2 / (b (1 + 1.2^10)), while the delayed value is the start.
test('Mackey-Glass is the closed form up to the delay', () => {
  const limit = (0.2 * 1.2) / (0.1 * (1 + 1.2 ** 10));
  const { data } = mackeyGlass(35, { dt: 0.5 });
  for (let t = 0; t < 35; t++) {
    expect(data[t]).toBeCloseTo(limit + (1.2 - limit) * Math.exp(-0.1 * 0.5 * t), 14);
  }
});

test('the distance of rows does not change a trajectory', () => {
  const fine = mackeyGlass(601, { dt: 0.25 }).data;
  const coarse = mackeyGlass(51, { dt: 3 }).data;
  for (let t = 0; t < 51; t++) expect(Math.abs(coarse[t]! - fine[12 * t]!)).toBeLessThan(1e-13);
  const points = lorenz(401, { dt: 0.01 });
  const far = lorenz(41, { dt: 0.1 });
  for (let t = 0; t < 41; t++) {
    row(far, t).forEach((value, i) => {
      expect(Math.abs(value - row(points, 10 * t)[i]!)).toBeLessThan(1e-10);
    });
  }
});

test('discarded rows are those before the first one', () => {
  expect(lorenz(10, { discard: 25 }).data).toEqual(lorenz(35).data.slice(75));
  expect(mackeyGlass(10, { discard: 25 }).data).toEqual(mackeyGlass(35).data.slice(25));
});

// The steps of reservoirpy have the length h n/(n-1) and the relative tolerance 1e-3.
const reservoirpy = sharedText('golden/reservoirpy-datasets.json');
test.skipIf(reservoirpy === null).each([
  ['lorenz_500', lorenz, 0.03, 1e-2],
  ['multiscroll_500', multiscroll, 0.01, 1e-2],
  ['doublescroll_500', doubleScroll, 0.25, 1e-2],
  ['rabinovich_500', rabinovichFabrikant, 0.05, 1e-2],
  ['rossler_500', rossler, 0.1, 1e-2],
] as const)(`${skipped(reservoirpy)}%s begins as reservoirpy's does`, (name, flow, h, tolerance) => {
  const { first } = JSON.parse(reservoirpy!)[name] as { first: number[][] };
  const rows = flow(first.length, { dt: (h * 500) / 499 });
  first.forEach((wanted, t) => {
    row(rows, t).forEach((value, i) => {
      expect(Math.abs(value - wanted[i]!)).toBeLessThan(tolerance * Math.max(1, Math.abs(wanted[i]!)));
    });
  });
});

test('wrong options and starts that diverge are refused by name', () => {
  expect(() => lorenz(0)).toThrow('for steps');
  expect(() => lorenz(10, { rhoo: 28 } as object)).toThrow('did you mean rho?');
  expect(() => lorenz(10, { dt: 0 })).toThrow('Expected a number above 0 for dt but received 0');
  expect(() => lorenz(10, { start: [1, 2] })).toThrow('Expected an array of 3 finite numbers for start');
  expect(() => lorenz96(10, { sites: 5, start: [1] })).toThrow('start with 5 elements (sites)');
  expect(() => rabinovichFabrikant(2000, { start: [10, 10, 10] })).toThrow(
    expect.objectContaining({ code: 'ERR_DTESN_DIVERGED' }),
  );
  expect(() => mackeyGlass(10, { start: -1 })).toThrow('for start');
  expect(() => mackeyGlass(100, { start: 1e40 })).toThrow(expect.objectContaining({ code: 'ERR_DTESN_DIVERGED' }));
  for (const tau of [1e12, 1e300]) {
    expect(() => mackeyGlass(10, { tau })).toThrow(expect.objectContaining({ code: 'ERR_DTESN_MEMORY' }));
  }
});

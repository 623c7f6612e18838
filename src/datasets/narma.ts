/** Nonlinear autoregressive moving average series. */
import { z } from 'zod';
import { checkOptions, DtesnError, rangeError } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { RandomNumbers } from '../random/index.js';
import { checkSteps, seed } from './options.js';

const coefficient = 'a finite number';

const optionsSchema = z.object({
  order: z.int().min(1).max(1000).default(10).describe('a whole number from 1 to 1000'),
  alpha: z.number().optional().describe(coefficient),
  beta: z.number().optional().describe(coefficient),
  gamma: z.number().optional().describe(coefficient),
  delta: z.number().optional().describe(coefficient),
  seed: seed(),
});

/** Options of narma. The four coefficients have defaults for orders 10 and 30 and are required for others. */
export interface NarmaOptions {
  /** n: how many steps back the series depends on itself and its input, 1 to 1000. Default 10. */
  order?: number | undefined;
  /** α. Default 0.3 (order 10), 0.2 (order 30). */
  alpha?: number | undefined;
  /** β. Default 0.05 (order 10), 0.04 (order 30). */
  beta?: number | undefined;
  /** γ. Default 1.5. */
  gamma?: number | undefined;
  /** δ. Default 0.1 (order 10), 0.001 (order 30). */
  delta?: number | undefined;
  /** Seed of the input. Default 0. */
  seed?: number | undefined;
}

/** A series and what is to be answered: row t of both is of the same step. */
export interface Task {
  /** steps x inputs. */
  readonly inputs: Matrix64;
  /** steps x outputs. */
  readonly targets: Matrix64;
}

const usual = new Map([
  [10, { alpha: 0.3, beta: 0.05, gamma: 1.5, delta: 0.1 }],
  [30, { alpha: 0.2, beta: 0.04, gamma: 1.5, delta: 0.001 }],
]);

/** How often a series that diverges is drawn again. */
const ATTEMPTS = 20;
/** The series stays below 1 where it stays at all. */
const DIVERGED = 10;

/**
 * Nonlinear autoregressive moving average series of order n.
 *
 *     y(t+1) = α y(t) + β y(t) Σ_{i=0}^{n-1} y(t-i) + γ u(t-n+1) u(t) + δ          u ~ U[0, 0.5)
 *
 * Returns inputs u(t) and targets y(t+1), each steps x 1 in f64: the answer to what was seen up to u(t). Both begin 2 n steps after
 * y = 0. A series that diverges, as some of NARMA-10 do, is drawn again from the next stream of the seed.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option or a missing coefficient; DtesnError ERR_DTESN_DIVERGED where
 * each of 20 draws does.
 * Source: Atiya & Parlos (2000), "New results on recurrent network training", IEEE Trans. Neural Networks 11(3).
 */
export function narma(steps: number, options: NarmaOptions = {}): Task {
  const { order, seed, ...given } = checkOptions(optionsSchema, options, 'narma');
  checkSteps(steps, 2);
  const factors = { ...usual.get(order), ...defined(given) };
  for (const name of ['alpha', 'beta', 'gamma', 'delta'] as const) {
    if (factors[name] === undefined)
      throw rangeError(`a number with order ${order} (only 10 and 30 have a default)`, name, undefined);
  }
  for (let stream = 0; stream < ATTEMPTS; stream++) {
    const task = drawn(steps, order, factors as Factors, new RandomNumbers(seed, 'dataset', stream));
    if (task !== null) return task;
  }
  throw new DtesnError(
    'ERR_DTESN_DIVERGED',
    `Expected a series that stays finite but each of ${ATTEMPTS} draws diverges`,
  );
}

interface Factors {
  alpha: number;
  beta: number;
  gamma: number;
  delta: number;
}

const defined = (given: Partial<Record<keyof Factors, number | undefined>>): Partial<Factors> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

function drawn(
  steps: number,
  order: number,
  { alpha, beta, gamma, delta }: Factors,
  random: RandomNumbers,
): Task | null {
  const before = 2 * order;
  const u = Float64Array.from({ length: before + steps }, () => random.uniform(0, 0.5));
  const y = new Float64Array(before + steps + 1);
  for (let t = order - 1; t < before + steps; t++) {
    let sum = 0;
    for (let i = 0; i < order; i++) sum += y[t - i]!;
    y[t + 1] = alpha * y[t]! + beta * y[t]! * sum + gamma * u[t - order + 1]! * u[t]! + delta;
    if (!(Math.abs(y[t + 1]!) < DIVERGED)) return null;
  }
  return {
    inputs: { rows: steps, cols: 1, data: u.slice(before) },
    targets: { rows: steps, cols: 1, data: y.slice(before + 1) },
  };
}

/** Whether a network forgets where it started, and how fast. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { type Floats, floats } from '../native/index.js';
import type { Network } from '../network/index.js';
import type { Matrix, SeriesInput } from '../numeric/index.js';
import { RandomNumbers } from '../random/index.js';

const lyapunovSchema = z.object({
  washout: z.int().min(0).default(100).describe('a whole number, 0 or more'),
  perturbation: z.number().gt(0).optional().describe('a number above 0'),
  seed: z.int().min(0).default(0).describe('a whole number from 0 to 9007199254740991'),
});

/** Options of conditionalLyapunov: the washout, and the distance of the two states. */
export interface ConditionalLyapunovOptions {
  /** First steps of the series that are run before the measurement. Default 100. */
  washout?: number | undefined;
  /** δ: distance of the two states. Default 1e-3 (f32) or 1e-7 (f64) times √stateSize. */
  perturbation?: number | undefined;
  /** Seed of the direction of the first perturbation. Default 0. */
  seed?: number | undefined;
}

/**
 * The largest conditional Lyapunov exponent of a network that a series drives, per step: how fast two near states part (above 0) or
 * meet (below 0: echo states).
 *
 *     λ = mean over t of ln ‖x(t+1) - y(t+1)‖ / δ          y is set back to the distance δ from x after each step
 *
 * -Infinity where the states are equal after one step. The network's own state does not change.
 *
 * Errors: RangeError ERR_DTESN_SHAPE for another number of features; TypeError or RangeError ERR_DTESN_ARGUMENT for an option, or a
 * series that the washout uses up.
 * Source: Benettin et al. (1980), Meccanica 15; Verstraeten et al. (2007), "An experimental unification of reservoir computing methods",
 * Neural Networks 20(3).
 */
export function conditionalLyapunov(
  network: Network,
  series: SeriesInput,
  options: ConditionalLyapunovOptions = {},
): number {
  const { washout, perturbation, seed } = checkOptions(lyapunovSchema, options, 'conditionalLyapunov');
  const rows = network.seriesOf(series);
  const { stateSize: size, inputs } = network;
  const count = rows.length / inputs;
  if (count <= washout) throw rangeError(`more than ${washout} rows (washout)`, 'series', count);
  const distance = perturbation ?? (network.dtype === 'f32' ? 1e-3 : 1e-7) * Math.sqrt(size);
  const [base, near] = [network.createState(), network.createState()];
  try {
    network.run(rows.slice(0, washout * inputs), { state: base, out: null });
    const random = new RandomNumbers(seed, 'score');
    const direction = Float64Array.from({ length: size }, () => random.normal());
    let length = lengthOf(direction, new Float64Array(size));
    let sum = 0;
    for (let t = washout; t < count; t++) {
      const unit = distance / length;
      for (let i = 0; i < size; i++) near.data[i] = base.data[i]! + unit * direction[i]!;
      const before = lengthOf(near.data, base.data);
      const step = rows.subarray(t * inputs, (t + 1) * inputs);
      network.run(step, { state: base, out: null });
      network.run(step, { state: near, out: null });
      const after = lengthOf(near.data, base.data);
      if (after === 0) return Number.NEGATIVE_INFINITY;
      sum += Math.log(after / before);
      for (let i = 0; i < size; i++) direction[i] = near.data[i]! - base.data[i]!;
      length = after;
    }
    return sum / (count - washout);
  } finally {
    base.close();
    near.close();
  }
}

const echoSchema = z.object({
  starts: z.int().min(2).max(1000).default(8).describe('a whole number from 2 to 1000'),
  tolerance: z.number().gt(0).lt(1).default(1e-3).describe('a number in (0, 1)'),
  seed: z.int().min(0).default(0).describe('a whole number from 0 to 9007199254740991'),
});

/** Options of echoState: how many starts, and what may be left of their distance. */
export interface EchoStateOptions {
  /** Start states, uniform on [-1, 1), 2 to 1000. Default 8. */
  starts?: number | undefined;
  /** The largest share of their distance that may be left at the end. Default 0.001. */
  tolerance?: number | undefined;
  /** Seed of the start states. Default 0. */
  seed?: number | undefined;
}

/** What is left of the distance of start states after a series. */
export interface EchoStateCheck {
  /** Whether the distance has shrunk to the tolerance: the network has forgotten its starts. */
  readonly holds: boolean;
  /** Largest distance from the first start state, before the series. */
  readonly before: number;
  /** The same after the series. */
  readonly after: number;
  /** ln(after / before) per step: below 0 where distances shrink, -Infinity where nothing is left. */
  readonly rate: number;
}

/**
 * The echo state property on a series: whether different start states end in the same one. It is a property of network and input
 * together: a long series of the kind that the network will see says most.
 *
 * Errors: RangeError ERR_DTESN_SHAPE for another number of features; TypeError or RangeError ERR_DTESN_ARGUMENT for an option, or a
 * series without rows.
 * Source: Jaeger (2001), "The 'echo state' approach", GMD report 148; Yildiz, Jaeger & Kiebel (2012), Neural Networks 35.
 */
export function echoState(network: Network, series: SeriesInput, options: EchoStateOptions = {}): EchoStateCheck {
  const { starts, tolerance, seed } = checkOptions(echoSchema, options, 'echoState');
  const rows = network.seriesOf(series);
  if (rows.length === 0) throw rangeError('at least one row', 'series', 0);
  const random = new RandomNumbers(seed, 'score');
  const states = floats(network.dtype, starts * network.stateSize);
  for (let i = 0; i < states.length; i++) states[i] = random.uniform(-1, 1);
  const one: Matrix = { rows: rows.length / network.inputs, cols: network.inputs, data: rows };
  const before = farthest(states, network.stateSize);
  network.runBatch(new Array<Matrix>(starts).fill(one), { out: null, states });
  const after = farthest(states, network.stateSize);
  return { holds: after <= tolerance * before, before, after, rate: Math.log(after / before) / one.rows };
}

function lengthOf(a: Floats, b: Floats): number {
  let square = 0;
  for (let i = 0; i < a.length; i++) square += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(square);
}

function farthest(states: Floats, size: number): number {
  const first = states.subarray(0, size) as Floats;
  let most = 0;
  for (let from = size; from < states.length; from += size) {
    most = Math.max(most, lengthOf(states.subarray(from, from + size) as Floats, first));
  }
  return most;
}

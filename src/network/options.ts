/** Options of a region of reservoir units: one schema for the plain reservoir and for every membrane of a tree. */
import { z } from 'zod';
import { rangeError, shapeError } from '../errors/index.js';
import { defaultDtype, type FloatDtype, type Floats, floats, type OperatorSpec } from '../native/index.js';
import { checkAsStored, checkMemory } from '../numeric/index.js';

export const topologies = ['dense', 'sparse', 'block-sparse', 'cycle', 'permutation', 'hadamard'] as const;
/** Which places of W have weights; RegionOptions.topology describes each. */
export type Topology = (typeof topologies)[number];
const topologyText = topologies
  .map((name) => `'${name}'`)
  .join(', ')
  .replace(/, (?=[^,]*$)/, ' or ');

export const precisions = ['f32', 'f64', 'bf16', 'int8'] as const;
/** Storage type of W: 'f32', 'f64', 'bf16' (relative error 2^-9 a weight) or 'int8' (a scale for each row). */
export type Precision = (typeof precisions)[number];
export const precisionSchema = z.enum(precisions).optional().describe("'f32', 'f64', 'bf16' or 'int8'");

/** A reservoir of so many units or more is block-sparse by default: the same accuracy with a tenth of the weights. */
export const BLOCK_SPARSE_FROM = 256;
const SPARSE_DENSITY = 0.1;

const between01 = 'a number in (0, 1]';
const finite = 'a finite number, 0 or more';

export const leakSchema = z.union([z.number().gt(0).lte(1), z.array(z.number().gt(0).lte(1)), floatArray()]);

/** Options of units whose weights are drawn. */
export interface RegionOptions {
  /** D: numbers of each step of the series, 1 to 1,000,000. Required. */
  inputs: number;
  /** Scale of the input weights: W_in is dense, drawn from U(-1, 1) times this, 0 or more. Default 1. */
  inputScaling?: number | undefined;
  /** Scale of the bias: b is drawn from U(-1, 1) times this, 0 or more. Default 0. */
  biasScaling?: number | undefined;
  /**
   * Which places of W have weights, drawn from U(-1, 1) and scaled to the spectral radius.
   *
   * - dense: every place
   * - sparse: `density` of each row, at random (CSR, the same in-degree in each row)
   * - block-sparse: `density` of each row; `blockRows` consecutive rows share their columns, which makes it some ten times
   *   faster than sparse at the same density; at most 65,536 units
   * - cycle: W[i, i-1] = spectralRadius, everything else 0
   * - permutation: one spectralRadius in each row and each column, at random
   * - hadamard: W = spectralRadius n^(-3/2) H D1 H D2 H D3 with Walsh-Hadamard matrices H and random signs D, as good as a
   *   dense random orthogonal matrix at n log n operations and no memory for weights; units must be a power of two
   *
   * Default: 'block-sparse' from 256 units on, else 'dense'; 'sparse' where a `density` below 1 is given for fewer units.
   */
  topology?: Topology | undefined;
  /** Share of the places of a row that have a weight, in (0, 1]. Default 0.1 where W is sparse or block-sparse, else 1. */
  density?: number | undefined;
  /** Rows that share their columns in a block-sparse W. Default 8. */
  blockRows?: 8 | 16 | undefined;
  /** Element type of states, series and W_in. Default 'f32', or that of `precision`. */
  dtype?: FloatDtype | undefined;
  /** Where the network's own state lies: units elements on shared memory. Default: fresh zeros. */
  state?: Float32Array | Float64Array | undefined;
  /** Seed of the drawn weights; the same seed gives the same weights on every platform (docs/random.md). Default 0. */
  seed?: number | undefined;
}

export const regionShape = {
  inputs: z.int().min(1).max(1_000_000).describe('a whole number from 1 to 1000000'),
  inputScaling: z.number().min(0).default(1).describe(finite),
  biasScaling: z.number().min(0).default(0).describe(finite),
  topology: z.enum(topologies).optional().describe(topologyText),
  density: z.number().gt(0).lte(1).optional().describe(between01),
  blockRows: z
    .union([z.literal(8), z.literal(16)])
    .default(8)
    .describe('8 or 16'),
  dtype: z.enum(['f32', 'f64']).default(defaultDtype).describe("'f32' or 'f64'"),
  state: z
    .custom<Float32Array | Float64Array>((value) => ArrayBuffer.isView(value))
    .optional()
    .describe('a Float32Array or Float64Array of units elements on shared memory'),
  seed: z.int().min(0).default(0).describe('a whole number from 0 to 9007199254740991'),
};

export const spectralRadiusSchema = z.number().gt(0).max(1e6);
export const spectralRadiusText = 'a number in (0, 1000000]';
export const leakText = 'a number in (0, 1], or one for each unit';
export const unitsSchema = z.int().min(1).max(16_777_216);
export const unitsText = 'a whole number from 1 to 16777216';

function floatArray() {
  return z.custom<Float32Array | Float64Array>(
    (value) =>
      (value instanceof Float32Array || value instanceof Float64Array) && value.every((leak) => leak > 0 && leak <= 1),
  );
}

/** Topologies that store no weight for each place: O(units) memory, known spectral radius. */
export function isStructured(topology: Topology): boolean {
  return topology === 'cycle' || topology === 'permutation' || topology === 'hadamard';
}

/** The dtype of the states and the precision of W, with defaults for options left out. */
export function resolvePrecision(
  dtype: FloatDtype | undefined,
  precision: Precision | undefined,
  fallback: FloatDtype,
): { dtype: FloatDtype; precision: Precision; narrow: boolean } {
  const narrow = precision === 'bf16' || precision === 'int8';
  const states = narrow ? 'f32' : precision;
  if (dtype !== undefined && states !== undefined && dtype !== states) {
    throw rangeError(`'${states}' with precision '${precision}'`, 'dtype', dtype);
  }
  const resolved = dtype ?? states ?? fallback;
  return { dtype: resolved, precision: precision ?? resolved, narrow };
}

/** The topology and density, with defaults for options left out. */
export function resolveTopology(
  units: number,
  topology: Topology | undefined,
  density: number | undefined,
): { topology: Topology; density: number } {
  const sparse = density === undefined ? units >= BLOCK_SPARSE_FROM : density < 1;
  const chosen = topology ?? (sparse ? (units >= BLOCK_SPARSE_FROM ? 'block-sparse' : 'sparse') : 'dense');
  if (chosen === 'hadamard' && !Number.isInteger(Math.log2(units))) {
    throw rangeError("a power of two with topology 'hadamard'", 'units', units);
  }
  if (chosen !== 'sparse' && chosen !== 'block-sparse') {
    if (density !== undefined && density < 1) {
      throw rangeError(`no density below 1 with topology '${chosen}'`, 'density', density);
    }
    return { topology: chosen, density: 1 };
  }
  if (chosen === 'block-sparse' && units > 65_536) {
    throw rangeError("at most 65536 with topology 'block-sparse' (use 'sparse')", 'units', units);
  }
  return { topology: chosen, density: density ?? SPARSE_DENSITY };
}

/** One rate a unit, from a number or from as many numbers; none may become 0 as it is stored. */
export function ratesOf(rate: number | ArrayLike<number>, units: number, dtype: FloatDtype, argument = 'leak'): Floats {
  const values = floats(dtype, units);
  if (typeof rate === 'number') values.fill(rate);
  else if (rate.length === units) values.set(rate);
  else throw shapeError(`${argument} with ${units} elements (units)`, rate.length);
  const zero = values.indexOf(0);
  if (zero >= 0) {
    throw rangeError(`numbers above 0 in ${dtype}`, argument, typeof rate === 'number' ? rate : rate[zero]);
  }
  return values;
}

/** Options of W that is drawn, as the schemas have checked them. */
export interface RecurrentOptions {
  topology?: Topology | undefined;
  density?: number | undefined;
  blockRows: 8 | 16;
  spectralRadius: number;
}

export interface DrawnRecurrent {
  spec: OperatorSpec;
  topology: Topology;
  /** Weights of a row that take memory. */
  degree: number;
}

/** W as it is drawn: its topology and density resolved, its precision one that the topology has. */
export function drawnRecurrent(units: number, options: RecurrentOptions, precision: Precision): DrawnRecurrent {
  const { blockRows, spectralRadius } = options;
  const { topology, density } = resolveTopology(units, options.topology, options.density);
  const isNarrow = precision === 'bf16' || precision === 'int8';
  if (isNarrow && topology !== 'dense' && topology !== 'block-sparse') {
    throw rangeError(`'dense' or 'block-sparse' with precision '${precision}'`, 'topology', topology);
  }
  const degree = isStructured(topology) ? 0 : Math.max(1, Math.round(density * units));
  return { spec: { kind: 'topology', spectralRadius, topology, density, blockRows, precision }, topology, degree };
}

/** Scalings of drawn W_in and b, finite as they are stored. */
export function checkScalings(
  { inputScaling, biasScaling }: { inputScaling: number; biasScaling: number },
  dtype: FloatDtype,
): void {
  checkAsStored(inputScaling, dtype, 'inputScaling');
  checkAsStored(biasScaling, dtype, 'biasScaling');
}

export function checkWeightMemory(weights: number, dtype: FloatDtype, purpose: string): void {
  checkMemory(weights * (dtype === 'f32' ? 4 : 8), purpose);
}

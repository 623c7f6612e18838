/** Weights of membranes that initializers make, as the operators of the native regions. */
import { z } from 'zod';
import { argumentError, rangeError } from '../errors/index.js';
import { type Initializer, weightSeeds } from '../initializers/index.js';
import type { FloatDtype, NativeRegionSpec } from '../native/index.js';
import { isCsr } from '../numeric/index.js';
import { type AnyMatrix, biasOf, columnOf, initializerSchema, madeMatrix, operatorOf } from './given-weights.js';
import type { Precision } from './options.js';

const sources = z.union([initializerSchema, z.array(initializerSchema).min(1)]).optional();
export const treeSourcesSchema = z.strictObject({
  recurrent: sources,
  input: sources,
  bias: sources,
  coupling: sources,
  feedback: sources,
});

/**
 * Initializers of a Deep Tree: one for all membranes, or one for each level (or membrane of `parents`). Each is called once
 * a membrane, with its rows, its columns and a seed of its own (`weightSeeds(seed, membrane)`).
 */
export interface TreeWeightSources {
  /** W of each membrane, units x units, used as it is made. Default: drawn by `topology` and `spectralRadius`. */
  recurrent?: Initializer | Initializer[] | undefined;
  /** W_in of each membrane that the input reaches, units x inputs. Default: drawn by `inputScaling`. */
  input?: Initializer | Initializer[] | undefined;
  /** b of each membrane, units x 1, dense. Default: drawn by `biasScaling`. */
  bias?: Initializer | Initializer[] | undefined;
  /** C of each membrane with a parent, units x units of the parent, which κ w(τ) scales; κ is above 0. Default: drawn. */
  coupling?: Initializer | Initializer[] | undefined;
  /** F of each membrane with a parent, units of the parent x units, which κ_fb w(τ) scales; κ_fb is above 0. Default: drawn. */
  feedback?: Initializer | Initializer[] | undefined;
}

/** The initializers of one membrane; those left out are undefined. */
export type MembraneSources = { [Name in keyof TreeWeightSources]?: Initializer | undefined };

/** What initializers of a membrane are called with, and how its weights are stored. */
interface Membrane {
  index: number;
  units: number;
  inputs: number;
  /** Units of the parent; 0 without one. */
  above: number;
  /** Whether the input reaches it. */
  reached: boolean;
  seed: number;
  dtype: FloatDtype;
  precision: Precision;
}

/** A region of drawn weights with those that initializers make in their place; its blocks have their scales still. */
export function withMade(region: NativeRegionSpec, sources: MembraneSources, membrane: Membrane): NativeRegionSpec {
  const { index, units, inputs, above, reached, seed, dtype, precision } = membrane;
  const seeds = weightSeeds(seed, index);
  const parts: Partial<NativeRegionSpec> = {};
  const made = (name: keyof TreeWeightSources, rows: number, cols: number) =>
    madeMatrix(sources[name]!, { rows, cols, seed: seeds[name] }, nameOf(name));
  const nameOf = (name: string) => `weights.${name} (membrane ${index})`;
  if (sources.recurrent) {
    const weights = made('recurrent', units, units);
    const isNarrow = precision === 'bf16' || precision === 'int8';
    if (isNarrow && isCsr(weights)) {
      throw rangeError(`dense weights with precision '${precision}'`, nameOf('recurrent'), weights);
    }
    parts.recurrent = operatorOf(weights, dtype, nameOf('recurrent'), { precision });
  }
  if (sources.input && reached) parts.input = operatorOf(made('input', units, inputs), dtype, nameOf('input'));
  if (sources.bias) {
    parts.bias = biasOf(columnOf(made('bias', units, 1), units, nameOf('bias')), units, dtype);
  }
  const block = (name: 'coupling' | 'feedback', rows: number, cols: number) => {
    const scale = region[name];
    if (!sources[name] || typeof scale !== 'number' || scale === 0) return;
    parts[name] = operatorOf(scaled(made(name, rows, cols), scale), dtype, nameOf(name));
  };
  block('coupling', units, above);
  block('feedback', above, units);
  return { ...region, ...parts };
}

/** Weights times a number, in f64. */
function scaled(weights: AnyMatrix, scale: number): AnyMatrix {
  const times = (values: ArrayLike<number>) => Float64Array.from(values, (value) => scale * value);
  return isCsr(weights) ? { ...weights, values: times(weights.values) } : { ...weights, data: times(weights.data) };
}

const unused = {
  recurrent: ['spectralRadius', 'topology', 'density', 'blockRows'],
  input: ['inputScaling'],
  bias: ['biasScaling'],
} as const;

/** Refuses options of weights that are not drawn, and initializers of blocks that a scale of 0 leaves out. */
export function checkUnused(
  options: object,
  sources: TreeWeightSources,
  scales: { coupling: number; feedback: number },
): void {
  for (const name of ['coupling', 'feedback'] as const) {
    if (sources[name] === undefined || scales[name] > 0) continue;
    throw argumentError(`${name} above 0 with weights.${name}`, name, scales[name]);
  }
  for (const [name, keys] of Object.entries(unused)) {
    if (sources[name as keyof TreeWeightSources] === undefined) continue;
    for (const key of keys) {
      const value = (options as Record<string, unknown>)[key];
      if (value !== undefined) throw argumentError(`no ${key} with weights.${name}`, key, value);
    }
  }
}

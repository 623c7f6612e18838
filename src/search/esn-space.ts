/** Spaces of candidates that are options of an Esn: what is drawn, and what all candidates try on the same states. */
import { z } from 'zod';
import { argumentError, rangeError } from '../errors/index.js';
import { type EsnOptions, esnFields } from '../esn/index.js';
import type { DrawnReservoirOptions, Feature } from '../network/index.js';
import { ridgePath } from '../readout/index.js';
import type { SearchData64 } from './search-data.js';
import type { SearchConstant, SearchDimension, SearchRange, SearchSpace } from './space.js';

/**
 * A space of options of an Esn: of its Reservoir, and its own. Each is a range, an array of values to choose from, or a value; `inputs` and
 * `seed` are those of the data and of the search.
 */
export type EsnSearchSpace = SearchSpace & {
  readonly [Name in Exclude<keyof DrawnReservoirOptions, 'inputs' | 'seed' | 'state' | 'units'>]?: SearchDimension;
} & {
  /** Units of the reservoir. Required. */
  readonly units: SearchDimension;
  /**
   * Ridges, all of which every candidate tries: a range has those of each decade, both ends included. Default: 1e-14 to 1e2; for one series
   * without targets 1e-14, 1e-11, 1e-8 and 1e-5.
   */
  readonly ridge?: SearchRange | readonly number[] | number;
  /** Sets of features, all of which every candidate tries. Default: ['states', 'inputs'] alone. */
  readonly features?: readonly (readonly Feature[])[];
  /** First steps of each series that are run and not learned. Default 0. */
  readonly washout?: readonly number[] | SearchRange | number;
  /** How inputs are scaled, by all rows of the data. Default 'none'. */
  readonly scale?: SearchConstant | readonly SearchConstant[];
};

const networkNames = [
  ...['units', 'leak', 'spectralRadius', 'inputScaling', 'biasScaling', 'topology', 'density', 'blockRows'],
  ...['activation', 'dtype', 'precision'],
];
/** Names that a space may have. */
export const candidateNames: readonly string[] = [...networkNames, 'ridge', 'features', 'washout', 'scale'];

const forecastPath = [1e-14, 1e-11, 1e-8, 1e-5];

/** What is drawn, and the ridges and sets of features that every candidate tries. */
export function splitSpace({ ridge, features, ...drawn }: EsnSearchSpace, data: Pick<SearchData64, 'horizon'>) {
  if (drawn.units === undefined) throw argumentError('units of the reservoir', 'space.units', drawn.units);
  const ridges = ridge === undefined ? (data.horizon > 1 ? forecastPath : ridgePath) : ridgesOf(ridge);
  const sets = features ?? [['states', 'inputs'] as const];
  if (!sets.every((set) => Array.isArray(set) && set.length > 0)) {
    throw argumentError("sets of features such as [['states'], ['states', 'squares']]", 'space.features', features);
  }
  return { drawn: drawn as SearchSpace, ridges, sets };
}

function ridgesOf(ridge: SearchRange | readonly number[] | number): readonly number[] {
  if (typeof ridge === 'number') return [ridge];
  if (Array.isArray(ridge)) return ridge as readonly number[];
  const { low, high } = ridge as SearchRange;
  if (!(low > 0)) throw rangeError('a number above 0', 'space.ridge.low', low);
  const decades = Math.max(1, Math.round(Math.log10(high / low)));
  return Array.from({ length: decades + 1 }, (_, i) => Number((low * (high / low) ** (i / decades)).toPrecision(12)));
}

/** The options of an Esn that a candidate stands for, but for its ridge and its features. */
export function optionsOf(
  candidate: object,
  inputs: number,
  seed: number,
): EsnOptions & { network: DrawnReservoirOptions } {
  const { washout, scale, ...network } = candidate as Partial<EsnOptions>;
  const checked = z.object({ washout: esnFields.washout, scale: esnFields.scale }).parse({ washout, scale });
  return { ...checked, network: { dtype: 'f64', ...network, inputs, seed } as DrawnReservoirOptions };
}

/**
 * Spaces of candidates: what a search draws from, as plain data.
 *
 *     { spectralRadius: { low: 0.1, high: 1.5 }, ridge: { low: 1e-12, high: 1e-2, scale: 'log' },
 *       units: { low: 50, high: 300, scale: 'integer' }, topology: ['dense', 'cycle'], inputs: 1 }
 */
import { argumentError, checkKeys, rangeError } from '../errors/index.js';
import { RandomNumbers } from '../random/index.js';

/** Numbers from `low` to `high`. */
export interface SearchRange {
  /** The least value. */
  readonly low: number;
  /** The largest value; for 'integer' it is drawn too. */
  readonly high: number;
  /** 'linear' and 'log' are uniform in the number and in its logarithm, 'integer' in whole numbers. Default 'linear'. */
  readonly scale?: 'linear' | 'log' | 'integer' | undefined;
}

/** A value that every candidate has. */
export type SearchConstant = number | string | boolean | null;

/** One parameter of a space: a range, an array of values to choose from, or a value that is always the same. */
export type SearchDimension = SearchRange | readonly unknown[] | SearchConstant;

/** Parameters by their names. Plain data, so that it can be written to the file of a search. */
export type SearchSpace = Readonly<Record<string, SearchDimension>>;

/** What a candidate of a space is. */
export type CandidateOf<Space extends SearchSpace> = {
  -readonly [Name in keyof Space]: Space[Name] extends readonly (infer Value)[]
    ? Value
    : Space[Name] extends SearchRange
      ? number
      : Space[Name];
};

/** Candidate `index` of a space: the same whatever the others are. */
export function drawCandidate<Space extends SearchSpace>(
  space: Space,
  seed: number,
  index: number,
): CandidateOf<Space> {
  const random = new RandomNumbers(seed, 'search', index);
  return Object.fromEntries(
    Object.entries(space).map(([name, dimension]) => [name, drawValue(dimension, random)]),
  ) as CandidateOf<Space>;
}

function drawValue(dimension: SearchDimension, random: RandomNumbers): unknown {
  if (Array.isArray(dimension)) return dimension[random.below(dimension.length)];
  if (typeof dimension !== 'object' || dimension === null) return dimension;
  const { low, high, scale = 'linear' } = dimension as SearchRange;
  if (scale === 'integer') return low + random.below(high - low + 1);
  if (scale === 'log') return Math.exp(random.uniform(Math.log(low), Math.log(high)));
  return random.uniform(low, high);
}

/** Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the parameter. */
export function checkSpace(space: unknown): asserts space is SearchSpace {
  if (typeof space !== 'object' || space === null || Array.isArray(space)) {
    throw argumentError('an object of parameters', 'space', space);
  }
  for (const [name, dimension] of Object.entries(space)) checkDimension(dimension, `space.${name}`);
}

function checkDimension(dimension: unknown, argument: string): void {
  if (Array.isArray(dimension)) {
    if (dimension.length === 0) throw rangeError('at least one value', argument, dimension);
  } else if (typeof dimension === 'object' && dimension !== null) {
    checkRange(dimension as SearchRange, argument);
  } else if (!['number', 'string', 'boolean'].includes(typeof dimension) && dimension !== null) {
    throw argumentError('{ low, high, scale }, an array of values, or a value', argument, dimension);
  }
}

function checkRange(range: SearchRange, argument: string): void {
  checkKeys(range, ['low', 'high', 'scale'], argument);
  const { low, high, scale = 'linear' } = range;
  if (!Number.isFinite(low)) throw rangeError('a finite number', `${argument}.low`, low);
  if (!(Number.isFinite(high) && high >= low))
    throw rangeError(`a finite number, ${low} or more,`, `${argument}.high`, high);
  if (!['linear', 'log', 'integer'].includes(scale))
    throw rangeError("'linear', 'log' or 'integer'", `${argument}.scale`, scale);
  if (scale === 'log' && low <= 0) throw rangeError("a number above 0 with the scale 'log'", `${argument}.low`, low);
  const isWhole = Number.isSafeInteger(low) && Number.isSafeInteger(high) && high - low < 2 ** 32;
  if (scale === 'integer' && !isWhole)
    throw rangeError("whole numbers with the scale 'integer'", argument, `${low} to ${high}`);
}

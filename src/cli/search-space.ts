/** The space that `dtesn search` draws from: its own ranges, and those that flags give. */
import type { EsnSearchSpace } from '../search/index.js';
import { numberOf, washoutOf } from './models.js';
import { UsageError } from './usage-error.js';

/** What flags say of the space. */
export interface SpaceValues {
  units?: string;
  leak?: string;
  'spectral-radius'?: string;
  'input-scaling'?: string;
  'bias-scaling'?: string;
  ridge?: string;
  washout?: string;
}

type DimensionName = Exclude<keyof SpaceValues, 'washout'>;
type Scale = 'linear' | 'log' | 'integer';

/** What an end of a range may be; `above` is left out of it. */
interface Bounds {
  expected: string;
  above?: number;
  least?: number;
  most: number;
}

const scaling = { expected: 'a number from 0 to 1e6', least: 0, most: 1e6 };
const bounds: Record<DimensionName, Bounds> = {
  units: { expected: `a whole number from 1 to ${2 ** 24}`, least: 1, most: 2 ** 24 },
  leak: { expected: 'a number above 0, up to 1', above: 0, most: 1 },
  'spectral-radius': { expected: 'a number above 0, up to 1e6', above: 0, most: 1e6 },
  'input-scaling': scaling,
  'bias-scaling': scaling,
  ridge: { expected: 'a number from 0 to 1e100', least: 0, most: 1e100 },
};
/** The least end of a range on a logarithmic scale. */
const LEAST_OF_LOG = 1e-100;

/** The space of candidates for a series of so many steps. Errors: UsageError that names the flag. */
export function spaceOf(values: SpaceValues, steps: number): EsnSearchSpace {
  const dimension = (name: DimensionName, text: string, scale: Scale) => dimensionOf(name, values[name] ?? text, scale);
  return {
    units: dimension('units', '100..300', 'integer'),
    leak: dimension('leak', '0.1..1', 'linear'),
    spectralRadius: dimension('spectral-radius', '0.1..1.3', 'linear'),
    inputScaling: dimension('input-scaling', '0.01..1', 'log'),
    biasScaling: dimension('bias-scaling', '0.01..1', 'log'),
    washout: washoutWithin(values.washout, steps),
    scale: 'standard',
    ...(values.ridge !== undefined && { ridge: dimensionOf('ridge', values.ridge, 'log') }),
  };
}

/** A number, or a range whose ends stand apart by two points. */
function dimensionOf(name: DimensionName, text: string, scale: Scale) {
  const [first = '', second, ...more] = text.split('..');
  const low = endOf(name, more.length > 0 ? text : first, scale);
  if (second === undefined) return low;
  const high = endOf(name, second, scale);
  if (high < low) throw wrong('a range whose first end is the lower one', name, text);
  if (scale === 'log' && low < LEAST_OF_LOG) throw wrong(`a range from ${LEAST_OF_LOG} or more`, name, text);
  return { low, high, scale };
}

function endOf(name: DimensionName, text: string, scale: Scale): number {
  const value = numberOf(name, text, 'search');
  const { expected, above = Number.NEGATIVE_INFINITY, least = Number.NEGATIVE_INFINITY, most } = bounds[name];
  const isWithin = value > above && value >= least && value <= most;
  if (isWithin && (scale !== 'integer' || Number.isInteger(value))) return value;
  throw wrong(expected, name, text);
}

/** The first of the three parts that candidates are trained on has a quarter of the steps, and more than the washout. */
function washoutWithin(text: string | undefined, steps: number): number {
  const washout = washoutOf(text, steps, 'search');
  const most = Math.floor((steps - 1) / 4) - 1;
  if (Number.isInteger(washout) && washout >= 0 && washout <= most) return washout;
  throw wrong(`a whole number from 0 to ${most}, less than a quarter of the steps,`, 'washout', String(text));
}

function wrong(expected: string, name: string, text: string): UsageError {
  return new UsageError(`Expected ${expected} for --${name} but received ${text}`, 'search');
}

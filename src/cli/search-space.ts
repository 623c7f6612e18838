/** The space that `dtesn search` draws from: its own ranges, and those that flags give. */
import type { EsnSearchSpace } from '../search/index.js';
import { numberOf, washoutOf } from './models.js';

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

/** The space of candidates for a series of so many steps. */
export function spaceOf(values: SpaceValues, steps: number): EsnSearchSpace {
  const dimension = (name: Exclude<keyof SpaceValues, 'washout'>, text: string, scale: 'linear' | 'log' | 'integer') =>
    dimensionOf(name, values[name] ?? text, scale);
  return {
    units: dimension('units', '100..300', 'integer'),
    leak: dimension('leak', '0.1..1', 'linear'),
    spectralRadius: dimension('spectral-radius', '0.1..1.3', 'linear'),
    inputScaling: dimension('input-scaling', '0.01..1', 'log'),
    biasScaling: dimension('bias-scaling', '0.01..1', 'log'),
    washout: washoutOf(values.washout, steps, 'search'),
    scale: 'standard',
    ...(values.ridge !== undefined && { ridge: dimensionOf('ridge', values.ridge, 'log') }),
  };
}

/** A number, or a range whose ends stand apart by two points. */
function dimensionOf(name: string, text: string, scale: 'linear' | 'log' | 'integer') {
  const [low = '', high, ...more] = text.split('..');
  const first = numberOf(name, more.length > 0 ? text : low, 'search');
  return high === undefined ? first : { low: first, high: numberOf(name, high, 'search'), scale };
}

/** The target of a plan: the model that will run the series, and the kind of input. */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import { usableCpus } from '../host/index.js';

const targetSchema = z.object({
  inputKind: z.enum(['tokens', 'numbers']).describe("'tokens' or 'numbers'"),
  inputs: z.int().min(1).describe('a whole number of inputs, 1 or more'),
  units: z.int().min(1).describe('a whole number of units, 1 or more'),
  membranes: z.int().min(1).describe('a whole number of membranes, 1 or more'),
  membraneLevels: z.array(z.int().min(1)).min(1).describe('an array of whole numbers, membranes a level, skin first'),
  bytesPerUnit: z.int().min(1).describe('a whole number of bytes, 1 or more'),
  cores: z.int().min(1).describe('a whole number of cores, 1 or more'),
  steps: z.int().min(0).optional().describe('a whole number of steps, 0 or more'),
  embeddingSeed: z.int().min(0).optional().describe('a whole number in [0, 2^53)'),
});

/**
 * The target of a plan: the model that will run the series, and the kind of input.
 */
export interface PlanTarget {
  inputKind: 'tokens' | 'numbers';
  /** Features the model takes a step: D. */
  inputs: number;
  /** Units of all membranes together. */
  units: number;
  membranes: number;
  /** Membranes of each level, the skin's first; they sum to `membranes`. */
  membraneLevels: number[];
  bytesPerUnit: number;
  cores: number;
  /** Length of the series, where it is known; it only adds figures to the reasons. */
  steps?: number | undefined;
  /** Seed of the token embedding, 0 by default. */
  embeddingSeed?: number | undefined;
}

/** Tokens into a tree of depth 4 with 1,024 f32 units and 16 inputs, on all cores of this host. */
export function defaultTarget(): PlanTarget {
  return {
    inputKind: 'tokens',
    inputs: 16,
    units: 1024,
    membranes: 8,
    membraneLevels: [1, 1, 2, 4],
    bytesPerUnit: 4,
    cores: usableCpus(),
  };
}

export function checkTarget(target: PlanTarget): PlanTarget {
  const checked = checkOptions(targetSchema, target, 'the plan target');
  const sum = checked.membraneLevels.reduce((total, level) => total + level, 0);
  if (sum !== checked.membranes) {
    throw rangeError(`levels that sum to ${checked.membranes} membranes`, 'membraneLevels', sum);
  }
  return checked;
}

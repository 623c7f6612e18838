/** Seeds of the weights of one network, from its own seed. */
import { checkWhole } from '../errors/index.js';
import { RandomNumbers } from '../random/index.js';

/** A seed for each kind of weights of one region. */
export interface WeightSeeds {
  /** Of W, and of A of an EuSn. */
  recurrent: number;
  /** Of W_in. */
  input: number;
  /** Of b. */
  bias: number;
  /** Of O of an Es2n. */
  orthogonal: number;
  /** Of C, from the parent of a membrane. */
  coupling: number;
  /** Of F, back to the parent of a membrane. */
  feedback: number;
}

/**
 * The seeds that a network gives its initializers, from its own: the same weights can be made without it. `membrane` is
 * the index of a membrane of a Deep Tree; a network of one region has the seeds of membrane 0.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a seed or a membrane that is not a whole number, 0 or more.
 */
export function weightSeeds(seed: number, membrane = 0): WeightSeeds {
  checkWhole(membrane, 'membrane', 0, 65_535);
  const random = new RandomNumbers(checkWhole(seed, 'seed', 0), 'weightSeeds', membrane);
  const next = () => random.seed();
  return { recurrent: next(), input: next(), bias: next(), orthogonal: next(), coupling: next(), feedback: next() };
}

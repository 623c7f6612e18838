/** Seeds of the weights of one network, from its own seed. */
import { RandomNumbers } from '../random/index.js';

/** The seeds that Reservoir gives the initializers of W, W_in and b, from its own: the same weights can be made without it. */
export function weightSeeds(seed: number): { recurrent: number; input: number; bias: number } {
  const random = new RandomNumbers(seed, 'weightSeeds');
  return { recurrent: random.seed(), input: random.seed(), bias: random.seed() };
}

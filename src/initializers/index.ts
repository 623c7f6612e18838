/**
 * dtesn/initializers: functions that make weights, by name and paper. `new Reservoir({ units, inputs, weights: { recurrent: cycle(), input:
 * uniform() } })` takes them; so does anything else that is a function of rows, columns and a seed.
 *
 * @module dtesn/initializers
 */
export {
  type CycleOptions,
  type CycleWithJumpsOptions,
  cycle,
  cycleWithJumps,
  type DelayLineOptions,
  delayLine,
} from './cycles.js';
export {
  type BernoulliOptions,
  bernoulli,
  type DrawnWeightsOptions,
  type NormalOptions,
  normal,
  type UniformOptions,
  uniform,
} from './drawn.js';
export {
  type BandOptions,
  band,
  type ClusterOptions,
  cluster,
  type GraphOptions,
  type SmallWorldOptions,
  smallWorld,
} from './graphs.js';
export type { DenseInitializer, Initializer, InitialWeights } from './initializer.js';
export {
  type ChebyshevInputOptions,
  chebyshevInput,
  type LogisticInputOptions,
  logisticInput,
} from './input-maps.js';
export {
  type InformedInputOptions,
  informedInput,
  type WeightedInputOptions,
  weightedInput,
} from './input-weights.js';
export { type OrthogonalOptions, orthogonal } from './orthogonal.js';
export { type WeightSeeds, weightSeeds } from './seeds.js';

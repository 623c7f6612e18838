/** Networks: every kind of them, and the states that move through them. */
export { type Activation, type ActivationSegment, activations } from './activation.js';
export { cNetworkOf } from './c-network.js';
export { cText, table } from './c-tables.js';
export { type ConstructOptions, networkOfRecipe } from './construct.js';
export {
  type DeepTreeFacts,
  DeepTreeModel,
  type DeepTreeOptions,
  type HostedMembrane,
  isDeepTree,
} from './deep-tree.js';
export type { TreeWeightSources } from './deep-tree-weights.js';
export {
  type DrawnEs2nOptions,
  Es2n,
  type Es2nOptions,
  type Es2nWeights,
  type GivenEs2nOptions,
  type GivenEs2nWeights,
} from './es2n.js';
export {
  type DrawnEuSnOptions,
  EuSn,
  type EuSnFacts,
  type EuSnOptions,
  type EuSnWeightSources,
  type GivenEuSnOptions,
} from './eusn.js';
export { Featured, type FeaturedFacts, type FeaturedOptions } from './featured.js';
export {
  type DelaysOptions,
  delays,
  differentials,
  type Feature,
  type FeaturePart,
  firstStates,
  nlat,
  type ProductsOptions,
  products,
} from './features.js';
export type { AnyMatrix, GivenWeights, WeightSources } from './given-weights.js';
export { BuiltNetwork, ClaimedNetwork, type NetworkHandle, planOf, registerKind } from './handle.js';
export { type Expansion, isNetwork, Network, type StreamMemory } from './network.js';
export { Nvar, type NvarFacts, type NvarOptions } from './nvar.js';
export type { Precision, RegionOptions, Topology } from './options.js';
export type { NetworkPlan } from './plan.js';
export type { NetworkRecipe } from './recipe.js';
export { readRecipe } from './recipe-schema.js';
export {
  type DrawnReservoirOptions,
  type GivenReservoirOptions,
  Reservoir,
  type ReservoirFacts,
  type ReservoirOptions,
  type ReservoirWeights,
} from './reservoir.js';
export {
  checkState,
  type Moments,
  type RunAsyncOptions,
  type RunBatchAsyncOptions,
  type RunBatchOptions,
  type RunOptions,
  statesOf,
} from './run-options.js';
export { isState, State, type StateOptions } from './state.js';

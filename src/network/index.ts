/** Networks: every kind of them, and the states that move through them. */
export { type Activation, type ActivationSegment, activations } from './activation.js';
export type { ConstructOptions } from './construct.js';
export { DeepTreeModel, type DeepTreeOptions, type HostedMembrane } from './deep-tree.js';
export { Es2n, type Es2nOptions, type Es2nWeights } from './es2n.js';
export { EuSn, type EuSnOptions } from './eusn.js';
export { ClaimedNetwork, type NetworkHandle, planOf, registerKind } from './handle.js';
export { Network, type StreamMemory } from './network.js';
export { Nvar, type NvarOptions } from './nvar.js';
export type { NetworkPlan } from './plan.js';
export {
  type DrawnReservoirOptions,
  type GivenReservoirOptions,
  Reservoir,
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
export { State, type StateOptions } from './state.js';

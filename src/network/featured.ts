/** A network seen through other features: what stands between states and a readout. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import { compileFeatures, type Feature, sourceOf } from './features.js';
import { type ClaimedNetwork, planOf, registerKind } from './handle.js';
import { isNetwork, Network } from './network.js';
import type { NetworkPlan } from './plan.js';

export const optionsSchema = z.object({
  network: z.custom<Network>(isNetwork).describe('a network such as a Reservoir or a DeepTreeModel'),
  features: z.custom<readonly Feature[]>(Array.isArray).describe('an array of features'),
});

/** Options of Featured: the network, and the features that stand for its own. */
export interface FeaturedOptions {
  /** The network that is seen: any kind. It shares its weights and keeps its own state to itself. Required. */
  network: Network;
  /** What a readout reads, in this order. Required. */
  features: readonly Feature[];
}

/** The fields that a handle of a shared Featured carries. */
export interface FeaturedFacts {
  features: readonly Feature[];
}

/**
 * A network seen through other features, itself a network: a run, a batch, a stream and a closed loop read the same ones.
 *
 *     const network = new Featured({ network: reservoir, features: ['states', 'inputs', 'squares', delays(2)] });
 *     network.run(series);                    // rows of [x(t), u(t), x(t)², u(t - 1), u(t - 2)]
 *
 * Its state is that of the network within, followed by the rows that delays look back at and by the differentials of the
 * last step: zeros at rest. The weights are shared: closing the network within closes its own states only.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option or a feature that the network has not, and for features of more than
 * 4,194,304 factors in all; DtesnError ERR_DTESN_MEMORY for a state with more delayed rows than fit in memory.
 */
export class Featured extends Network<FeaturedFacts> {
  constructor(options: FeaturedOptions) {
    super(planOf(options as FeaturedOptions | ClaimedNetwork, planFeatured));
  }

  /** What stands in each row, in this order. */
  get features(): readonly Feature[] {
    return this.facts.features;
  }
}

registerKind('Featured', Featured, planFeatured);

function planFeatured(options: FeaturedOptions): NetworkPlan<FeaturedFacts> {
  const { network, features } = checkOptions(optionsSchema, options, 'Featured');
  const { inputs, dtype, owner } = network;
  const compiled = compileFeatures(features, sourceOf(network));
  const spec = { kind: 'featured' as const, inputs, number: network.native.share(), ...compiled };
  const facts = { features: [...features] };
  return { kind: 'Featured', dtype, spec, facts, owner, gated: network.gateCount > 0, within: network };
}

/** What a kind of network is made of: its constructor makes one from the options and passes it to Network. */
import type { FloatDtype, Floats, NativeNetwork, NetworkSpec } from '../native/index.js';
import type { Network } from './network.js';
import type { StateOptions } from './state.js';

/**
 * What a kind of network is made of: `planOf` and `registerKind` take the function that makes one from the options.
 */
export interface NetworkPlan<Facts extends object = object> {
  /** The name it is shared under: that of its class. */
  kind: string;
  dtype: FloatDtype;
  spec: NetworkSpec;
  /** Fields of the object; a handle carries them, so they must be structured-cloneable. */
  facts: Facts;
  /** For errors: 'this reservoir'. */
  owner?: string;
  /** Whether states have gates, one a region. */
  gated?: boolean;
  /** The network that this one is made of, where there is one: files hold both. */
  within?: Network;
  /** Memory for the network's own state. */
  own?: StateOptions;
  /**
   * The weights, when they exist already.
   * @internal
   */
  native?: NativeNetwork<Floats>;
}

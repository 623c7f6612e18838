/** Handles: references by which another thread of this process takes over a network. */
import { argumentError, brand } from '../errors/index.js';
import { addon, type FloatDtype, type Floats, type NativeNetwork } from '../native/index.js';
import type { NetworkPlan } from './plan.js';

/**
 * Handles: references by which another thread of this process takes over a network.
 *
 * A handle is a plain object that postMessage clones: the number of the weights, and the fields of the object. Each
 * kind registers the function that makes an object of a handle. A handle does not keep the weights in memory: the
 * sender keeps the network open until Network.from has returned in the other thread.
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT for a value that is not a handle, and for a handle of another addon (two copies
 * of the package, each with a binary of its own, share no weights); Error ERR_DTESN_CLOSED when the network was closed.
 */
export interface NetworkHandle {
  readonly dtesn: 'network';
  readonly kind: string;
  readonly number: number;
  /** The addon that has the weights, of those that this process has loaded. */
  readonly addon: number;
  readonly dtype: FloatDtype;
  readonly owner: string;
  readonly gated: boolean;
  readonly facts: object;
}

/** What a constructor is given in place of options when its weights are there already. */
export class ClaimedNetwork {
  constructor(
    /** The handle that the weights are found by. */
    readonly handle: NetworkHandle,
  ) {}
}

/** What a constructor is given in place of options when another thread has made its weights (construct.ts). */
export class BuiltNetwork {
  /** @internal */
  readonly plan: NetworkPlan;
  /** @internal */
  readonly native: NativeNetwork<Floats>;

  /** @internal */
  constructor(plan: NetworkPlan, native: NativeNetwork<Floats>) {
    this.plan = plan;
    this.native = native;
  }
}

const isClaimed = brand(ClaimedNetwork, 'ClaimedNetwork');
const isBuilt = brand(BuiltNetwork, 'BuiltNetwork');

type Kind = new (made: ClaimedNetwork | BuiltNetwork) => unknown;
type MakePlan = (options: unknown) => NetworkPlan;

const kinds = new Map<string, Kind>();
const plans = new Map<unknown, MakePlan>();

/**
 * Makes a kind of network shareable and, with its plan function, available to `constructAsync`. Its constructor must
 * pass its options to `planOf`.
 */
export function registerKind<Options>(name: string, kind: unknown, plan?: (options: Options) => NetworkPlan): void {
  kinds.set(name, kind as Kind);
  if (plan !== undefined) plans.set(kind, plan as MakePlan);
}

/** How a kind plans its options. */
export function planMaker(kind: unknown): MakePlan {
  const plan = plans.get(kind);
  if (plan === undefined)
    throw argumentError('a kind registered with its plan: registerKind(name, kind, plan)', 'this', kind);
  return plan;
}

/** The class of a registered kind; undefined where there is none. */
export function kindNamed(name: string): Kind | undefined {
  return kinds.get(name);
}

export function reviveNetwork(handle: NetworkHandle): unknown {
  const isHandle =
    typeof handle === 'object' &&
    handle !== null &&
    handle.dtesn === 'network' &&
    Number.isSafeInteger(handle.number) &&
    Number.isSafeInteger(handle.addon) &&
    (handle.dtype === 'f32' || handle.dtype === 'f64') &&
    typeof handle.facts === 'object' &&
    handle.facts !== null;
  if (!isHandle) throw argumentError('a handle of network.share()', 'handle', handle);
  if (handle.addon !== addon().identity) {
    throw argumentError('a network of the addon that this copy of dtesn has loaded', 'handle', 'one of another addon');
  }
  const Kind = kinds.get(handle.kind);
  if (!Kind) throw argumentError(`one of ${[...kinds.keys()].join(', ')}`, 'handle.kind', handle.kind);
  return new Kind(new ClaimedNetwork(handle));
}

/** The plan of options, or of weights that are there already. */
export function planOf<Options, Facts extends object>(
  options: Options | ClaimedNetwork | BuiltNetwork,
  make: (options: Options) => NetworkPlan<Facts>,
): NetworkPlan<Facts> {
  if (isBuilt(options)) return { ...(options.plan as NetworkPlan<Facts>), native: options.native };
  if (!isClaimed(options)) return make(options);
  const { kind, number, dtype, owner, gated, facts } = options.handle;
  return { kind, dtype, spec: { kind: 'shared', number }, facts: facts as Facts, owner, gated };
}

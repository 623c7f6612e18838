/**
 * Asynchronous construction: the options are copied at once (later writes have no effect), the plan is made on this
 * thread, the weights on another one, and the object of the finished weights.
 */
import {
  addon,
  checkLongRun,
  type FloatDtype,
  type Floats,
  type LongRunOptions,
  longRun,
  type NativeNetwork,
  type NetworkSpec,
} from '../native/index.js';
import { BuiltNetwork, kindNamed, planMaker } from './handle.js';
import type { Network } from './network.js';
import type { NetworkRecipe } from './recipe.js';
import { notMade } from './recipe-schema.js';

/** What constructAsync takes beside the options of its kind. */
export interface ConstructOptions extends LongRunOptions {}

export async function constructNetwork(kind: unknown, options: unknown, run: ConstructOptions): Promise<unknown> {
  checkLongRun(run, 'constructAsync');
  run.signal?.throwIfAborted();
  const plan = planMaker(kind)(options);
  const spec = copyOf(plan.spec);
  const native = newNative(plan.dtype, null);
  const total = spec.kind === 'regions' ? spec.regions.length : 1;
  try {
    await longRun((control) => native.build(spec, control), run, { stage: 'construct', total });
    return new (kind as new (built: BuiltNetwork) => unknown)(new BuiltNetwork(plan, native));
  } catch (error) {
    native.close();
    throw error;
  }
}

/** The network of a recipe. Errors: DtesnError ERR_DTESN_FILE for a kind that this process has not registered. */
export function networkOfRecipe({ kind, dtype, owner, gated, facts, spec, within }: NetworkRecipe): Network {
  const Kind = kindNamed(kind);
  if (Kind === undefined) throw notMade(`its kind ${JSON.stringify(kind.slice(0, 40))}`);
  if (spec === null) {
    return new Kind({ ...facts, network: networkOfRecipe(within!) } as never) as Network;
  }
  const plan = { kind, dtype, spec, facts, owner, gated };
  return new Kind(new BuiltNetwork(plan, newNative(dtype, spec))) as Network;
}

/** A native network of a spec, or one without weights for `build`. */
export function newNative(dtype: FloatDtype, spec: NetworkSpec | null): NativeNetwork<Floats> {
  const Native = (dtype === 'f32' ? addon().Network32 : addon().Network64) as new (
    spec: NetworkSpec | null,
  ) => NativeNetwork<Floats>;
  return new Native(spec);
}

function copyOf<V>(value: V): V {
  if (ArrayBuffer.isView(value)) return (value as unknown as Floats).slice() as unknown as V;
  if (Array.isArray(value)) return value.map(copyOf) as V;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)])) as V;
}

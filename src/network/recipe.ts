/**
 * What a network is made of, so that it can be made again: sizes, laws and seeds of drawn weights, and the weights that were given, each in
 * its own structure (dense rows, or compressed rows of non-zeros).
 *
 * A network keeps its recipe without the dense weights, which are read back from the native object; those that were given as
 * compressed rows are kept as a copy.
 */
import { createHash } from 'node:crypto';
import {
  type FloatDtype,
  type Floats,
  floats,
  type NativeNetwork,
  type NativeRegionSpec,
  type NetworkSpec,
  type OperatorSpec,
} from '../native/index.js';
import { checkMemory } from '../numeric/index.js';

/** What a network is made of: plain objects, numbers and typed arrays. */
export interface NetworkRecipe {
  readonly kind: string;
  readonly dtype: FloatDtype;
  readonly owner: string;
  readonly gated: boolean;
  readonly facts: object;
  /** Null for a Featured, which is made of the network within. */
  readonly spec: NetworkSpec | null;
  readonly within: NetworkRecipe | null;
}

type GivenOperator = Extract<OperatorSpec, { values: Floats }>;

const nothing = new Float64Array(0);
/** More dense weights than these are not read back to be compared. */
const MOST_COMPARED_BYTES = 2 ** 28;

/** The spec as a network keeps it: without dense weights, with copies of what the caller may write to. */
export function keptSpec(spec: NetworkSpec): NetworkSpec {
  if (spec.kind !== 'regions') return spec;
  const regions = spec.regions.map(
    (region): NativeRegionSpec => ({
      ...region,
      rate: region.rate.slice(),
      recurrent: keptOperator(region.recurrent),
      input: region.input && keptOperator(region.input),
      ...(region.carry && { carry: keptOperator(region.carry) }),
      ...(region.coupling !== undefined && { coupling: keptBlock(region.coupling) }),
      ...(region.feedback !== undefined && { feedback: keptBlock(region.feedback) }),
      bias: typeof region.bias === 'number' || region.bias === null ? region.bias : nothing,
    }),
  );
  return { ...spec, regions };
}

function keptOperator(operator: OperatorSpec): OperatorSpec {
  if (operator.kind === 'csr') return { ...operator, values: operator.values.slice() };
  return operator.kind === 'dense' || operator.kind === 'nonzeros' ? { ...operator, values: nothing } : operator;
}

function keptBlock(block: number | OperatorSpec): number | OperatorSpec {
  return typeof block === 'number' ? block : keptOperator(block);
}

/** The whole spec, with the dense weights as the network has them. */
export function filledSpec(spec: NetworkSpec, native: NativeNetwork<Floats>, dtype: FloatDtype): NetworkSpec {
  if (spec.kind !== 'regions') return spec;
  const regions = spec.regions.map((region, i): NativeRegionSpec => {
    const { recurrent, input, carry, bias } = region;
    const blocks = filledBlocks(spec.regions, i, native, dtype);
    const isGiven = [recurrent, input, carry].some((one) => one && isDense(one)) || isGivenBias(bias);
    if (!isGiven) return { ...region, ...blocks };
    const { units } = region;
    const dense = denseWeights(native, i, units, spec.inputs, dtype);
    return {
      ...region,
      ...blocks,
      recurrent: filled(recurrent, dense.recurrent, units),
      input: input && filled(input, dense.input, spec.inputs),
      ...(carry && { carry: filled(carry, isDense(carry) ? carryOf(native, i, units, dtype) : nothing, units) }),
      bias: isGivenBias(bias) ? dense.bias : bias,
    };
  });
  return { ...spec, regions };
}

/** The given blocks from and to the parent of a region. */
function filledBlocks(
  regions: readonly NativeRegionSpec[],
  i: number,
  native: NativeNetwork<Floats>,
  dtype: FloatDtype,
): Pick<NativeRegionSpec, 'coupling' | 'feedback'> {
  const { units, parent, coupling, feedback } = regions[i]!;
  const isGiven = (block: typeof coupling) => typeof block === 'object' && isDense(block);
  if (parent === undefined || !(isGiven(coupling) || isGiven(feedback))) return {};
  const above = regions[parent]!.units;
  const from = floats(dtype, units * above);
  const back = floats(dtype, units * above);
  native.blocks(i, from, back);
  return {
    coupling: typeof coupling === 'object' ? filled(coupling, from, above) : coupling!,
    feedback: typeof feedback === 'object' ? filled(feedback, back, units) : feedback!,
  };
}

function isDense(operator: OperatorSpec): operator is GivenOperator {
  return operator.kind === 'dense' || operator.kind === 'nonzeros';
}

function isGivenBias(bias: NativeRegionSpec['bias']): boolean {
  return typeof bias === 'object' && bias !== null;
}

function filled(operator: OperatorSpec, values: Floats, cols: number): OperatorSpec {
  if (operator.kind === 'dense') return { ...operator, values };
  return operator.kind === 'nonzeros' ? nonZeros(values, cols) : operator;
}

/** Dense rows as compressed ones. */
function nonZeros(dense: Floats, cols: number): OperatorSpec {
  const offsets = new Uint32Array(dense.length / cols + 1);
  const places: number[] = [];
  for (let at = 0; at < dense.length; at++) {
    if (dense[at] !== 0) places.push(at);
    if ((at + 1) % cols === 0) offsets[(at + 1) / cols] = places.length;
  }
  const values = dense.slice(0, places.length);
  places.forEach((at, k) => {
    values[k] = dense[at]!;
  });
  return { kind: 'csr', offsets, columns: Uint32Array.from(places, (at) => at % cols), values };
}

function denseWeights(native: NativeNetwork<Floats>, region: number, units: number, inputs: number, dtype: FloatDtype) {
  checkMemory(units * (units + inputs) * (dtype === 'f32' ? 4 : 8), 'a dense copy of the weights');
  const recurrent = floats(dtype, units * units);
  const input = floats(dtype, units * inputs);
  const bias = floats(dtype, units);
  native.weights(region, recurrent, input, bias);
  return { recurrent, input, bias };
}

function carryOf(native: NativeNetwork<Floats>, region: number, units: number, dtype: FloatDtype): Floats {
  const out = floats(dtype, units * units);
  native.carry(region, out);
  return out;
}

/** SHA-256 of all weights as the network has them, drawn and given; null beyond 256 MiB of them, which are not compared. */
export function weightsDigest(spec: NetworkSpec, native: NativeNetwork<Floats>, dtype: FloatDtype): string | null {
  if (spec.kind !== 'regions') return null;
  const { inputs, regions } = spec;
  const numbers = regions.reduce(
    (sum, { units, parent }) => sum + units * (units + inputs) + aboveOf(units, parent),
    0,
  );
  function aboveOf(units: number, parent: number | undefined): number {
    return parent === undefined ? 0 : 2 * units * regions[parent]!.units;
  }
  if (numbers * (dtype === 'f32' ? 4 : 8) > MOST_COMPARED_BYTES) return null;
  const hash = createHash('sha256');
  regions.forEach(({ units, parent, carry }, i) => {
    const { recurrent, input, bias } = denseWeights(native, i, units, inputs, dtype);
    const above = parent === undefined ? 0 : regions[parent]!.units;
    const [coupling, feedback] = [floats(dtype, units * above), floats(dtype, units * above)];
    native.blocks(i, coupling, feedback);
    const parts = [recurrent, input, bias, coupling, feedback];
    if (carry) parts.push(carryOf(native, i, units, dtype));
    for (const part of parts) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  });
  return hash.digest('hex');
}

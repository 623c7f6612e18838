/**
 * Recipes of unknown origin, checked as options are, before memory is allocated for them.
 *
 * Errors: DtesnError ERR_DTESN_FILE for a recipe that no network of this version has; ERR_DTESN_MEMORY for one beyond the available memory.
 */
import { z } from 'zod';
import { DtesnError } from '../errors/index.js';
import type { FloatDtype, Floats, NetworkSpec, OperatorSpec } from '../native/index.js';
import { checkMemory } from '../numeric/index.js';
import { activationNameSchema } from './activation.js';
import { precisions, topologies } from './options.js';
import type { NetworkRecipe } from './recipe.js';

const finite = z.number();
const whole = z.int().min(0);
const size = z.int().min(1).max(16_777_216);
const view = z.custom<Floats>(
  (value) => (value instanceof Float32Array || value instanceof Float64Array) && value.every(Number.isFinite),
);
const indices = z.custom<Uint32Array>((value) => (value as Uint32Array)?.[Symbol.toStringTag] === 'Uint32Array');
const precision = z.enum(precisions).optional();
const denseOperator = z.strictObject({ kind: z.literal('dense'), values: view, precision });
const csrOperator = z.strictObject({ kind: z.literal('csr'), offsets: indices, columns: indices, values: view });
const uniformOperator = z.strictObject({ kind: z.literal('uniform'), scaling: finite });
const block = z.union([finite, z.discriminatedUnion('kind', [denseOperator, csrOperator])]);
const input = z.discriminatedUnion('kind', [uniformOperator, denseOperator, csrOperator]);
const operator = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('topology'),
    spectralRadius: finite.gt(0).max(1e6),
    topology: z.enum(topologies),
    density: finite.gt(0).lte(1),
    blockRows: z.union([z.literal(8), z.literal(16)]),
    precision,
  }),
  uniformOperator,
  z.strictObject({ kind: z.literal('antisymmetric'), scaling: finite, diffusion: finite }),
  z.strictObject({ kind: z.literal('orthogonal') }),
  denseOperator,
  csrOperator,
]);
const regionSchema = z.strictObject({
  units: size,
  law: z.enum(['leaky', 'euler']),
  rate: view,
  segments: z.array(z.strictObject({ units: size, activation: activationNameSchema })).min(1),
  recurrent: operator,
  input: input.nullable(),
  carry: operator.optional(),
  bias: z.union([finite, view, z.null()]),
  seed: whole,
  stream: whole,
  parent: whole.optional(),
  coupling: block.optional(),
  feedback: block.optional(),
});
const specSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('regions'),
    inputs: size.max(1_000_000),
    parentFirst: z.boolean(),
    regions: z.array(regionSchema).min(1).max(65_536),
  }),
  z.strictObject({
    kind: z.literal('nvar'),
    inputs: size.max(1_000_000),
    delay: size,
    order: size.max(16),
    strides: size,
  }),
]);
const recipeFields = {
  kind: z.string(),
  dtype: z.enum(['f32', 'f64']),
  owner: z.string(),
  gated: z.boolean(),
  facts: z.looseObject({}),
};
export const recipeSchema: z.ZodType<NetworkRecipe> = z.union([
  z.strictObject({ ...recipeFields, spec: specSchema, within: z.null() }),
  z.strictObject({ ...recipeFields, spec: z.null(), within: z.lazy(() => recipeSchema) }),
]) as z.ZodType<NetworkRecipe>;

/** A recipe of unknown origin, checked as options are. */
export function readRecipe(value: unknown): NetworkRecipe {
  const result = recipeSchema.safeParse(value);
  if (!result.success) throw notMade(result.error.issues[0]!.path.join('.') || 'the recipe', result.error);
  for (let one: NetworkRecipe | null = result.data; one !== null; one = one.within) {
    if (one.spec !== null) checkSpec(one.spec, one.dtype);
  }
  return result.data;
}

function checkSpec(spec: NetworkSpec, dtype: FloatDtype): void {
  if (spec.kind === 'nvar') {
    let monomials = 1;
    for (let i = 1; i <= spec.order; i++) monomials *= (spec.delay * spec.inputs + i - 1) / i;
    checkMemory(
      8 * (spec.order * monomials + spec.delay * spec.strides * spec.inputs),
      'the monomials of a saved Nvar',
    );
    return;
  }
  if (spec.kind !== 'regions') return;
  let weights = 0;
  spec.regions.forEach((region, i) => {
    const { units, rate, segments, parent, recurrent, input } = region;
    if (rate.length !== units || rate.some((value) => value <= 0)) throw notMade(`regions.${i}.rate`);
    if (segments.reduce((sum, one) => sum + one.units, 0) !== units) throw notMade(`regions.${i}.segments`);
    if (parent !== undefined && parent >= i) throw notMade(`regions.${i}.parent`);
    for (const one of [recurrent, region.carry]) if (one) checkTopology(one, units, `regions.${i}`);
    weights += units * ((input ? spec.inputs : 0) + 2) + rowWeights(recurrent, units) * units;
    if (region.carry) weights += 3 * rowWeights(region.carry, units) * units;
    if (parent !== undefined) weights += 2 * units * spec.regions[parent]!.units;
  });
  checkMemory(weights * (dtype === 'f32' ? 4 : 8), 'the weights of a saved network');
}

function checkTopology(operator: OperatorSpec, units: number, place: string): void {
  if (operator.kind !== 'topology') return;
  const fits = operator.topology === 'hadamard' ? Number.isInteger(Math.log2(units)) : true;
  if (!fits || (operator.topology === 'block-sparse' && units > 65_536)) throw notMade(`${place}.topology`);
}

/** Weights of a row that take memory. */
function rowWeights(operator: OperatorSpec, units: number): number {
  if (operator.kind === 'csr') return 0;
  if (operator.kind !== 'topology') return units;
  return ['cycle', 'permutation', 'hadamard'].includes(operator.topology) ? 1 : operator.density * units;
}

export function notMade(place: string, cause?: unknown): DtesnError {
  return new DtesnError('ERR_DTESN_FILE', `Expected the recipe of a network but ${place} is not one of this version`, {
    cause,
  });
}

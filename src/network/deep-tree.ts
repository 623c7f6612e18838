/** The Deep Tree Echo State Network: a reservoir in each membrane of the tree of rooted trees. */
import { z } from 'zod';
import { argumentError, brand, checkOptions, checkWhole, rangeError, shapeError } from '../errors/index.js';
import type { Initializer } from '../initializers/index.js';
import { defaultDtype, type FloatDtype, type Floats, floats, type NativeRegionSpec } from '../native/index.js';
import { checkAsStored, checkMemory, matrix } from '../numeric/index.js';
import { levelSizes, MAX_DEPTH, type Membrane, membraneTree } from '../trees/index.js';
import { type Activation, activationName, activationNameSchema, segmentsOf } from './activation.js';
import {
  checkUnused,
  type MembraneSources,
  type TreeWeightSources,
  treeSourcesSchema,
  withMade,
} from './deep-tree-weights.js';
import { type ClaimedNetwork, planOf, registerKind } from './handle.js';
import { Network } from './network.js';
import {
  checkScalings,
  checkWeightMemory,
  drawnRecurrent,
  type Precision,
  precisionSchema,
  type RegionOptions,
  ratesOf,
  regionShape,
  resolvePrecision,
  type Topology,
} from './options.js';
import type { NetworkPlan } from './plan.js';
import type { State } from './state.js';

const wholeDepth = `a whole number from 1 to ${MAX_DEPTH}`;
const forEach = 'or one for each level (or membrane of `parents`)';
const unitsOfOne = z.int().min(1).max(16_777_216);
const leakOfOne = z.number().gt(0).lte(1);
const radiusOfOne = z.number().gt(0).max(1e6);

export const optionsSchema = z.object({
  depth: z.int().min(1).max(MAX_DEPTH).optional().describe(wholeDepth),
  parents: z
    .array(z.union([z.int().min(-1), z.null()]))
    .min(1)
    .max(65_536)
    .optional()
    .describe('an array with the index of each parent, or null for a root'),
  units: z.union([unitsOfOne, z.array(unitsOfOne)]).describe(`a whole number of units in total, ${forEach}`),
  ...regionShape,
  dtype: z.enum(['f32', 'f64']).optional().describe("'f32' or 'f64'"),
  precision: precisionSchema,
  leak: z
    .union([leakOfOne, z.array(leakOfOne).min(1)])
    .default(1)
    .describe(`a number in (0, 1], ${forEach}`),
  spectralRadius: z
    .union([radiusOfOne, z.array(radiusOfOne).min(1)])
    .default(0.9)
    .describe(`a number in (0, 1000000], ${forEach}`),
  activation: z
    .union([activationNameSchema, z.array(activationNameSchema).min(1)])
    .default('tanh')
    .describe(`${activationName}, ${forEach}`),
  coupling: z.number().min(0).max(1e6).default(1).describe('a number from 0 to 1000000'),
  feedback: z.number().min(0).max(1e6).default(0).describe('a number from 0 to 1000000'),
  inputTo: z.enum(['skin', 'all']).default('all').describe("'skin' or 'all'"),
  update: z.enum(['parentFirst', 'synchronous']).default('parentFirst').describe("'parentFirst' or 'synchronous'"),
  weights: treeSourcesSchema
    .default({})
    .describe('an object { recurrent?, input?, bias?, coupling?, feedback? } of initializers'),
  gates: z
    .custom<Uint8Array>((value) => value instanceof Uint8Array)
    .optional()
    .describe('a Uint8Array of one element a membrane on shared memory'),
});

/** Options of DeepTreeModel: `depth` or `parents`, sizes, and the scalings of the weights that are drawn. */
export interface DeepTreeOptions extends RegionOptions {
  /**
   * Levels of the tree of rooted trees that host the reservoirs, 1 to 12. No default: `depth` or `parents` is
   * required.
   */
  depth?: number | undefined;
  /**
   * Any other forest: the index of each membrane's parent, which is below its own, or null (or -1) for a root; every w
   * is then 1. [null, 0, 1] is the deep ESN of three layers, [null, null] are two reservoirs side by side.
   * Default: the tree of `depth` levels.
   */
  parents?: (number | null)[] | undefined;
  /** Units in all, split evenly, or those of each level (or membrane of `parents`). Required. */
  units: number | number[];
  /** What every W is stored in: see Reservoir. Default: `dtype`. */
  precision?: Precision | undefined;
  /** Share of the state that a step replaces, in (0, 1]; one, or one for each level (or membrane of `parents`). Default 1. */
  leak?: number | number[] | undefined;
  /**
   * Spectral radius of each W, in (0, 1,000,000]: one, or one for each level (or membrane of `parents`). Default
   * 0.9.
   */
  spectralRadius?: number | number[] | undefined;
  /** f; one, or one for each level (or membrane of `parents`). Default 'tanh'. */
  activation?: Activation | Activation[] | undefined;
  /** κ: scale of what a parent gives to its children. Default 1. */
  coupling?: number | undefined;
  /** κ_fb: scale of what children give to their parent. Default 0. */
  feedback?: number | undefined;
  /** Membranes that the input reaches: 'all', or the skin (with `parents` every root). Default 'all'. */
  inputTo?: 'skin' | 'all' | undefined;
  /**
   * 'parentFirst' reads the parent's new state (the classical deep ESN); 'synchronous' reads all old states, so each level
   * adds a step of delay: where the input reaches the skin alone, level n at step t is what parentFirst has at step t - (n - 1).
   * Default 'parentFirst'.
   */
  update?: 'parentFirst' | 'synchronous' | undefined;
  /** Initializers (dtesn/initializers) of the weights that are not drawn natively. Default: all are. */
  weights?: TreeWeightSources | undefined;
  /** Where the gates of the own state lie: one byte a membrane on shared memory. Default: fresh, all open. */
  gates?: Uint8Array | undefined;
}

type CheckedOptions = z.output<typeof optionsSchema>;

/** A membrane with its place in the state: elements [offset, offset + units). */
export interface HostedMembrane extends Omit<Membrane, 'sequence' | 'symmetry' | 'density'> {
  /** The rooted tree it is; null where `parents` were given. */
  sequence: number[] | null;
  symmetry: number | null;
  density: number | null;
  offset: number;
  units: number;
  leak: number;
  /** The requested one; null where an initializer made W. */
  spectralRadius: number | null;
  activation: Activation;
  topology: Topology;
}

/** The fields that a handle of a shared model carries. */
export interface DeepTreeFacts {
  depth: number;
  membranes: HostedMembrane[];
  update: 'parentFirst' | 'synchronous';
  feedback: number;
  precision: Precision;
}

/**
 * The Deep Tree Echo State Network: a reservoir in each membrane of the tree of rooted trees.
 *
 *     drive_m = W_m x_m + [all or skin] W_in u + b_m + κ w(τ_m) C_m x_parent + κ_fb Σ_children w(τ_c) F_c x_c
 *     x_m'    = (1 - leak) x_m + leak f(drive_m)          f `activation`, tanh by default (activation.ts)
 *
 * with κ = `coupling`, κ_fb = `feedback`, w(τ) = |τ| / (σ γ) (membrane-tree.ts), and dense couplings C, F of U(-1, 1)
 * sqrt(3 / columns). Initializers in `weights` make any of W, W_in, b, C and F instead. W_in is in every membrane, or in the skin alone
 * (`inputTo`). The states of all membranes are stored in one array, in breadth-first order.
 *
 * Shapes: series is steps x inputs, states are steps x units.
 * Gates: a membrane whose gate is 0 is neither computed nor read by its neighbours; its state is held.
 *
 * Errors: as Reservoir's.
 * Source: deep ESN: Gallicchio, Micheli, Pedrelli (2017), Neurocomputing 268; membranes: Păun (2000), JCSS 61(1).
 */
export class DeepTreeModel extends Network<DeepTreeFacts> {
  constructor(options: DeepTreeOptions) {
    super(planOf(options as DeepTreeOptions | ClaimedNetwork, planTree));
  }

  /** Units of the whole tree: the length of a state. */
  get units(): number {
    return this.stateSize;
  }

  /** Levels there are. */
  get depth(): number {
    return this.facts.depth;
  }

  /** Membranes in breadth-first order, each with its units. */
  get membranes(): readonly HostedMembrane[] {
    return this.facts.membranes;
  }

  /** Order in which membranes are updated within a step. */
  get update(): 'parentFirst' | 'synchronous' {
    return this.facts.update;
  }

  /** κ_fb: scale of the couplings from children to parents. */
  get feedback(): number {
    return this.facts.feedback;
  }

  /** What every W is stored in. */
  get precision(): Precision {
    return this.facts.precision;
  }

  /** One byte a membrane, live: 0 holds it. The state of a held membrane stays as it is. */
  get gates(): Uint8Array {
    return this.ownState.gates!;
  }

  /** Membranes whose gate is open in the state of the network. */
  get activeMembranes(): number {
    return this.gates.reduce((sum, gate) => sum + (gate ? 1 : 0), 0);
  }

  /**
   * Opens the first `count` membranes of a state (the model's own by default) in breadth-first order and closes the
   * others: the deepest leaves are closed first.
   */
  activate(count: number, state: State = this.ownState): void {
    checkWhole(count, 'count', 1, this.membranes.length);
    const gates = state.gates!;
    for (let m = 0; m < gates.length; m++) gates[m] = m < count ? 1 : 0;
  }

  /** The part of a live state (the model's own by default) that belongs to a membrane. */
  stateOf(membrane: number, state: State = this.ownState): Floats {
    const { offset, units } = this.#at(membrane);
    return state.data.subarray(offset, offset + units);
  }

  /** Copies of a membrane's W, W_in (zeros where no input reaches it), b, and of its blocks from and to the parent. */
  weights(membrane: number) {
    this.checkIdle();
    const { units, parent } = this.#at(membrane);
    const zeros = (rows: number, cols: number) => matrix(rows, cols, floats(this.dtype, rows * cols));
    checkMemory(units * units * this.state.BYTES_PER_ELEMENT, 'a dense copy of the weights');
    const recurrent = zeros(units, units);
    const input = zeros(units, this.inputs);
    const bias = floats(this.dtype, units);
    this.native.weights(membrane, recurrent.data, input.data, bias);
    const above = parent === null ? 0 : this.membranes[parent]!.units;
    const coupling = zeros(units, above);
    const feedback = zeros(above, units);
    this.native.blocks(membrane, coupling.data, feedback.data);
    return { recurrent, input, bias, coupling, feedback };
  }

  /**
   * Bounds for the echo state property, which hold for activations with a slope of at most 1.
   *
   * - effectiveRadius: the largest spectral radius of (1 - leak) I + leak W over the membranes; without feedback the
   *   whole matrix is block triangular, so echo states at rest exist iff it is below 1
   * - normBound: norm of the matrix of block norms of the synchronous update; below 1 the update contracts for every
   *   input
   *
   * Neither depends on the input: `contraction(series)` measures the contraction on a series.
   */
  stability(): { feedback: boolean; effectiveRadius: number; normBound: number } {
    this.checkIdle();
    // The radius of a permutation is one of its eigenvalues, and the shift keeps that one the largest.
    const radii = this.membranes.map(({ index, topology, leak, spectralRadius }) =>
      spectralRadius !== null && (topology === 'cycle' || topology === 'permutation')
        ? 1 - leak + leak * spectralRadius
        : this.native.effectiveRadius(index),
    );
    return {
      feedback: this.feedback > 0,
      effectiveRadius: Math.max(...radii),
      normBound: this.native.normBound(),
    };
  }

  #at(membrane: number): HostedMembrane {
    const found = this.membranes[membrane];
    if (!found) throw rangeError(`a whole number from 0 to ${this.membranes.length - 1}`, 'membrane', membrane);
    return found;
  }
}

/** Whether something is a DeepTreeModel, of this copy of the package or another. */
export const isDeepTree = brand(DeepTreeModel, 'DeepTreeModel');

registerKind('DeepTreeModel', DeepTreeModel, planTree);

function planTree(options: DeepTreeOptions): NetworkPlan<DeepTreeFacts> {
  const checked = checkOptions(optionsSchema, options, 'DeepTreeModel');
  const { dtype, precision } = resolvePrecision(checked.dtype, checked.precision, defaultDtype);
  checkScalings(checked, dtype);
  checkUnused(options, checked.weights, checked);
  const drawn = hostMembranes(checked);
  const { inputs, update, feedback } = checked;
  const regions = regionsOf(checked, drawn, dtype, precision);
  const membranes = drawn.map((membrane, m) => ({ ...membrane, ...madeFacts(regions[m]!) }));
  const depth = Math.max(...levelSizes(membranes).keys()) + 1;
  return {
    kind: 'DeepTreeModel',
    dtype,
    spec: {
      ...{ kind: 'regions', inputs, parentFirst: update === 'parentFirst' },
      regions,
    },
    facts: { depth, membranes, update, feedback, precision },
    owner: 'this model',
    gated: true,
    own: { data: checked.state, gates: checked.gates },
  };
}

/** What membranes say of a W that an initializer made. */
function madeFacts({ recurrent: { kind } }: NativeRegionSpec): Partial<HostedMembrane> {
  return kind === 'topology' ? {} : { spectralRadius: null, topology: kind === 'csr' ? 'sparse' : 'dense' };
}

type DrawnMembrane = HostedMembrane & { spectralRadius: number };

/** A membrane before it has units. */
type Bare = Omit<HostedMembrane, 'offset' | 'units' | 'leak' | 'spectralRadius' | 'activation' | 'topology'>;

function hostMembranes(options: CheckedOptions): DrawnMembrane[] {
  const { parents, depth } = options;
  if (parents === undefined && depth === undefined) throw argumentError(wholeDepth, 'depth', depth);
  if (parents !== undefined && depth !== undefined) throw argumentError('no depth with parents', 'depth', depth);
  const tree: Bare[] = parents === undefined ? membraneTree(depth!) : forestOf(parents);
  const units = unitsOf(tree, options);
  const leak = eachMembrane(options.leak, tree, options, 'leak');
  const spectralRadius = eachMembrane(options.spectralRadius, tree, options, 'spectralRadius');
  const activation = eachMembrane(options.activation, tree, options, 'activation');
  let offset = 0;
  return tree.map((membrane, m) => {
    const hosted = {
      ...membrane,
      offset,
      units: units[m]!,
      topology: drawnRecurrent(units[m]!, { ...options, spectralRadius: 1 }, 'f64').topology,
      leak: leak[m]!,
      spectralRadius: spectralRadius[m]!,
      activation: activation[m]!,
    };
    offset += hosted.units;
    return hosted;
  });
}

/** Membranes of a list of parents: a root's level is 1. */
function forestOf(parents: readonly (number | null)[]): Bare[] {
  const membranes: Bare[] = [];
  for (const [index, given] of parents.entries()) {
    const parent = given === -1 ? null : given;
    const above = parent === null ? undefined : membranes[parent];
    if (parent !== null && above === undefined) {
      throw rangeError(`null or a whole number below ${index}`, `parents (element ${index})`, parent);
    }
    above?.children.push(index);
    const level = above ? above.level + 1 : 1;
    const tree = { sequence: null, symmetry: null, density: null };
    membranes.push({ index, level, ...tree, weight: 1, parent, children: [] });
  }
  return membranes;
}

/** Units of each membrane: those of its level, or the total, divided as evenly as whole numbers allow. */
function unitsOf(tree: readonly Bare[], { units, parents }: CheckedOptions): number[] {
  if (typeof units === 'number') return split(units, tree.length, 'units');
  if (parents !== undefined && units.length === tree.length) return units;
  const sizes = levelSizes(tree);
  if (units.length !== sizes.length) throw shapeError(`units with ${sizes.length} elements (levels)`, units.length);
  const left = units.map((total, level) => split(total, sizes[level]!, `units[${level}]`));
  return tree.map(({ level }) => left[level - 1]!.shift()!);
}

function split(total: number, parts: number, argument: string): number[] {
  if (total < parts) throw rangeError(`at least ${parts}, one for each of ${parts} membranes,`, argument, total);
  return Array.from({ length: parts }, (_, i) => Math.floor(total / parts) + (i < total % parts ? 1 : 0));
}

function eachMembrane<V extends number | string | Initializer | undefined>(
  value: V | V[],
  tree: readonly Bare[],
  { parents }: CheckedOptions,
  argument: string,
): V[] {
  if (!Array.isArray(value)) return tree.map(() => value);
  if (parents !== undefined && value.length === tree.length) return value;
  const levels = levelSizes(tree).length;
  if (value.length !== levels) throw shapeError(`${argument} with ${levels} elements (levels)`, value.length);
  return tree.map(({ level }) => value[level - 1]!);
}

function regionsOf(options: CheckedOptions, membranes: DrawnMembrane[], dtype: FloatDtype, precision: Precision) {
  const { inputs, inputScaling, biasScaling, seed } = options;
  const sourcesOf = membraneSources(options, membranes);
  let weights = 0;
  const regions = membranes.map((membrane): NativeRegionSpec => {
    const { index, units, weight, parent, spectralRadius } = membrane;
    const { spec, degree } = drawnRecurrent(units, { ...options, spectralRadius }, precision);
    const reached = parent === null || options.inputTo === 'all';
    const above = parent === null ? 0 : membranes[parent]!.units;
    const directions = (options.coupling > 0 ? 1 : 0) + (options.feedback > 0 ? 1 : 0);
    weights += units * (degree + (reached ? inputs : 0) + directions * above);
    const drawn: NativeRegionSpec = {
      ...{ units, law: 'leaky', rate: ratesOf(membrane.leak, units, dtype) },
      ...{ segments: segmentsOf(membrane.activation, units), recurrent: spec },
      ...{ input: reached ? { kind: 'uniform', scaling: inputScaling } : null, bias: biasScaling, seed, stream: index },
      ...(parent !== null && {
        parent,
        coupling: checkAsStored(options.coupling * weight, dtype, 'coupling'),
        feedback: checkAsStored(options.feedback * weight, dtype, 'feedback'),
      }),
    };
    return withMade(drawn, sourcesOf(index), { index, units, inputs, above, reached, seed, dtype, precision });
  });
  checkWeightMemory(weights, dtype, `${membranes.length} membranes with ${weights} weights`);
  return regions;
}

/** The initializers of each membrane. */
function membraneSources(options: CheckedOptions, tree: readonly Bare[]): (membrane: number) => MembraneSources {
  const lists = Object.entries(options.weights).map(
    ([name, sources]) => [name, eachMembrane(sources, tree, options, `weights.${name}`)] as const,
  );
  return (membrane) => Object.fromEntries(lists.map(([name, each]) => [name, each[membrane]]));
}

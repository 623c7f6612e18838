/**
 * The Deep Tree Echo State Network: a reservoir in each membrane of the tree of rooted trees.
 *
 *     drive_m = W_m x_m + [skin or all] W_in u + b_m + κ w(τ_m) C_m x_parent + κ_fb Σ_children w(τ_c) F_c x_c
 *     x_m'    = (1 - leak) x_m + leak tanh(drive_m)
 *
 * with κ = `coupling`, κ_fb = `feedback`, w(τ) = |τ| / (σ γ) (membrane-tree.ts), and dense ports C, F of U(-1, 1)
 * sqrt(3 / columns). The states of all membranes stand side by side in one array, in breadth-first order.
 *
 * Shapes: series is steps x inputs, states are steps x units.
 *
 * Update: 'parentFirst' reads the parent's new state (the classical deep ESN); 'synchronous' reads all old states, so
 * each level adds a step of delay: level n at step t is then what parentFirst has at step t - (n - 1).
 * Gates: a membrane whose gate is 0 is neither computed nor read by its neighbours; its state is held.
 *
 * Errors: as Reservoir's.
 * Source: deep ESN: Gallicchio, Micheli, Pedrelli (2017), Neurocomputing 268; membranes: Păun (2000), JCSS 61(1).
 */
import { z } from 'zod';
import { checkOptions, rangeError, shapeError } from '../errors/index.js';
import { levelSizes, MAX_DEPTH, type Membrane, membraneTree } from '../membrane/index.js';
import {
  addon,
  checkView,
  type FloatDtype,
  type Floats,
  floats,
  type MembraneSpec,
  type NativeDeepTree,
  requireShared,
} from '../native/index.js';
import {
  checkMemory,
  isStructured,
  matrix,
  regionShape,
  resolveTopology,
  SeriesRunner,
  type Topology,
} from '../reservoir/index.js';

const perLevel = (value: z.ZodNumber) => z.union([value, z.array(value).min(1)]);
const wholeDepth = `a whole number from 1 to ${MAX_DEPTH}`;

const optionsSchema = z.object({
  depth: z.int().min(1).max(MAX_DEPTH).describe(wholeDepth),
  units: z
    .union([z.int().min(1).max(16_777_216), z.array(z.int().min(1).max(16_777_216))])
    .describe('a whole number of units in total, or one for each level'),
  ...regionShape,
  leak: perLevel(z.number().gt(0).lte(1)).default(1).describe('a number in (0, 1], or one for each level'),
  spectralRadius: perLevel(z.number().gt(0).max(1e6))
    .default(0.9)
    .describe('a number in (0, 1000000], or one for each level'),
  coupling: z.number().min(0).max(1e6).default(1).describe('a number from 0 to 1000000'),
  feedback: z.number().min(0).max(1e6).default(0).describe('a number from 0 to 1000000'),
  inputTo: z.enum(['skin', 'all']).default('skin').describe("'skin' or 'all'"),
  update: z.enum(['parentFirst', 'synchronous']).default('parentFirst').describe("'parentFirst' or 'synchronous'"),
  gates: z
    .custom<Uint8Array>((value) => value instanceof Uint8Array)
    .optional()
    .describe('a Uint8Array of one element a membrane on shared memory'),
});

export type DeepTreeOptions = z.input<typeof optionsSchema>;
type CheckedOptions = z.output<typeof optionsSchema>;

/** A membrane with its place in the state: elements [offset, offset + units). */
export interface HostedMembrane extends Membrane {
  offset: number;
  units: number;
  leak: number;
  spectralRadius: number;
  topology: Topology;
}

export class DeepTreeModel extends SeriesRunner {
  readonly depth: number;
  readonly membranes: readonly HostedMembrane[];
  readonly update: 'parentFirst' | 'synchronous';
  readonly feedback: number;
  /** One byte a membrane, live: 0 holds it. The state of a held membrane stays as it is. */
  readonly gates: Uint8Array;
  protected readonly machine: NativeDeepTree<Floats>;
  protected readonly owner = 'this model';

  constructor(options: DeepTreeOptions) {
    const checked = checkOptions(optionsSchema, options, 'DeepTreeModel');
    const membranes = hostMembranes(checked);
    const units = membranes.reduce((sum, membrane) => sum + membrane.units, 0);
    super(units, checked.inputs, checked.dtype, checked.state);
    this.depth = checked.depth;
    this.membranes = membranes;
    this.update = checked.update;
    this.feedback = checked.feedback;
    this.gates = gatesOf(checked.gates, membranes.length);
    const Native = (checked.dtype === 'f32' ? addon.DeepTree32 : addon.DeepTree64) as new (
      spec: object,
      leak: Floats,
      state: Floats,
      gates: Uint8Array,
    ) => NativeDeepTree<Floats>;
    this.machine = new Native(nativeSpec(checked, membranes), leaks(membranes, checked.dtype), this.state, this.gates);
  }

  get activeMembranes(): number {
    return this.gates.reduce((sum, gate) => sum + (gate ? 1 : 0), 0);
  }

  /** Opens the first `count` membranes in breadth-first order and closes the others: the deepest leaves go first. */
  activate(count: number): void {
    if (!Number.isInteger(count) || count < 1 || count > this.membranes.length) {
      throw rangeError(`a whole number from 1 to ${this.membranes.length}`, 'count', count);
    }
    for (let m = 0; m < this.gates.length; m++) this.gates[m] = m < count ? 1 : 0;
  }

  /** The part of the live state that belongs to a membrane. */
  stateOf(membrane: number): Floats {
    const { offset, units } = this.#at(membrane);
    return this.state.subarray(offset, offset + units);
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
    this.machine.weights(membrane, recurrent.data, input.data, bias);
    const above = parent === null ? 0 : this.membranes[parent]!.units;
    const coupling = zeros(units, above);
    const feedback = zeros(above, units);
    this.machine.blocks(membrane, coupling.data, feedback.data);
    return { recurrent, input, bias, coupling, feedback };
  }

  /**
   * Whether states are echoes of the input.
   *
   * - effectiveRadius: the largest spectral radius of (1 - leak) I + leak W over the membranes; without feedback the
   *   whole matrix is block triangular, so echo states at rest exist iff it is below 1
   * - normBound: norm of the matrix of block norms of the synchronous update; below 1 it contracts whatever the input
   *
   * Neither says what happens under an input of yours: `contraction(series)` measures that.
   */
  stability(): { feedback: boolean; effectiveRadius: number; normBound: number } {
    this.checkIdle();
    // A permutation has its radius itself among the eigenvalues, and the shift keeps that one the largest.
    const radii = this.membranes.map(({ index, topology, leak, spectralRadius }) =>
      topology === 'cycle' || topology === 'permutation'
        ? 1 - leak + leak * spectralRadius
        : this.machine.effectiveRadius(index),
    );
    return {
      feedback: this.feedback > 0,
      effectiveRadius: Math.max(...radii),
      normBound: this.machine.normBound(),
    };
  }

  #at(membrane: number): HostedMembrane {
    const found = this.membranes[membrane];
    if (!found) throw rangeError(`a whole number from 0 to ${this.membranes.length - 1}`, 'membrane', membrane);
    return found;
  }
}

/** All open, on the caller's memory or our own. */
function gatesOf(given: Uint8Array | undefined, membranes: number): Uint8Array {
  const gates = given ?? new Uint8Array(new SharedArrayBuffer(membranes));
  if (gates.length !== membranes) throw shapeError(`gates with ${membranes} elements (membranes)`, gates.length);
  return requireShared(checkView(gates, 'gates', ['Uint8Array']), 'gates').fill(1);
}

function hostMembranes(options: CheckedOptions): HostedMembrane[] {
  const tree = membraneTree(options.depth);
  const units = unitsOf(tree, options);
  const leak = eachLevel(options.leak, options.depth, 'leak');
  const spectralRadius = eachLevel(options.spectralRadius, options.depth, 'spectralRadius');
  let offset = 0;
  return tree.map((membrane) => {
    const hosted = {
      ...membrane,
      offset,
      units: units[membrane.index]!,
      topology: resolveTopology(units[membrane.index]!, options.topology, options.density).topology,
      leak: leak[membrane.level - 1]!,
      spectralRadius: spectralRadius[membrane.level - 1]!,
    };
    offset += hosted.units;
    return hosted;
  });
}

/** Units of each membrane: those of its level, or of all, split as evenly as whole numbers go. */
function unitsOf(tree: Membrane[], { units, depth }: CheckedOptions): number[] {
  const sizes = levelSizes(tree);
  if (typeof units === 'number') return split(units, tree.length, 'units');
  if (units.length !== depth) throw shapeError(`units with ${depth} elements (levels)`, units.length);
  return units.flatMap((total, level) => split(total, sizes[level]!, `units[${level}]`));
}

function split(total: number, parts: number, argument: string): number[] {
  if (total < parts) throw rangeError(`at least ${parts}, one for each of ${parts} membranes,`, argument, total);
  return Array.from({ length: parts }, (_, i) => Math.floor(total / parts) + (i < total % parts ? 1 : 0));
}

function eachLevel(value: number | number[], depth: number, argument: string): number[] {
  if (typeof value === 'number') return new Array<number>(depth).fill(value);
  if (value.length !== depth) throw shapeError(`${argument} with ${depth} elements (levels)`, value.length);
  return value;
}

function leaks(membranes: HostedMembrane[], dtype: FloatDtype): Floats {
  const values = floats(dtype, membranes.at(-1)!.offset + membranes.at(-1)!.units);
  for (const { offset, units, leak } of membranes) values.fill(leak, offset, offset + units);
  return values;
}

function nativeSpec(options: CheckedOptions, membranes: HostedMembrane[]) {
  const { inputs, inputScaling, biasScaling, blockRows, seed, update } = options;
  let weights = 0;
  const specs = membranes.map((membrane): MembraneSpec => {
    const { index, units, weight, parent, spectralRadius } = membrane;
    const { topology, density } = resolveTopology(units, options.topology, options.density);
    const reached = index === 0 || options.inputTo === 'all' ? inputs : 0;
    const ports = parent === null ? 0 : membranes[parent]!.units;
    const directions = (options.coupling > 0 ? 1 : 0) + (options.feedback > 0 ? 1 : 0);
    weights += units * ((isStructured(topology) ? 0 : density * units) + reached + directions * ports);
    return {
      ...{ units, inputs: reached, spectralRadius, inputScaling, biasScaling, topology, density, blockRows, seed },
      stream: index,
      parent: parent ?? 0,
      coupling: options.coupling * weight,
      feedback: options.feedback * weight,
    };
  });
  checkMemory(weights * (options.dtype === 'f32' ? 4 : 8), `${membranes.length} membranes with ${weights} weights`);
  return { inputs, parentFirst: update === 'parentFirst', membranes: specs };
}

/**
 * A readout for every number of levels of a Deep Tree, from one fit: the features are those of the inputs, then the states level by
 * level, so that the first levels are the first features.
 */
import { argumentError, checkWhole, rangeError } from '../errors/index.js';
import { type Feature, isDeepTree, type Network, type State } from '../network/index.js';
import { matrix } from '../numeric/index.js';
import { LinearReadout, type NestedReadout, type RidgeOptions } from '../readout/index.js';
import { isLearner, type Learner } from './options.js';
import type { Scaling } from './scaling.js';
import { Trained } from './trained.js';

/** The readout of the first levels of a Deep Tree. */
export interface EsnLevel {
  /** How many levels it reads, from the skin on. */
  levels: number;
  /** Membranes of these levels. */
  membranes: number;
  /** Features that it reads: those of the inputs, and the states of these membranes. */
  features: number;
  /** The trained map of these features, in the units of the network. */
  readout: LinearReadout;
  /**
   * Root of the mean squared error over the folds, in units of the standard deviation of the targets: each fold by the readout of all
   * others. Null with one fold, where one fold has all rows, and for the solver 'cholesky'.
   */
  nrmse: number | null;
}

/** What the first levels have, before a fit. */
export type LevelSizes = Pick<EsnLevel, 'levels' | 'membranes' | 'features'>;

/** Folds of the Ridge of a nested Esn whose options name none. */
export const NESTED_FOLDS = 5;

/** The features of a nested Esn that names none. */
export const nestedFeatures: readonly Feature[] = ['inputs', 'states'];

/**
 * The sizes of the first levels. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a network, features or a readout that has no
 * nested readouts.
 */
export function levelSizesOf(
  network: Network,
  features: readonly Feature[],
  featureSize: number,
  readout: Learner | RidgeOptions | undefined,
): LevelSizes[] {
  if (!isDeepTree(network)) throw argumentError('a DeepTreeModel (with nested)', 'network', network);
  if (network.feedback > 0) throw rangeError('0 (with nested: without deeper levels)', 'feedback', network.feedback);
  checkFeatures(features);
  checkReadout(readout);
  const { membranes, depth } = network;
  if (membranes.some(({ level }, m) => level < (membranes[m - 1]?.level ?? 0))) {
    throw argumentError('membranes level by level (with nested)', 'parents', membranes);
  }
  const before = featureSize - network.units;
  return Array.from({ length: depth }, (_, i) => {
    const first = membranes.filter(({ level }) => level <= i + 1);
    const { offset, units } = first.at(-1)!;
    return { levels: i + 1, membranes: first.length, features: before + offset + units };
  });
}

/** 'states' come last, and nothing before reads them. */
function checkFeatures(features: readonly Feature[]): void {
  const before = features.slice(0, -1);
  const ofInputs = (one: Feature) =>
    one === 'inputs' || (typeof one === 'object' && 'of' in one && one.of === 'inputs');
  if (features.at(-1) === 'states' && before.every(ofInputs)) return;
  throw argumentError("features of the inputs and then 'states' (with nested)", 'features', features);
}

function checkReadout(readout: Learner | RidgeOptions | undefined): void {
  const solver = readout && 'solver' in readout ? readout.solver : 'qr';
  if (isLearner(readout) && !('solver' in readout)) throw argumentError('a Ridge (with nested)', 'readout', readout);
  if (solver === 'svd' || solver === 'dual') throw rangeError("'qr' or 'cholesky' (with nested)", 'solver', solver);
}

/** The readouts of a fit by their sizes. */
export function levelsOf(sizes: readonly LevelSizes[], nested: readonly NestedReadout[]): EsnLevel[] {
  return sizes.map((size, i) => {
    const { readout, error } = nested[i]!;
    return { ...size, readout, nrmse: error === null ? null : Math.sqrt(error) };
  });
}

/** A readout, and what opens the levels that it reads while a state is run. */
export interface OpenLevels {
  trained: Trained;
  open: <R>(state: State, run: (state: State) => R) => R;
  openAsync: <R>(state: State, run: (state: State) => Promise<R>) => Promise<R>;
}

/** The gates stay as they are. */
export const asTheyAre: Omit<OpenLevels, 'trained'> = {
  open: (state, run) => run(state),
  openAsync: (state, run) => run(state),
};

/** The levels of a trained Esn, each as it is read from rows of all features. */
export class Levels {
  readonly all: readonly EsnLevel[];
  readonly #trained: Trained[];

  constructor(all: readonly EsnLevel[], featured: Network, scaling: Scaling | null) {
    this.all = all;
    this.#trained = all.map(({ readout }) => new Trained(featured, padded(readout, featured.featureSize), scaling));
  }

  /** What reads so many levels, and opens them alone. Errors: RangeError ERR_DTESN_ARGUMENT for more than there are. */
  opening(levels: number): OpenLevels {
    checkWhole(levels, 'levels', 1, this.all.length);
    const { membranes } = this.all[levels - 1]!;
    return {
      trained: this.#trained[levels - 1]!,
      open: (state, run) => {
        const restore = onlyFirst(state, membranes);
        try {
          return run(state);
        } finally {
          restore();
        }
      },
      openAsync: async (state, run) => {
        const restore = onlyFirst(state, membranes);
        try {
          return await run(state);
        } finally {
          restore();
        }
      },
    };
  }
}

/** Opens the gates of the first membranes alone; what is returned puts them back. */
function onlyFirst({ gates }: State, membranes: number): () => void {
  const before = Uint8Array.from(gates!);
  gates!.fill(1, 0, membranes).fill(0, membranes);
  return () => gates!.set(before);
}

/** The same readout with zeros for the features that it does not read. */
function padded({ weights, bias, outputs }: LinearReadout, features: number): LinearReadout {
  const data = new Float64Array(features * outputs);
  data.set(weights.data);
  return new LinearReadout({ states: features, weights: matrix(features, outputs, data), bias });
}

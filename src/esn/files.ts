/**
 * A model as its file holds it: options, the recipe of its network, the trained readout and the state. Weights that a seed draws are
 * drawn again; the checksum of all weights tells whether they are the same.
 *
 * Errors: DtesnError ERR_DTESN_FILE for a file that is cut, altered, of another kind or of a later version, or whose weights are drawn
 * otherwise by this version; those of the system for a file that cannot be read or written.
 */
import { isDtesnError } from '../errors/index.js';
import { type Featured, type Network, networkOfRecipe, readRecipe } from '../network/index.js';
import {
  isLeastMeanSquares,
  isRecursiveLeastSquares,
  LeastMeanSquares,
  RecursiveLeastSquares,
  type RidgeOptions,
} from '../readout/index.js';
import type { EsnOptions, Learner } from './options.js';
import { pack, unpack } from './packing.js';
import { fileError, readModelFile, type Tensor, writeModelFile } from './safetensors.js';
import type { EsnSnapshot } from './snapshot.js';

/** Writes the parts of a model of this kind, with the recipe and the checksum of its network. */
export async function saveModel(file: string, kind: string, network: Network, parts: object): Promise<void> {
  const tensors = new Map<string, Tensor>();
  const model = pack({ ...parts, network: network.recipe(), weights: network.digest() }, tensors);
  await writeModelFile(file, kind, JSON.stringify(model), tensors);
}

/** The model that `make` builds of the parts of a file and of its network, which is closed where that fails. */
export async function loadModel<Parts, Model>(
  file: string,
  kind: string,
  make: (parts: Parts, network: Network) => Model,
): Promise<Model> {
  const { model, tensors } = await readModelFile(file, kind);
  let made: Network | null = null;
  try {
    const { network: recipe, weights, ...parts } = unpack(model, tensors) as Record<string, unknown>;
    made = networkOfRecipe(readRecipe(recipe));
    if (made.digest() !== weights) {
      throw fileError(file, 'has a network whose weights this version of dtesn draws otherwise');
    }
    return make(parts as Parts, made);
  } catch (error) {
    made?.close();
    if (isDtesnError(error)) throw error;
    throw fileError(file, `does not hold an ${kind} of this version: ${(error as Error).message}`, error);
  }
}

/** What trains the readout of an Esn; what it has learned is in the snapshot. */
export type SavedReadout = { kind: 'recursive' | 'leastMeanSquares' | 'ridge'; options: object };

export function savedReadout(learner: Learner | null, options: RidgeOptions | null): SavedReadout {
  if (isRecursiveLeastSquares(learner)) return { kind: 'recursive', options: {} };
  if (isLeastMeanSquares(learner)) {
    const { learningRate, normalised, intercept } = learner;
    return { kind: 'leastMeanSquares', options: { learningRate, normalised, intercept } };
  }
  if (options !== null || learner === null) return { kind: 'ridge', options: options ?? {} };
  const { ridges, solver, intercept, folds } = learner;
  return { kind: 'ridge', options: { ridge: ridges.length > 1 ? ridges : ridges[0], solver, intercept, folds } };
}

export function loadedReadout({ kind, options }: SavedReadout): Learner | RidgeOptions {
  if (kind === 'ridge') return options;
  return kind === 'recursive' ? new RecursiveLeastSquares(options) : new LeastMeanSquares(options);
}

/** What an Esn is in its file, beside the network. */
export interface SavedEsn extends Required<Pick<EsnOptions, 'washout' | 'scale' | 'features'>> {
  /** Left out where it is false. */
  nested?: true | undefined;
  readout: SavedReadout;
  snapshot: EsnSnapshot;
}

/** What stands between a network and a readout. */
export function featuresOf(featured: Network, network: Network): Featured['features'] {
  return featured === network ? ['states'] : (featured as Featured).features;
}

/** What an Esn is in the middle of its life: a plain object of numbers and typed arrays. */
import { argumentError, rangeError, shapeError } from '../errors/index.js';
import { checkView, type Floats } from '../native/index.js';
import type { Network, State } from '../network/index.js';
import { matrix } from '../numeric/index.js';
import { isRecursiveLeastSquares, LinearReadout, RecursiveLeastSquares } from '../readout/index.js';
import type { EsnLevel, LevelSizes } from './levels.js';
import type { Learner } from './options.js';
import type { Scale, Scaling } from './scaling.js';

/** What Esn.snapshot returns and Esn.restore takes: a plain object, of no other use. */
export interface EsnSnapshot {
  /** What it is a snapshot of. */
  readonly dtesn: 'esn';
  /** Version of this form. */
  readonly version: 1;
  /** The state. */
  readonly state: Floats;
  /** Its gates; null where the network has none. */
  readonly gates: Uint8Array | null;
  /** W, features x outputs, row-major. */
  readonly weights: Float64Array;
  /** b. */
  readonly bias: Float64Array;
  /** How inputs are scaled; null where they are not. */
  readonly scaling: { readonly offset: Float64Array; readonly factor: Float64Array } | null;
  /** The save of a RecursiveLeastSquares; null for other readouts. */
  readonly learner: Uint8Array | null;
  /** W and b of the first levels of a nested Esn, one after the other, and the error of each; null for others. */
  readonly levels?: readonly SnapshotLevel[] | null;
}

/** The readout of the first levels of a nested Esn. */
export interface SnapshotLevel {
  /** W, features x outputs, row-major. */
  readonly weights: Float64Array;
  /** b. */
  readonly bias: Float64Array;
  /** Error over the folds; null where it is not known. */
  readonly nrmse: number | null;
}

interface Parts {
  state: State;
  readout: LinearReadout;
  scaling: Scaling | null;
  learner: Learner | null;
  levels: readonly EsnLevel[] | null;
}

export function snapshotOf({ state, readout, scaling, learner, levels }: Parts): EsnSnapshot {
  state.checkIdle();
  return {
    dtesn: 'esn',
    version: 1,
    state: copyOf(state.data),
    gates: state.gates ? Uint8Array.from(state.gates) : null,
    weights: Float64Array.from(readout.weights.data),
    bias: Float64Array.from(readout.bias),
    scaling: scaling && { offset: scaling.offset.slice(), factor: scaling.factor.slice() },
    learner: isRecursiveLeastSquares(learner) ? learner.save() : null,
    levels:
      levels?.map(({ readout: { weights, bias }, nrmse }) => ({
        weights: Float64Array.from(weights.data),
        bias: Float64Array.from(bias),
        nrmse,
      })) ?? null,
  };
}

/** Checks a snapshot for this network; `sizes` are those of the levels of a nested Esn. */
export function readSnapshot(
  snapshot: EsnSnapshot,
  network: Network,
  learner: Learner | null,
  sizes: readonly LevelSizes[] | null,
  scale: Scale,
) {
  if (typeof snapshot !== 'object' || snapshot === null || snapshot.dtesn !== 'esn') {
    throw argumentError('what snapshot() returned', 'snapshot', snapshot);
  }
  if (snapshot.version !== 1) throw rangeError('a snapshot of version 1', 'snapshot', snapshot.version);
  const { gates, scaling } = snapshot;
  const state = numbers(snapshot.state, 'snapshot.state');
  const weights = numbers(snapshot.weights, 'snapshot.weights');
  const bias = numbers(snapshot.bias, 'snapshot.bias');
  const outputs = bias.length;
  if (
    state.length !== network.stateSize ||
    weights.length !== network.featureSize * outputs ||
    (gates?.length ?? 0) !== network.gateCount
  ) {
    throw shapeError(
      `a snapshot of ${network.stateSize} numbers of state and ${network.featureSize} features`,
      `${state.length} and ${weights.length / outputs}`,
    );
  }
  const wanted = scale === 'none' ? 0 : network.inputs;
  if ((scaling?.offset.length ?? 0) !== wanted || (scaling?.factor.length ?? 0) !== wanted) {
    throw shapeError(`a snapshot of ${wanted} scaled inputs (scale '${scale}')`, scaling?.offset.length ?? 'none');
  }
  const readout = readoutOf(network.featureSize, weights, bias);
  const restored =
    isRecursiveLeastSquares(learner) && snapshot.learner ? RecursiveLeastSquares.restore(snapshot.learner) : null;
  const units = scaling && { offset: Float64Array.from(scaling.offset), factor: Float64Array.from(scaling.factor) };
  return { state, gates, readout, scaling: units, learner: restored, levels: sizes && readLevels(snapshot, sizes) };
}

function readLevels({ levels }: EsnSnapshot, sizes: readonly LevelSizes[]): EsnLevel[] {
  if (levels?.length !== sizes.length)
    throw shapeError(`a snapshot of ${sizes.length} levels`, levels?.length ?? 'none');
  return sizes.map((size, i) => {
    const weights = numbers(levels[i]?.weights, `snapshot.levels[${i}].weights`);
    const bias = numbers(levels[i]?.bias, `snapshot.levels[${i}].bias`);
    const { nrmse } = levels[i]!;
    if (weights.length !== size.features * bias.length) {
      throw shapeError(
        `a snapshot of ${size.features} features of ${size.levels} levels`,
        weights.length / bias.length,
      );
    }
    return { ...size, readout: readoutOf(size.features, weights, bias), nrmse };
  });
}

function readoutOf(features: number, weights: Floats, bias: Floats): LinearReadout {
  return new LinearReadout({
    states: features,
    weights: matrix(features, bias.length, weights),
    bias: Float64Array.from(bias),
  });
}

function numbers(values: unknown, argument: string): Floats {
  return checkView(values, argument, ['Float32Array', 'Float64Array']);
}

function copyOf(values: Floats): Floats {
  return values instanceof Float32Array ? Float32Array.from(values) : Float64Array.from(values);
}

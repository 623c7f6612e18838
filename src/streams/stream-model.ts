/**
 * A trained model behind the streams of a pool: what a stream is given in the units of the data, what it answers, and what it
 * learns.
 */
import { argumentError, shapeError } from '../errors/index.js';
import { type Floats, floats } from '../native/index.js';
import type { Network } from '../network/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';

/** A trained model whose streams a pool steps: an Esn. */
export interface StreamModel {
  /** The network whose rows the readout of the model reads. */
  readonly featured: Network;
}

interface Model extends StreamModel {
  toNetwork(rows: SeriesInput): Floats;
  outputsOf(features: Floats): Matrix;
  learn(features: Floats, targets: SeriesInput): Matrix;
}

export function isStreamModel(value: unknown): value is StreamModel {
  const model = value as Partial<Model> | null;
  return typeof model === 'object' && typeof model?.learn === 'function' && typeof model.outputsOf === 'function';
}

/** The targets that wait for their steps, and the outputs of states. */
export class StreamTeacher {
  readonly #model: Model;
  /** Of each place, a target for each waiting input: null where none came. */
  readonly #waiting = new Map<number, (Float64Array | null)[]>();

  constructor(model: StreamModel) {
    this.#model = model as Model;
  }

  /** Inputs in the units of the network. */
  toNetwork(series: ArrayLike<number>): Floats {
    const { inputs } = this.#model.featured;
    return this.#model.toNetwork(matrix(series.length / inputs, inputs, Float64Array.from(series)));
  }

  /** Notes the targets of so many inputs. */
  push(place: number, steps: number, targets: ArrayLike<number> | undefined): void {
    const list = this.#waiting.get(place) ?? [];
    const width = targets === undefined ? 0 : targets.length / steps;
    if (!Number.isInteger(width)) throw shapeError(`targets with ${steps} rows (of the series)`, targets!.length);
    for (let t = 0; t < steps; t++) {
      const row = targets && Float64Array.from({ length: width }, (_, o) => targets[t * width + o]!);
      list.push(row === undefined || row.some(Number.isNaN) ? null : row);
    }
    this.#waiting.set(place, list);
  }

  forget(place: number): void {
    this.#waiting.delete(place);
  }

  /** The outputs of states, each in a row. */
  outputs(states: readonly Floats[]): Matrix {
    return this.#model.outputsOf(this.#rows(states));
  }

  /** Takes the targets of the places that took a step, and learns them in this order. */
  learn(places: readonly number[], stateOf: (place: number) => Floats): void {
    const taught = places
      .map((place) => ({ place, target: this.#waiting.get(place)?.shift() ?? null }))
      .filter((one): one is { place: number; target: Float64Array } => one.target !== null);
    if (taught.length === 0) return;
    const width = taught[0]!.target.length;
    const uneven = taught.find(({ target }) => target.length !== width);
    if (uneven) throw argumentError(`targets of ${width} numbers`, 'targets', uneven.target);
    const targets = matrix(taught.length, width, Float64Array.from(taught.flatMap(({ target }) => [...target])));
    this.#model.learn(this.#rows(taught.map(({ place }) => stateOf(place))), targets);
  }

  #rows(states: readonly Floats[]): Floats {
    const { featured } = this.#model;
    const { featureSize, dtype } = featured;
    const rows = floats(dtype, states.length * featureSize);
    states.forEach((state, i) => {
      featured.featuresOf(state, rows.subarray(i * featureSize, (i + 1) * featureSize));
    });
    return rows;
  }
}

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

  /** The targets of so many inputs, copied: null where one is NaN, or where none are given. */
  rowsOf(steps: number, targets: ArrayLike<number> | undefined): (Float64Array | null)[] {
    if (targets === undefined) return new Array<null>(steps).fill(null);
    const width = steps === 0 ? targets.length : targets.length / steps;
    const fits = steps === 0 ? width === 0 : Number.isInteger(width);
    if (!fits) throw shapeError(`targets with ${steps} rows (of the series)`, targets.length);
    return Array.from({ length: steps }, (_, t) => {
      const row = Float64Array.from({ length: width }, (_, o) => targets[t * width + o]!);
      return row.some(Number.isNaN) ? null : row;
    });
  }

  /** Notes the targets of inputs that were taken. */
  push(place: number, rows: readonly (Float64Array | null)[]): void {
    const list = this.#waiting.get(place);
    if (list === undefined) this.#waiting.set(place, [...rows]);
    else list.push(...rows);
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

/** Least mean squares: a step along the gradient of each row. */
import { z } from 'zod';
import { brand, checkOptions, DtesnError, shapeError } from '../errors/index.js';
import type { ReadoutShape } from '../native/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { type KnownSizes, type ReadoutSizes, readFeatures, readTargets, shapeFields, shapeOfRows } from './features.js';
import { LinearReadout } from './linear-readout.js';

export const optionsSchema = z.object({
  ...shapeFields,
  states: shapeFields.states.optional().describe('a whole number from 1 to 1048576'),
  outputs: shapeFields.outputs.optional().describe('a whole number from 1 to 1048576'),
  learningRate: z.number().gt(0).max(Number.MAX_VALUE).default(1e-3).describe('a finite number above 0'),
  normalised: z.boolean().default(false).describe('true or false'),
});

/** Options of LeastMeanSquares: sizes of its rows, and the length of its steps. */
export interface LeastMeanSquaresOptions extends Omit<ReadoutSizes, 'states' | 'outputs'> {
  /** Columns of the states, 1 to 1,048,576. Default: those of the first rows, which a typed array alone does not say. */
  states?: number | undefined;
  /** Columns of the targets, 1 to 1,048,576. Default: those of the first targets. */
  outputs?: number | undefined;
  /** a, a finite number above 0: stable below 2 / (x' x + 1), or below 2 where it is normalised. Default 1e-3. */
  learningRate?: number | undefined;
  /** Whether a step is divided by x' x, and by x' x + 1 with an intercept. Default false. */
  normalised?: boolean | undefined;
}

/**
 * Least mean squares: a step along the gradient of each row, in f64.
 *
 *     e = W' x + b - y        W <- W - a x e'        b <- b - a e
 *
 * with x the states and the inputs; normalised, a is divided by x' x + 1. A row costs 2 features outputs operations where
 * RecursiveLeastSquares costs features². W and b begin at 0.
 *
 * Errors: as RecursiveLeastSquares'; DtesnError ERR_DTESN_UNSTABLE when the weights become infinite: give a smaller learningRate.
 * Source: Widrow & Hoff (1960), IRE WESCON Convention Record 4; Haykin (2002), "Adaptive Filter Theory", chapters 5 and 6.
 */
export class LeastMeanSquares {
  /** a: the length of a step. */
  readonly learningRate: number;
  /** Whether a step is divided by the squared length of its row. */
  readonly normalised: boolean;
  readonly #sizes: KnownSizes;
  #shape: ReadoutShape | null = null;
  #weights = new Float64Array(0);
  #bias = new Float64Array(0);
  #steps = 0;

  constructor(options: LeastMeanSquaresOptions = {}) {
    const { learningRate, normalised, ...sizes } = checkOptions(optionsSchema, options, 'LeastMeanSquares');
    this.learningRate = learningRate;
    this.normalised = normalised;
    this.#sizes = sizes;
    this.reset();
  }

  /** Whether b is learned. */
  get intercept(): boolean {
    return this.#sizes.intercept;
  }

  /** Rows learned so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Learns row by row; returns the prediction for each row before it is learned, steps x outputs. */
  update(states: SeriesInput, targets: SeriesInput, inputs?: SeriesInput): Matrix {
    const shape = this.#shape ?? this.#begin(shapeOfRows(this.#sizes, states, targets, inputs, 'LeastMeanSquares'));
    const features = readFeatures(states, inputs, shape);
    const wanted = readTargets(targets, features.steps, shape);
    const predictions = new Float64Array(wanted.length);
    const row = new Float64Array(shape.states + shape.inputs);
    for (let t = 0; t < features.steps; t++) {
      row.set(features.states.subarray(t * shape.states, (t + 1) * shape.states));
      if (features.inputs) row.set(features.inputs.subarray(t * shape.inputs, (t + 1) * shape.inputs), shape.states);
      this.#step(row, wanted, predictions, t * shape.outputs);
    }
    return matrix(features.steps, shape.outputs, predictions);
  }

  /** The readout after the rows so far. */
  readout(): LinearReadout {
    if (this.#shape === null) {
      throw new DtesnError('ERR_DTESN_EMPTY', 'Expected rows before the readout: call update first');
    }
    const { states, inputs, outputs } = this.#shape;
    const weights = matrix(states + inputs, outputs, this.#weights);
    return new LinearReadout({ states, inputs, weights, bias: this.#bias });
  }

  /** Forgets what was learned, and the sizes of the first rows; new ones may follow. */
  reset(): void {
    this.#shape = null;
    this.#steps = 0;
    const { states, outputs } = this.#sizes;
    if (states !== undefined && outputs !== undefined) this.#begin({ ...this.#sizes, states, outputs });
  }

  /**
   * Goes on from the weights of a readout. `steps` counts from here.
   * @internal
   */
  take({ states, inputs, outputs, weights, bias }: LinearReadout): void {
    const { states: own = states, outputs: wanted = outputs } = this.#sizes;
    if (own !== states || wanted !== outputs) {
      throw shapeError(`${own} states and ${wanted} outputs (of this readout)`, `${states} and ${outputs}`);
    }
    this.#begin({ states, inputs, outputs, intercept: this.intercept });
    this.#weights.set(weights.data);
    this.#bias.set(bias);
    this.#steps = 0;
  }

  #begin(shape: ReadoutShape): ReadoutShape {
    this.#shape = shape;
    this.#weights = new Float64Array((shape.states + shape.inputs) * shape.outputs);
    this.#bias = new Float64Array(shape.outputs);
    return shape;
  }

  #step(x: Float64Array, targets: Float64Array, predictions: Float64Array, at: number): void {
    const { outputs, intercept } = this.#shape!;
    const [weights, bias] = [this.#weights, this.#bias];
    let rate = this.learningRate;
    if (this.normalised) rate /= x.reduce((sum, value) => sum + value * value, intercept ? 1 : Number.MIN_VALUE);
    for (let o = 0; o < outputs; o++) {
      let y = bias[o]!;
      for (let i = 0; i < x.length; i++) y += x[i]! * weights[i * outputs + o]!;
      const step = rate * (y - targets[at + o]!);
      if (!Number.isFinite(step)) {
        const message = `The weights became infinite at row ${at / outputs}: give a smaller learningRate`;
        throw new DtesnError('ERR_DTESN_UNSTABLE', message);
      }
      predictions[at + o] = y;
      for (let i = 0; i < x.length; i++) weights[i * outputs + o]! -= step * x[i]!;
      if (intercept) bias[o]! -= step;
    }
    this.#steps++;
  }
}

export const isLeastMeanSquares = brand(LeastMeanSquares, 'LeastMeanSquares');

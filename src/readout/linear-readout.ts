/** The trained linear map of a reservoir. */
import { z } from 'zod';
import { checkOptions, rangeError, shapeError } from '../errors/index.js';
import { addon, checkView, type Floats, type NativeLinearReadout } from '../native/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { readFeatures, shapeFields } from './features.js';

export const optionsSchema = z.object({
  states: shapeFields.states,
  inputs: shapeFields.inputs,
  weights: z
    .custom<Matrix>((value) => value !== undefined && value !== null)
    .describe('a Matrix of features x outputs'),
  bias: z.custom<ArrayLike<number>>((value) => value !== undefined && value !== null).describe('numbers'),
});

/** Options of LinearReadout: the weights and their sizes. */
export interface LinearReadoutOptions {
  /** Columns of the states. Required. */
  states: number;
  /** Columns of the inputs. Default 0. */
  inputs?: number | undefined;
  /** W, (states + inputs) x outputs; copied. Required. */
  weights: Matrix;
  /** b: one number an output; it is copied. Required. */
  bias: ArrayLike<number>;
}

/**
 * The trained linear map of a reservoir.
 *
 *     y(t) = W' [x(t), u(t)] + b
 *
 * Shapes: states steps x states, inputs steps x inputs (none by default), W features x outputs with features = states +
 * inputs, b outputs, y steps x outputs. Weights and sums are f64, for every dtype of the states.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option; RangeError ERR_DTESN_SHAPE for weights or rows that do
 * not fit.
 */
export class LinearReadout {
  /** Columns of the states. */
  readonly states: number;
  /** Columns of the inputs, which are read beside the states; 0 for none. */
  readonly inputs: number;
  /** Columns of the outputs. */
  readonly outputs: number;
  /** features x outputs, f64. A copy; writing to it has no effect. */
  readonly weights: Matrix;
  /** b, one an output. */
  readonly bias: Float64Array;
  readonly #map: NativeLinearReadout;

  constructor(options: LinearReadoutOptions) {
    const { states, inputs, weights, bias } = checkOptions(optionsSchema, options, 'LinearReadout');
    const data = Float64Array.from(checkView(weights.data, 'weights.data', ['Float32Array', 'Float64Array']));
    const { rows, cols } = weights;
    if (rows !== states + inputs || cols < 1 || data.length !== rows * cols) {
      throw shapeError(`weights with ${states + inputs} rows (states + inputs)`, `${rows} x ${cols}`);
    }
    if (bias.length !== cols) throw shapeError(`bias with ${cols} elements (columns of weights)`, bias.length);
    this.states = states;
    this.inputs = inputs;
    this.outputs = cols;
    this.weights = matrix(rows, cols, data);
    this.bias = Float64Array.from(bias);
    for (const value of [...data, ...this.bias]) {
      if (!Number.isFinite(value)) throw rangeError('finite numbers', 'weights and bias', value);
    }
    const shape = { states, inputs, outputs: cols, intercept: true };
    this.#map = new (addon().LinearReadout)(shape, data, this.bias);
  }

  /** Outputs of rows of states and of the inputs of the same steps, steps x outputs. */
  apply(states: SeriesInput, inputs?: SeriesInput): Matrix {
    const shape = { states: this.states, inputs: this.inputs, outputs: this.outputs, intercept: true };
    const features = readFeatures(states, inputs, shape);
    const out = new Float64Array(features.steps * this.outputs);
    this.applyInto(features.states, features.inputs, out);
    return matrix(features.steps, this.outputs, out);
  }

  /** The same for views of one dtype, into `out` (steps x outputs); only lengths are checked. */
  applyInto(states: Floats, inputs: Floats | undefined, out: Float64Array): void {
    this.#map.apply(states, inputs, out);
  }
}

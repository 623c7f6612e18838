/**
 * Features of a readout: rows of states, followed by the inputs of the same steps if the readout has inputs.
 *
 *     row t = [x(t), u(t)]        states: steps x states; inputs: steps x inputs; targets: steps x outputs
 */
import { z } from 'zod';
import { argumentError, rangeError, shapeError } from '../errors/index.js';
import type { FloatDtype, Floats, ReadoutShape } from '../native/index.js';
import { columnsOf, readSeries, type SeriesInput, type SeriesTarget } from '../numeric/index.js';

const size = z.int().min(1).max(1_048_576);

/** Sizes of a readout: columns of its states, inputs and outputs. */
export interface ReadoutSizes {
  /** Columns of the states, 1 to 1,048,576. Required. */
  states: number;
  /** Columns of the inputs, which the readout reads beside the states. Default 0: none. */
  inputs?: number | undefined;
  /** Columns of the targets, 1 to 1,048,576. Required. */
  outputs: number;
  /** Whether b is learned; it is 0 otherwise. Default true. */
  intercept?: boolean | undefined;
}

/** The schema of the sizes. */
export const shapeFields = {
  states: size.describe('a whole number from 1 to 1048576'),
  inputs: z.int().min(0).max(1_048_576).default(0).describe('a whole number from 0 to 1048576'),
  outputs: size.describe('a whole number from 1 to 1048576'),
  intercept: z.boolean().default(true).describe('true or false'),
};

/** Sizes that an object was given; the others are those of its first rows. */
export interface KnownSizes {
  states?: number | undefined;
  inputs: number;
  outputs?: number | undefined;
  intercept: boolean;
}

/** The sizes of the first rows, where they were not given. `owner` for errors: 'Ridge'. */
export function shapeOfRows(
  known: KnownSizes,
  states: SeriesInput,
  targets: SeriesInput,
  inputs: SeriesInput | undefined,
  owner: string,
): ReadoutShape {
  const columns = known.states ?? columnsOf(states);
  if (columns === undefined) throw shapeError(`a Matrix or rows for states, or the option states of ${owner}`, states);
  const seen = inputs === undefined ? known.inputs : (columnsOf(inputs) ?? known.inputs);
  const steps = Array.isArray(states) ? states.length : 'rows' in states ? states.rows : states.length / columns;
  const outputs = known.outputs ?? columnsOf(targets) ?? (targets as ArrayLike<number>)?.length / steps;
  const isWhole = Number.isInteger(outputs) && outputs > 0; // else reading the rows reports the error
  return { states: columns, inputs: seen, outputs: isWhole ? outputs : 1, intercept: known.intercept };
}

export interface Features {
  states: Floats;
  inputs: Floats | undefined;
  steps: number;
}

/**
 * States keep their dtype (arrays of numbers become f64), and the inputs are converted to it; on shared memory where
 * `shared`.
 */
export function readFeatures(
  states: SeriesInput,
  inputs: SeriesInput | undefined,
  shape: ReadoutShape,
  shared = false,
): Features {
  const dtype = dtypeOfRows(states);
  const x = readSeries(states, target('states', shape.states, dtype, shared));
  const steps = x.length / shape.states;
  if (shape.inputs > 0) {
    const columns = target('inputs', shape.inputs, dtype, shared);
    return { states: x, inputs: readRows(inputs!, steps, columns), steps };
  }
  if (inputs !== undefined) throw shapeError('no inputs (this readout has none)', 'some');
  return { states: x, inputs: undefined, steps };
}

/** NaN stands for an unknown target where `nan`. */
export function readTargets(
  targets: SeriesInput,
  steps: number,
  { outputs }: ReadoutShape,
  shared = false,
  nan = false,
): Float64Array {
  return readRows(targets, steps, { ...target('targets', outputs, 'f64', shared), nan }) as Float64Array;
}

/** Weights of rows: one a row, finite, 0 or more; null where left out. */
export function readWeights(
  weights: ArrayLike<number> | undefined,
  steps: number,
  shared = false,
): Float64Array | null {
  if (weights === undefined) return null;
  if (typeof weights !== 'object' || weights === null) throw argumentError('an array of numbers', 'weights', weights);
  if (weights.length !== steps) throw shapeError(`weights with ${steps} elements (one for each row)`, weights.length);
  const copy = shared ? new Float64Array(new SharedArrayBuffer(8 * steps)) : new Float64Array(steps);
  for (let i = 0; i < steps; i++) {
    const weight = weights[i]!;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw rangeError('finite numbers, 0 or more,', `weights[${i}]`, weight);
    }
    copy[i] = weight;
  }
  return copy;
}

function readRows(rows: SeriesInput, steps: number, columns: SeriesTarget): Floats {
  const { inputs, argument } = columns;
  const values = readSeries(rows, columns);
  if (values.length === steps * inputs) return values;
  throw shapeError(`${argument} with ${steps} steps (one for each row of states)`, values.length / inputs);
}

const names: Record<string, string> = { states: 'states', inputs: 'inputs', targets: 'outputs' };

function target(argument: string, inputs: number, dtype: FloatDtype, shared: boolean): SeriesTarget {
  const owner = 'this readout';
  return { inputs, dtype, shared, columns: `${names[argument]} of ${owner}`, owner, argument };
}

function dtypeOfRows(rows: SeriesInput): FloatDtype {
  const data = typeof rows === 'object' && rows !== null && 'rows' in rows ? rows.data : rows;
  return data instanceof Float32Array ? 'f32' : 'f64';
}

/**
 * Given weights: dense or sparse matrices, converted to the operators of the native regions.
 *
 * Errors: RangeError ERR_DTESN_SHAPE for matrices that do not fit each other, RangeError ERR_DTESN_ARGUMENT for numbers
 * that are not finite in the dtype that stores them.
 */
import { z } from 'zod';
import { argumentError, describe, rangeError, shapeError } from '../errors/index.js';
import { type Initializer, weightSeeds } from '../initializers/index.js';
import { checkView, dtypeOf, type FloatDtype, type Floats, type OperatorSpec } from '../native/index.js';
import { type CsrMatrix, csr, isCsr, type Matrix, storedAs } from '../numeric/index.js';
import type { Precision } from './options.js';

/** Dense or sparse. */
export type AnyMatrix = Matrix | CsrMatrix;

const aMatrix = 'a matrix: matrix(rows, cols, data) or csr(rows, cols, { offsets, columns, values })';

export const matrixSchema = z.custom<AnyMatrix>(
  (value) => typeof value === 'object' && value !== null && ('data' in value || isCsr(value)),
  aMatrix,
);
export const biasSchema = z.custom<ArrayLike<number>>((v) => Array.isArray(v) || ArrayBuffer.isView(v), 'an array');

/** The weights of one region. */
export interface GivenWeights {
  /** W, units x units. */
  recurrent: AnyMatrix;
  /** W_in, units x inputs. */
  input: AnyMatrix;
  /** b, one a unit. Default: zeros. */
  bias?: ArrayLike<number> | undefined;
}

/** Weights of one region: as they are, or initializers that make them. */
export interface WeightSources {
  /** W, units x units. Required. */
  recurrent: AnyMatrix | Initializer;
  /** W_in, units x inputs. Required. */
  input: AnyMatrix | Initializer;
  /** b, one a unit; an initializer makes units x 1. Default: zeros. */
  bias?: ArrayLike<number> | Initializer | undefined;
}

const sourceText = `${aMatrix} or an initializer`;
export const initializerSchema = z.custom<Initializer>((value) => typeof value === 'function', sourceText);
export const sourceSchema = z.union([matrixSchema, initializerSchema], sourceText);

export const sourcesSchema = z.strictObject({
  recurrent: sourceSchema,
  input: sourceSchema,
  bias: z.union([biasSchema, initializerSchema], 'an array or an initializer').optional(),
});

/** The weights themselves; `recurrentName` is what errors call W. Sizes are those of given matrices, or `units` and `inputs`, which initializers need. */
export function madeWeights(
  { recurrent, input, bias }: WeightSources,
  sizes: { units?: number | undefined; inputs?: number | undefined; seed: number },
  recurrentName = 'weights.recurrent',
): GivenWeights {
  const isMade = typeof recurrent === 'function' || typeof input === 'function';
  const units = sizes.units ?? (typeof recurrent === 'function' ? rowsOf(input) : recurrent.rows);
  const inputs = sizes.inputs ?? (typeof input === 'function' ? undefined : input.cols);
  if (isMade && units === undefined) throw argumentError('a whole number of units with initializers', 'units', units);
  if (isMade && inputs === undefined)
    throw argumentError('a whole number of inputs with initializers', 'inputs', inputs);
  const seeds = weightSeeds(sizes.seed);
  return {
    recurrent: madeMatrix(recurrent, { rows: units, cols: units, seed: seeds.recurrent }, recurrentName),
    input: madeMatrix(input, { rows: units, cols: inputs, seed: seeds.input }, 'weights.input'),
    bias: typeof bias === 'function' ? columnOf(bias(units!, 1, seeds.bias), units!, 'weights.bias') : bias,
  };
}

/** A given matrix, or the one that an initializer makes. Sizes are undefined where only the given matrix has them. */
export function madeMatrix(
  source: AnyMatrix | Initializer,
  { rows, cols, seed }: { rows: number | undefined; cols: number | undefined; seed: number },
  argument: string,
): AnyMatrix {
  const weights = typeof source === 'function' ? source(rows!, cols!, seed) : source;
  checkSize(weights, argument, rows, cols);
  return weights;
}

const rowsOf = (source: AnyMatrix | Initializer) => (typeof source === 'function' ? undefined : source.rows);

/** b that an initializer has made as a matrix of one column. */
export function columnOf(weights: AnyMatrix, units: number, argument: string): ArrayLike<number> {
  checkSize(weights, argument, units, 1);
  if ('data' in weights) return weights.data;
  throw argumentError('an initializer of dense weights', argument, weights);
}

/** A size that was named is that of the matrix. */
function checkSize(weights: AnyMatrix, argument: string, rows: number | undefined, cols: number | undefined): void {
  const isMatrix = typeof weights === 'object' && weights !== null && ('data' in weights || isCsr(weights));
  if (!isMatrix) throw argumentError(aMatrix, argument, weights);
  if (weights.rows !== (rows ?? weights.rows) || weights.cols !== (cols ?? weights.cols)) {
    throw shapeError(`${argument} with ${rows} x ${cols} elements`, `${weights.rows} x ${weights.cols}`);
  }
}

/** The dtype of a matrix's elements. */
export function dtypeOfMatrix(given: AnyMatrix): FloatDtype {
  return dtypeOf(checkView(isCsr(given) ? given.values : given.data, 'weights', ['Float32Array', 'Float64Array']));
}

/** Sizes that recurrent and input weights agree on. */
export function sizesOf({ recurrent, input }: GivenWeights): { units: number; inputs: number } {
  const units = recurrent.rows;
  if (!(units >= 1) || recurrent.cols !== units) {
    throw shapeError('weights.recurrent to be square', `${describe(recurrent.rows)} x ${describe(recurrent.cols)}`);
  }
  if (input.rows !== units || !(input.cols >= 1)) {
    throw shapeError(
      `weights.input with ${units} rows (units) and a column for each input`,
      `${describe(input.rows)} x ${describe(input.cols)}`,
    );
  }
  return { units, inputs: input.cols };
}

/** A given matrix as an operator: rows of its non-zeros for a sparse one, or where `sparse` is wanted. */
export function operatorOf(
  given: AnyMatrix,
  dtype: FloatDtype,
  argument: string,
  { sparse = false, precision }: { sparse?: boolean; precision?: Precision } = {},
): OperatorSpec {
  if (isCsr(given)) {
    const { offsets, columns, values } = csr(given.rows, given.cols, {
      offsets: given.offsets,
      columns: given.columns,
      values: given.values,
    });
    return { kind: 'csr', offsets, columns, values: storedAs(values, dtype, `${argument}.values`) };
  }
  const values = storedAs(checkDense(given, argument), dtype, argument);
  if (precision === 'bf16') checkBf16(values, argument);
  if (sparse) return { kind: 'nonzeros', values };
  return precision === undefined ? { kind: 'dense', values } : { kind: 'dense', values, precision };
}

export function biasOf(bias: ArrayLike<number> | undefined, units: number, dtype: FloatDtype): Floats | null {
  if (bias === undefined) return null;
  if (!(bias.length >= 0)) throw argumentError('an array of numbers', 'weights.bias', bias);
  if (bias.length !== units) throw shapeError(`weights.bias with ${units} elements (units)`, bias.length);
  return storedAs(bias, dtype, 'weights.bias');
}

/** The elements of a dense matrix, as many as its sizes say. */
export function checkDense({ rows, cols, data }: Matrix, argument: string): Floats {
  const view = checkView(data, `${argument}.data`, ['Float32Array', 'Float64Array']);
  if (!Number.isInteger(rows) || !Number.isInteger(cols) || view.length !== rows * cols) {
    throw shapeError(`${argument} with ${describe(rows)} x ${describe(cols)} elements`, view.length);
  }
  return view;
}

/** Half a unit in the last place above the largest bf16: what rounds to an infinity. */
const BF16_LIMIT = 2 ** 128 - 2 ** 119;

function checkBf16(values: Floats, argument: string): void {
  const bad = values.findIndex((value: number) => Math.abs(value) >= BF16_LIMIT);
  if (bad >= 0) throw rangeError('numbers that are finite in bf16', `${argument} (element ${bad})`, values[bad]);
}

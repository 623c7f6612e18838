/**
 * Encoding of a program for the addon: one Float64Array, operation after operation, each as
 *
 *     code, number of parameters, parameters ...
 *
 * The order of `codes` and of the parameters is that of native/transform/program.h.
 */
import { argumentError, checkOptions, rangeError } from '../errors/index.js';
import { operationSchemas, type TransformOp } from './operations.js';

type OperationName = TransformOp['op'];

const codes = Object.keys(operationSchemas) as OperationName[];

/** Checks every operation by its schema and writes the program. */
export function programCode(ops: readonly TransformOp[]): Float64Array {
  if (!Array.isArray(ops)) throw argumentError('an array of operations', 'ops', ops);
  const code: number[] = [];
  for (const [index, given] of ops.entries()) {
    const op = checkOperation(given, index);
    const values = parameters(op);
    code.push(codes.indexOf(op.op), values.length);
    for (const value of values) code.push(value);
  }
  return Float64Array.from(code);
}

function checkOperation(given: unknown, index: number): TransformOp {
  if (typeof given !== 'object' || given === null) throw argumentError('an operation', `ops[${index}]`, given);
  const name = (given as { op?: unknown }).op;
  const expected = `one of ${codes.join(', ')}`;
  if (typeof name !== 'string') throw argumentError(expected, `ops[${index}].op`, name);
  if (!Object.hasOwn(operationSchemas, name)) throw rangeError(expected, `ops[${index}].op`, name);
  return checkOptions(operationSchemas[name as OperationName], given, `ops[${index}] (${name})`) as TransformOp;
}

function parameters(op: TransformOp): number[] {
  switch (op.op) {
    case 'truncate':
      return [op.steps, op.keep === 'last' ? 1 : 0];
    case 'pad':
      return [op.steps, op.value];
    case 'clip':
      return [op.min, op.max];
    case 'scale':
      return [op.factor, op.offset];
    case 'zscore':
      return [op.epsilon, ...(op.mean ?? []), ...(op.deviation ?? [])];
    case 'minmax':
      return [op.low, op.high];
    case 'log1p':
    case 'difference':
      return [];
    case 'ema':
      return [op.alpha];
    case 'meanpool':
      return [op.window];
    case 'repeat':
      return [op.times];
    case 'embed':
      return [op.features, op.seed, op.scale ?? 1];
  }
}

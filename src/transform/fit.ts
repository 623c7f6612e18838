/**
 * Checks whether operations can be applied to a series, and computes the shape after them. The figures are those of the
 * addon's plan (native/transform/plan.cc); two rules come before it:
 *
 *     on tokens     the result is token ids again: truncate, repeat, pad with an id, clip to ids. Ids are whole numbers in
 *                   [0, 2^24], which f32 holds exactly
 *     on features   the number of features stays that of the model
 *
 * and one after it: at least one step is left, and a longer series fits in the available memory. Unknown steps (null)
 * stay unknown.
 */
import { rangeError, shapeError } from '../errors/index.js';
import type { TransformOp } from './operations.js';
import { programCode } from './program-code.js';

export interface FlowShape {
  steps: number | null;
  features: number;
}

export interface FitLimits {
  /** Null when unknown: 4 GiB are assumed. */
  availableBytes: number | null;
  bytesPerElement: number;
}

const LARGEST_ID = 2 ** 24;
const MOST_ELEMENTS = 2 ** 53;
const MOST_BYTES = 2 ** 32;

/** Returns the shape after all operations; throws for the first one that cannot be applied. */
export function fitOperations(
  ops: readonly TransformOp[],
  on: 'tokens' | 'features',
  shape: FlowShape,
  limits: FitLimits,
): FlowShape {
  checkOperations(ops);
  let { steps } = shape;
  for (const op of ops) {
    if (on === 'tokens') checkOnTokens(op);
    else checkOnFeatures(op, shape.features);
    if (op.op === 'truncate' && op.steps === 0 && steps !== 0) throw shapeError('1 step or more after truncate', 0);
    if (steps !== null) steps = stepsAfter(op, steps);
    checkSize(op, steps, shape.features, limits);
  }
  return { steps, features: shape.features };
}

/** Checked lists: plans are never written to, so each list is checked once. */
const checked = new WeakSet<readonly TransformOp[]>();

function checkOperations(ops: readonly TransformOp[]): void {
  if (checked.has(ops)) return;
  programCode(ops);
  checked.add(ops);
}

function checkOnTokens(op: TransformOp): void {
  if (op.op === 'pad') checkId(op.value, 'value of pad on tokens');
  else if (op.op === 'clip') {
    checkId(op.min, 'min of clip on tokens');
    checkId(op.max, 'max of clip on tokens');
  } else if (op.op !== 'truncate' && op.op !== 'repeat') {
    throw rangeError('one of truncate, pad, clip, repeat', 'an operation on tokens', op.op);
  }
}

function checkId(value: number, argument: string): void {
  if (!Number.isInteger(value) || value < 0 || value > LARGEST_ID) {
    throw rangeError('a token id (a whole number in [0, 2^24])', argument, value);
  }
}

function checkOnFeatures(op: TransformOp, features: number): void {
  if (op.op === 'embed' && features !== 1) throw shapeError('1 feature before embed', features);
  if (op.op === 'embed' && op.features !== features) {
    throw shapeError(`${features} features (inputs of the model) after embed`, op.features);
  }
  if (op.op === 'zscore' && op.mean !== undefined && op.mean.length !== features) {
    throw shapeError(`${features} means and deviations (inputs of the model) before zscore`, op.mean.length);
  }
}

function stepsAfter(op: TransformOp, steps: number): number {
  switch (op.op) {
    case 'truncate':
      return Math.min(steps, op.steps);
    case 'pad':
      return Math.max(steps, op.steps);
    case 'meanpool':
      return Math.ceil(steps / op.window);
    case 'repeat':
      return steps * op.times;
    default:
      return steps;
  }
}

function checkSize(op: TransformOp, steps: number | null, features: number, limits: FitLimits): void {
  if (steps === null || (op.op !== 'pad' && op.op !== 'repeat')) return;
  const elements = steps * features;
  if (elements >= MOST_ELEMENTS) throw shapeError(`fewer than 2^53 elements after ${op.op}`, elements);
  const bytes = elements * limits.bytesPerElement;
  const most = limits.availableBytes ?? MOST_BYTES;
  if (bytes > most) throw shapeError(`at most ${most} bytes (available memory) after ${op.op}`, bytes);
}

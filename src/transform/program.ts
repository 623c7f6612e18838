/**
 * Transform programs: a list of operations run natively and in place on one series.
 *
 *     const series = { data: new Float32Array(programShape(ops, 1000, 1).capacity), steps: 1000, features: 1 };
 *     const { steps, features } = runProgram(ops, series);
 *
 * Shapes: the series is steps x features, row-major, at the start of `data`; so is the result. `data` must have room
 * for the largest series within the program (`capacity` elements). No other memory grows with the series: measured
 * moments take `scratch` numbers, which depend on the features alone.
 *
 * Operations and their laws: operations.ts. Each takes at most two passes over the series.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option or a wrong view, and for a value that is not a
 * token id in embed (the series then holds the result of the operations before embed); RangeError ERR_DTESN_SHAPE for a
 * program that does not fit the series: embed on more than one feature, moments of another number of features, a buffer
 * that is too small.
 */
import { argumentError, checkWhole } from '../errors/index.js';
import { addon, checkView, type Floats } from '../native/index.js';
import type { TransformOp } from './operations.js';
import { programCode } from './program-code.js';

/**
 * A series that a program changes in place: `data` holds steps x features numbers, row-major, and has the capacity of
 * the program.
 */
export interface ProgramSeries {
  data: Floats;
  steps: number;
  features: number;
}

/** Size of a series: steps x features. */
export interface SeriesShape {
  steps: number;
  features: number;
}

/** Size of a series after a program, and the memory that the program needs. */
export interface ProgramShape extends SeriesShape {
  /** Elements that the buffer must have: the largest steps x features within the program. */
  capacity: number;
  /** Numbers (f64) the program allocates while it runs; it depends on the features, never on the steps. */
  scratch: number;
}

/** A program that is checked and encoded once, for many series; a later change of its operations has no effect. */
export class EncodedProgram {
  readonly #code: Float64Array;

  constructor(ops: readonly TransformOp[]) {
    this.#code = programCode(ops);
  }

  /** As programShape. */
  shape(steps: number, features: number): ProgramShape {
    checkShape(steps, features);
    return addon().transformShape(this.#code, steps, features);
  }

  /** As runProgram. */
  run(series: ProgramSeries): SeriesShape {
    if (typeof series !== 'object' || series === null) throw argumentError('an object', 'series', series);
    const { steps, features } = series;
    const data = checkView(series.data, 'series.data', ['Float32Array', 'Float64Array']);
    checkShape(steps, features);
    return data instanceof Float32Array
      ? addon().runTransform32(this.#code, data, steps, features)
      : addon().runTransform64(this.#code, data, steps, features);
  }
}

/** The shape of the result, and the memory that the program needs. */
export function programShape(ops: readonly TransformOp[], steps: number, features: number): ProgramShape {
  return new EncodedProgram(ops).shape(steps, features);
}

/** Runs the program in place and returns the shape of the result. */
export function runProgram(ops: readonly TransformOp[], series: ProgramSeries): SeriesShape {
  return new EncodedProgram(ops).run(series);
}

function checkShape(steps: unknown, features: unknown): void {
  checkWhole(steps, 'steps', 0);
  checkWhole(features, 'features', 1);
}

export { type TransformOp, transformOpSchema } from './operations.js';

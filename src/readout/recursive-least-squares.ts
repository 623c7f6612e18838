/** Recursive least squares: the ridge readout after every single step. */
import { z } from 'zod';
import { checkOptions, DtesnError } from '../errors/index.js';
import {
  addon,
  checkLongRun,
  type LongRunOptions,
  longRun,
  type NativeRecursiveTrainer,
  type ReadoutShape,
} from '../native/index.js';
import { checkMemory, type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { type ReadoutSizes, readFeatures, readTargets, shapeFields } from './features.js';
import { LinearReadout } from './linear-readout.js';
import { joinSave, notOfSave, readSave } from './recursive-save.js';
import { Usage } from './usage.js';

export const optionsSchema = z.object({
  ...shapeFields,
  ridge: z.number().gt(0).max(Number.MAX_VALUE).default(1e-6).describe('a finite number above 0'),
  forgetting: z.number().gt(0).max(1).default(1).describe('a number in (0, 1]'),
});

/** Options of RecursiveLeastSquares: sizes of its rows, regularisation and forgetting. */
export interface RecursiveLeastSquaresOptions extends ReadoutSizes {
  /** P begins as I / ridge; a finite number above 0. Default 1e-6. */
  ridge?: number | undefined;
  /**
   * Forgetting factor in (0, 1]: the weight of a row halves after ln 2 / (1 - forgetting) steps. Default 1: none is
   * forgotten.
   */
  forgetting?: number | undefined;
}

/**
 * Recursive least squares: the ridge readout after every single step.
 *
 *     y = P x,  d = forgetting + x' y,  e = target - W' x,   W <- W + y e' / d,   P <- (P - y y' / d) / forgetting
 *
 * with x the states, the inputs and, with an intercept, a 1 (penalised like the rest); P begins as I / ridge. Without
 * forgetting W is that of Ridge for the same rows, intercept false and the same ridge. A step costs one pass over half of P,
 * 4 features² bytes.
 *
 * Forgetting makes P grow as forgetting^-t in directions that the input never takes (a sine takes two). So the trace of
 * P is bounded: where it would exceed 10 (states + inputs + intercept) / ridge, a step forgets in the direction of its
 * own x only, and the model lets the weights drift a little in every direction:
 *
 *     P <- P - (1 - (1 - forgetting) / x' y) y y' / d + (1 - forgetting)² / (x' x) I
 *
 * The last term is left out where the trace would exceed twice the bound.
 *
 * Errors: as Ridge's; DtesnError ERR_DTESN_UNSTABLE when P loses positive definiteness in f64 (a ridge below some 1e-14
 * of the squared length of a row): the rows before were learned; ERR_DTESN_BUSY while an updateAsync is under way;
 * ERR_DTESN_CLOSED once it is closed.
 * Sources: Haykin (2002), "Adaptive Filter Theory", section 9.3; forgetting in one direction: Kulhavy (1987), "Restricted
 * exponential forgetting in real-time identification".
 */
export class RecursiveLeastSquares {
  readonly #shape: ReadoutShape;
  readonly #ridge: number;
  readonly #forgetting: number;
  readonly #native: NativeRecursiveTrainer;
  readonly #usage = new Usage('RecursiveLeastSquares');
  #steps = 0;

  constructor(options: RecursiveLeastSquaresOptions) {
    const { ridge, forgetting, ...shape } = checkOptions(optionsSchema, options, 'RecursiveLeastSquares');
    const features = shape.states + shape.inputs;
    checkMemory(8 * features * (features / 2 + shape.outputs), `P of ${features} features`);
    this.#shape = shape;
    this.#ridge = ridge;
    this.#forgetting = forgetting;
    this.#native = new (addon().RecursiveTrainer)(shape, ridge, forgetting);
  }

  /**
   * The object whose save() gave the bytes: what it learns from here on has the bits of what the saved one would have
   * learned, for the same addon version and instruction set. RangeError ERR_DTESN_ARGUMENT for other bytes.
   */
  static restore(bytes: Uint8Array): RecursiveLeastSquares {
    const { shape, ridge, forgetting, steps, numbers } = readSave(bytes);
    const restored = new RecursiveLeastSquares({ ...shape, ridge, forgetting });
    if (restored.#native.savedSize !== numbers.length || !restored.#native.restore(numbers)) {
      restored.close();
      throw notOfSave(`${bytes.length} bytes with other numbers`);
    }
    restored.#steps = steps;
    return restored;
  }

  /** Rows learned so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Bytes that one step reads. */
  get bytes(): number {
    return this.#native.bytes;
  }

  /** Learns row by row; returns the prediction for each row before it is learned, steps x outputs. */
  update(states: SeriesInput, targets: SeriesInput, inputs?: SeriesInput): Matrix {
    this.#usage.check();
    const features = readFeatures(states, inputs, this.#shape);
    const { outputs } = this.#shape;
    const predictions = new Float64Array(features.steps * outputs);
    const wanted = readTargets(targets, features.steps, this.#shape);
    const done = this.#native.update(features.states, features.inputs, wanted, predictions);
    this.#steps += done;
    if (done < features.steps) throw unstable(done);
    return matrix(features.steps, outputs, predictions);
  }

  /**
   * The same off the JavaScript thread, to the same bits. Typed arrays must lie on shared memory; progress has the stage
   * 'train' and counts rows. An abort rejects with the signal's reason: the rows before it were learned (`steps`).
   */
  async updateAsync(
    states: SeriesInput,
    targets: SeriesInput,
    inputs?: SeriesInput,
    options: LongRunOptions = {},
  ): Promise<Matrix> {
    checkLongRun(options, 'updateAsync');
    const features = readFeatures(states, inputs, this.#shape, true);
    const { steps } = features;
    const { outputs } = this.#shape;
    const predictions = new Float64Array(steps * outputs);
    const wanted = readTargets(targets, steps, this.#shape, true);
    const start = async (control: Int32Array) => {
      const done = await this.#native.updateAsync(features.states, features.inputs, wanted, predictions, control);
      this.#steps += done;
      if (done < steps && Atomics.load(control, 0) === 0) throw unstable(done);
      return done;
    };
    await this.#usage.during(() => longRun(start, options, { stage: 'train', total: steps }));
    return matrix(steps, outputs, predictions);
  }

  /** The readout after the rows so far. */
  readout(): LinearReadout {
    this.#usage.check();
    const { states, inputs, outputs } = this.#shape;
    const weights = new Float64Array((states + inputs) * outputs);
    const bias = new Float64Array(outputs);
    this.#native.weights(weights, bias);
    return new LinearReadout({ states, inputs, weights: matrix(states + inputs, outputs, weights), bias });
  }

  /** Everything as it is, 4 features² bytes and some more, for `restore`. Nothing is rounded or brought forward. */
  save(): Uint8Array {
    this.#usage.check();
    const numbers = new Float64Array(this.#native.savedSize);
    this.#native.save(numbers);
    const [shape, ridge, forgetting, steps] = [this.#shape, this.#ridge, this.#forgetting, this.#steps];
    return joinSave({ shape, ridge, forgetting, steps, numbers });
  }

  /** Frees P; an updateAsync under way ends first, and rejects with ERR_DTESN_CLOSED. */
  close(): void {
    this.#usage.close();
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function unstable(row: number): DtesnError {
  return new DtesnError(
    'ERR_DTESN_UNSTABLE',
    `P lost positive definiteness at row ${row}: give a larger ridge, or scale the features down`,
  );
}

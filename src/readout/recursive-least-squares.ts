/** Recursive least squares: the ridge readout after every single step. */
import { z } from 'zod';
import { brand, checkOptions, DtesnError } from '../errors/index.js';
import {
  addon,
  checkLongRun,
  type LongRunOptions,
  longRun,
  type NativeRecursiveTrainer,
  type ReadoutShape,
} from '../native/index.js';
import { checkMemory, type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { type KnownSizes, type ReadoutSizes, readFeatures, readTargets, shapeFields, shapeOfRows } from './features.js';
import { LinearReadout } from './linear-readout.js';
import { joinSave, notOfSave, readSave } from './recursive-save.js';
import { Usage } from './usage.js';

export const optionsSchema = z.object({
  ...shapeFields,
  states: shapeFields.states.optional().describe('a whole number from 1 to 1048576'),
  outputs: shapeFields.outputs.optional().describe('a whole number from 1 to 1048576'),
  ridge: z.number().gt(0).max(Number.MAX_VALUE).default(1e-6).describe('a finite number above 0'),
  forgetting: z.number().gt(0).max(1).default(1).describe('a number in (0, 1]'),
});

/** Options of RecursiveLeastSquares: sizes of its rows, regularisation and forgetting. */
export interface RecursiveLeastSquaresOptions extends Omit<ReadoutSizes, 'states' | 'outputs'> {
  /** Columns of the states, 1 to 1,048,576. Default: those of the first rows, which a typed array alone does not say. */
  states?: number | undefined;
  /** Columns of the targets, 1 to 1,048,576. Default: those of the first targets. */
  outputs?: number | undefined;
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
  readonly #sizes: KnownSizes;
  readonly #ridge: number;
  readonly #forgetting: number;
  #core: { shape: ReadoutShape; native: NativeRecursiveTrainer } | null = null;
  readonly #usage = new Usage('RecursiveLeastSquares');
  #steps = 0;

  constructor(options: RecursiveLeastSquaresOptions = {}) {
    const { ridge, forgetting, ...sizes } = checkOptions(optionsSchema, options, 'RecursiveLeastSquares');
    this.#sizes = sizes;
    this.#ridge = ridge;
    this.#forgetting = forgetting;
    const { states, outputs } = sizes;
    if (states !== undefined && outputs !== undefined) this.#begin({ ...sizes, states, outputs });
  }

  /**
   * The object whose save() gave the bytes: what it learns from here on has the bits of what the saved one would have
   * learned, for the same addon version and instruction set. RangeError ERR_DTESN_ARGUMENT for other bytes.
   */
  static restore(bytes: Uint8Array): RecursiveLeastSquares {
    const { shape, ridge, forgetting, steps, numbers } = readSave(bytes);
    const restored = new RecursiveLeastSquares({ ...shape, ridge, forgetting });
    const { native } = restored.#learned();
    if (native.savedSize !== numbers.length || !native.restore(numbers)) {
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
    return this.#learned().native.bytes;
  }

  /** Learns row by row; returns the prediction for each row before it is learned, steps x outputs. */
  update(states: SeriesInput, targets: SeriesInput, inputs?: SeriesInput): Matrix {
    this.#usage.check();
    const { shape, native } = this.#core ?? this.#sized(states, targets, inputs);
    const features = readFeatures(states, inputs, shape);
    const { outputs } = shape;
    const predictions = new Float64Array(features.steps * outputs);
    const wanted = readTargets(targets, features.steps, shape);
    const done = native.update(features.states, features.inputs, wanted, predictions);
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
    const { shape, native } = this.#core ?? this.#sized(states, targets, inputs);
    const features = readFeatures(states, inputs, shape, true);
    const { steps } = features;
    const { outputs } = shape;
    const predictions = new Float64Array(steps * outputs);
    const wanted = readTargets(targets, steps, shape, true);
    const start = async (control: Int32Array) => {
      const done = await native.updateAsync(features.states, features.inputs, wanted, predictions, control);
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
    const { shape, native } = this.#learned();
    const { states, inputs, outputs } = shape;
    const weights = new Float64Array((states + inputs) * outputs);
    const bias = new Float64Array(outputs);
    native.weights(weights, bias);
    return new LinearReadout({ states, inputs, weights: matrix(states + inputs, outputs, weights), bias });
  }

  /** Everything as it is, 4 features² bytes and some more, for `restore`. Nothing is rounded or brought forward. */
  save(): Uint8Array {
    this.#usage.check();
    const { shape, native } = this.#learned();
    const numbers = new Float64Array(native.savedSize);
    native.save(numbers);
    const [ridge, forgetting, steps] = [this.#ridge, this.#forgetting, this.#steps];
    return joinSave({ shape, ridge, forgetting, steps, numbers });
  }

  /** Frees P; an updateAsync under way ends first, and rejects with ERR_DTESN_CLOSED. */
  close(): void {
    this.#usage.close();
    this.#core?.native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Forgets what was learned, and the sizes of the first rows; new ones may follow. */
  reset(): void {
    this.#usage.check();
    this.#core?.native.close();
    this.#core = null;
    this.#steps = 0;
    const { states, outputs } = this.#sizes;
    if (states !== undefined && outputs !== undefined) this.#begin({ ...this.#sizes, states, outputs });
  }

  #begin(shape: ReadoutShape) {
    const features = shape.states + shape.inputs;
    checkMemory(8 * features * (features / 2 + shape.outputs), `P of ${features} features`);
    const native = new (addon().RecursiveTrainer)(shape, this.#ridge, this.#forgetting);
    this.#core = { shape, native };
    return this.#core;
  }

  #sized(states: SeriesInput, targets: SeriesInput, inputs: SeriesInput | undefined) {
    this.#usage.check();
    return this.#begin(shapeOfRows(this.#sizes, states, targets, inputs, 'RecursiveLeastSquares'));
  }

  #learned() {
    if (this.#core !== null) return this.#core;
    throw new DtesnError('ERR_DTESN_EMPTY', 'Expected rows before the readout: call update first');
  }
}

export const isRecursiveLeastSquares = brand(RecursiveLeastSquares, 'RecursiveLeastSquares');

function unstable(row: number): DtesnError {
  return new DtesnError(
    'ERR_DTESN_UNSTABLE',
    `P lost positive definiteness at row ${row}: give a larger ridge, or scale the features down`,
  );
}

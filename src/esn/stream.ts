/** One series whose steps arrive one at a time. */
import { checkKeys, rangeError } from '../errors/index.js';
import { type Floats, floats } from '../native/index.js';
import type { State } from '../network/index.js';
import type { Matrix, SeriesInput } from '../numeric/index.js';
import type { Esn } from './esn.js';

/** Options of a stream: where it starts. */
export interface StreamOptions {
  /** 'reset' from rest, 'carry' from where the last run or fit of the Esn ended. Default 'carry'. */
  state?: 'reset' | 'carry' | undefined;
}

/**
 * One series whose steps arrive one at a time, with a state of its own; `esn.stream()` makes one.
 *
 *     const stream = esn.stream();
 *     stream.step([0.3]);                       // the outputs after this input
 *     stream.step([0.4], [0.5]);                // the same; then an online readout learns the target
 *
 * Learning changes the readout of the Esn, for all of its streams. Errors: as predict's and partialFit's.
 */
export class EsnStream {
  /** The state of this stream. */
  readonly state: State;
  readonly #esn: Esn;
  readonly #row: Floats;
  #steps = 0;

  /** `esn.stream()` makes one. */
  constructor(esn: Esn, options: StreamOptions = {}) {
    checkKeys(options, ['state'], 'stream');
    const { state = 'carry' } = options;
    if (state !== 'carry' && state !== 'reset') throw rangeError("'reset' or 'carry'", 'state', state);
    this.#esn = esn;
    this.state = state === 'carry' ? esn.state.copy() : esn.createState();
    this.#row = floats(esn.featured.dtype, esn.featured.featureSize);
  }

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * The outputs after one more input: outputs numbers. With a target, the outputs are those before it is learned; one with a
   * NaN is not learned.
   */
  step(input: ArrayLike<number>, target?: ArrayLike<number>): Float64Array {
    this.state.checkIdle();
    const row = { rows: 1, cols: input.length, data: new Float64Array(input) };
    this.state.native.run(this.#esn.toNetwork(row), this.#row);
    this.#steps++;
    const wanted = target && { rows: 1, cols: target.length, data: new Float64Array(target) };
    if (wanted !== undefined && !wanted.data.some(Number.isNaN)) {
      return this.#esn.learn(this.#row, wanted).data as Float64Array;
    }
    return this.#esn.outputsOf(this.#row).data as Float64Array;
  }

  /** The next steps in closed loop; the stream itself does not move. */
  forecast(steps: number, inputs?: SeriesInput): Matrix {
    return this.#esn.forecast({ steps, inputs, starts: [this.state.copy()] })[0]!;
  }

  /** Puts the stream to rest. */
  reset(): void {
    this.state.reset();
    this.#steps = 0;
  }

  /** Frees the state. */
  close(): void {
    this.state.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** The state of a network between steps: units or delay lines, and the gates of networks that have them. */
import { argumentError, brand, DtesnError, shapeError } from '../errors/index.js';
import {
  addon,
  arrayOf,
  checkView,
  type Floats,
  type NativeState,
  requireShared,
  sharedFloats,
} from '../native/index.js';
import { storedAs } from '../numeric/index.js';
import type { Network } from './network.js';

/** Options of createState: memory that the caller provides. */
export interface StateOptions {
  /** Memory of the state: stateSize elements on shared memory. Default: new zeros. */
  data?: Floats | undefined;
  /** Memory of the gates: one byte a gate on shared memory; the constructor opens all. Default: new memory. */
  gates?: Uint8Array | undefined;
}

/**
 * The state of a network between steps: units or delay lines, and the gates of networks that have them.
 *
 *     const state = network.createState();
 *     network.run(series, { state });          // starts from this state and updates it
 *
 * `data` is live shared memory of network.stateSize elements, zeros at rest: native code writes there, other threads
 * may read it. Any number of states run through one network, also at the same time; one state takes part in one run at
 * a time. A state keeps the network's weights in memory until it is closed or collected.
 *
 * Errors: DtesnError ERR_DTESN_BUSY while a runAsync uses the state, ERR_DTESN_CLOSED once it is closed; RangeError
 * ERR_DTESN_SHAPE or ERR_DTESN_ARGUMENT for values of another number or that are not finite in the dtype that stores
 * them.
 */
export class State {
  /** The network that this is a state of. */
  readonly network: Network;
  /** Units or delay line: stateSize numbers on shared memory, live. */
  readonly data: Floats;
  /** One byte a gate, live: 0 closes it. Null where the network has none. */
  readonly gates: Uint8Array | null;
  /**
   * The native object of this state.
   * @internal
   */
  readonly native: NativeState<Floats>;
  #resets = 0;
  #closed = false;
  #busy = false;

  /** `network.createState()` makes one. */
  constructor(network: Network, { data, gates }: StateOptions = {}) {
    const { dtype, stateSize } = network;
    this.network = network;
    this.data = data === undefined ? sharedFloats(dtype, stateSize) : checkedData(data, network);
    this.gates = network.gateCount === 0 ? null : gatesOf(gates, network.gateCount);
    const Native = (dtype === 'f32' ? addon().State32 : addon().State64) as new (
      ...parts: [unknown, Floats, Uint8Array | null]
    ) => NativeState<Floats>;
    this.native = new Native(network.native, this.data, this.gates);
  }

  /** Whether an asynchronous run uses the state. */
  get busy(): boolean {
    return this.#busy;
  }

  /**
   * Marks states as busy while an asynchronous run works on them.
   * @internal
   */
  static async during<R>(states: readonly State[], work: () => Promise<R>): Promise<R> {
    for (const state of states) state.markBusy(true);
    try {
      return await work();
    } finally {
      for (const state of states) state.markBusy(false);
    }
  }

  /**
   * Called by `during`, possibly of another copy of the package.
   * @internal
   */
  markBusy(busy: boolean): void {
    this.#busy = busy;
  }

  /** Number of calls of reset(). */
  get resets(): number {
    return this.#resets;
  }

  /** Sets the state to zeros, or to the given values. */
  reset(values?: ArrayLike<number>): void {
    this.checkIdle();
    if (values === undefined) {
      this.data.fill(0);
    } else {
      const { dtype, stateSize, owner } = this.network;
      if (typeof values !== 'object' || values === null || !(values.length >= 0)) {
        throw argumentError('an array of numbers', 'state', values);
      }
      if (values.length !== stateSize) {
        throw shapeError(`a state with ${stateSize} elements (units of ${owner})`, values.length);
      }
      this.data.set(storedAs(values, dtype, 'state'));
    }
    this.#resets++;
  }

  /** A state of the same network with the same values and gates, on memory of its own. */
  copy(): State {
    this.checkIdle();
    const copy = new State(this.network);
    copy.data.set(this.data);
    if (this.gates) copy.gates!.set(this.gates);
    return copy;
  }

  /** Releases the network; a run under way still completes. `data` stays readable. */
  close(): void {
    this.#closed = true;
    this.native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Throws while an asynchronous run uses the state, or once it is closed. */
  checkIdle(): void {
    if (!this.#closed && !this.#busy) return;
    const { owner } = this.network;
    if (this.#closed) {
      throw new DtesnError('ERR_DTESN_CLOSED', `Expected an open state of ${owner} but it was closed`);
    }
    if (this.#busy) {
      throw new DtesnError(
        'ERR_DTESN_BUSY',
        `Expected ${owner} to be idle but a runAsync is under way: await it first, or give it a state of its own`,
      );
    }
  }
}

export const isState = brand(State, 'State');

/** A caller's memory for the state: shared, so that asynchronous runs and other threads may use it. */
function checkedData(data: Floats, { dtype, stateSize }: Network): Floats {
  const view = checkView(data, 'state', [arrayOf(dtype)]);
  if (view.length !== stateSize) throw shapeError(`state with ${stateSize} elements (units)`, view.length);
  return requireShared(view, 'state');
}

function gatesOf(given: Uint8Array | undefined, count: number): Uint8Array {
  const gates = given ?? new Uint8Array(new SharedArrayBuffer(count));
  if (gates.length !== count) throw shapeError(`gates with ${count} elements (membranes)`, gates.length);
  return requireShared(checkView(gates, 'gates', ['Uint8Array']), 'gates').fill(1);
}

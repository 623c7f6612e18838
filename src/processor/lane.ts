/**
 * A lane: states for runs of the shared model, and the memory of these runs. The first state has a fixed place in
 * shared memory, so that other threads can observe it; a batch uses one state for each input.
 */
import { Arena, sharedFloats } from '../native/index.js';
import type { DeepTreeModel, DeepTreeOptions, State } from '../network/index.js';
import { type Moments, momentsOf } from './stages.js';
import { RunMemory } from './work-memory.js';

/** Model options that the processor leaves to the caller; the rest follows from the configuration. */
export type ModelOptions = Omit<DeepTreeOptions, 'state' | 'gates' | 'dtype' | 'weights'>;

export class Lane {
  readonly model: DeepTreeModel;
  readonly live: ReturnType<typeof liveArena>;
  /** Memory that a run writes. */
  readonly memory = new RunMemory();
  readonly #states: State[];
  readonly #moments: Moments[] = [];
  readonly #squares: Float64Array[] = [];

  constructor(model: DeepTreeModel) {
    this.model = model;
    this.live = liveArena(model.membranes.length, model.units);
    this.#states = [model.createState({ data: this.live.view('state'), gates: this.live.view('gates') })];
  }

  /** Bytes of shared memory. */
  get bytes(): number {
    const { units, membranes } = this.model;
    const states = (this.#states.length - 1) * (Float32Array.BYTES_PER_ELEMENT * units + membranes.length);
    const moments = this.#moments.length * 2 * Float64Array.BYTES_PER_ELEMENT * units;
    const squares = this.#squares.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return this.live.buffer.byteLength + this.memory.bytes + states + moments + squares;
  }

  /** As many states, each at its start (by default at rest) with its first `active` membranes open. */
  states(wanted: readonly { active: number; start: Float32Array | undefined }[]): State[] {
    while (this.#states.length < wanted.length) this.#states.push(this.model.createState());
    return wanted.map(({ active, start }, i) => {
      const state = this.#states[i]!;
      state.reset(start);
      state.gates!.fill(1, 0, active).fill(0, active);
      return state;
    });
  }

  /** Of as many runs, each zero. */
  moments(count: number): Moments[] {
    while (this.#moments.length < count) this.#moments.push(momentsOf(this.model.units));
    const moments = this.#moments.slice(0, count);
    for (const { sum, magnitude } of moments) {
      sum.fill(0);
      magnitude.fill(0);
    }
    return moments;
  }

  /** Room for the sums of squares of as many B-series of `rows` rows. */
  squares(count: number, rows: number): Float64Array[] {
    while (this.#squares.length < count) this.#squares.push(sharedFloats('f64', rows) as Float64Array);
    return this.#squares.slice(0, count);
  }

  close(): void {
    for (const state of this.#states) state.close();
  }
}

function liveArena(membranes: number, units: number) {
  return Arena.create([
    { name: 'state', dtype: 'f32', shape: [units] },
    { name: 'gates', dtype: 'u8', shape: [membranes] },
  ]);
}

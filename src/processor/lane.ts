/**
 * A lane: one model with the memory that one input needs on its way, all of it shared.
 *
 * `live` holds what other threads may watch while the model runs (state, gates) and never moves. `work` holds the series,
 * the chunk of states kept at once and the differentials; it grows to the longest input seen.
 */
import { membraneTree } from '../membrane/index.js';
import { Arena } from '../native/index.js';
import { DeepTreeModel, type DeepTreeOptions } from '../network/index.js';

/** Model options that the processor leaves to the caller; the rest follows from the configuration. */
export type ModelOptions = Omit<DeepTreeOptions, 'state' | 'gates' | 'dtype' | 'parents' | 'depth'> & {
  depth: number;
};

export class Lane {
  readonly model: DeepTreeModel;
  readonly live: ReturnType<typeof liveArena>;
  #work = workArena(1, 1, 1);

  constructor(options: ModelOptions) {
    const { units, depth } = options;
    const total = typeof units === 'number' ? units : units.reduce((sum, level) => sum + level, 0);
    this.live = liveArena(membraneTree(depth).length, total);
    const [state, gates] = [this.live.view('state'), this.live.view('gates')];
    this.model = new DeepTreeModel({ ...options, dtype: 'f32', state, gates });
  }

  /** Bytes of shared memory. */
  get bytes(): number {
    return this.live.buffer.byteLength + this.#work.buffer.byteLength;
  }

  /** Regions with room for so many elements of the series, of states and of differentials. */
  work(series: number, states: number, differentials: number) {
    const room = (name: 'series' | 'states' | 'differentials') => this.#work.view(name).length;
    if (room('series') < series || room('states') < states || room('differentials') < differentials) {
      this.#work = workArena(
        Math.max(series, room('series')),
        Math.max(states, room('states')),
        Math.max(differentials, room('differentials')),
      );
    }
    return this.#work;
  }
}

function liveArena(membranes: number, units: number) {
  return Arena.create([
    { name: 'state', dtype: 'f32', shape: [units] },
    { name: 'gates', dtype: 'u8', shape: [membranes] },
  ]);
}

function workArena(series: number, states: number, differentials: number) {
  return Arena.create([
    { name: 'series', dtype: 'f32', shape: [series] },
    { name: 'states', dtype: 'f32', shape: [states] },
    { name: 'differentials', dtype: 'f32', shape: [differentials] },
  ]);
}

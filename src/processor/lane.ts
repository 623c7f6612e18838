/**
 * A lane: one model whose state and gates lie on shared memory that never moves, for other threads to watch while it runs,
 * and the memory of its runs.
 */
import { membraneTree } from '../membrane/index.js';
import { DeepTreeModel, type DeepTreeOptions } from '../model/index.js';
import { Arena } from '../native/index.js';
import { RunMemory } from './work-memory.js';

/** Model options that the processor leaves to the caller; the rest follows from the configuration. */
export type ModelOptions = Omit<DeepTreeOptions, 'state' | 'gates' | 'dtype'>;

export class Lane {
  readonly model: DeepTreeModel;
  readonly live: ReturnType<typeof liveArena>;
  /** What a run writes on its way. */
  readonly memory = new RunMemory();

  constructor(options: ModelOptions) {
    const { units, depth } = options;
    const total = typeof units === 'number' ? units : units.reduce((sum, level) => sum + level, 0);
    this.live = liveArena(membraneTree(depth).length, total);
    const [state, gates] = [this.live.view('state'), this.live.view('gates')];
    this.model = new DeepTreeModel({ ...options, dtype: 'f32', state, gates });
  }

  /** Bytes of shared memory. */
  get bytes(): number {
    return this.live.buffer.byteLength + this.memory.bytes;
  }
}

function liveArena(membranes: number, units: number) {
  return Arena.create([
    { name: 'state', dtype: 'f32', shape: [units] },
    { name: 'gates', dtype: 'u8', shape: [membranes] },
  ]);
}

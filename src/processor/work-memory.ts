/**
 * Shared memory that one wave of inputs needs on its way: their series one after the other, the chunk of states kept at
 * once, and the elementary differentials. It grows to the largest wave seen and is used again.
 */
import { Arena } from '../native/index.js';

const regions = ['series', 'states', 'differentials'] as const;
type Region = (typeof regions)[number];

export class WorkMemory {
  #arena = arenaOf({ series: 1, states: 1, differentials: 1 });

  get bytes(): number {
    return this.#arena.buffer.byteLength;
  }

  /** The regions with room for at least so many elements each. */
  reserve(elements: Record<Region, number>): Record<Region, Float32Array> {
    if (regions.some((name) => this.#arena.view(name).length < elements[name])) {
      const grown = regions.map((name) => [name, Math.max(elements[name], this.#arena.view(name).length)]);
      this.#arena = arenaOf(Object.fromEntries(grown) as Record<Region, number>);
    }
    const view = (name: Region) => this.#arena.view(name);
    return {
      series: view('series'),
      states: view('states'),
      differentials: view('differentials'),
    };
  }
}

/** Memory is handed out to one wave at a time and comes back when the wave has ended. */
export class WorkMemoryPool {
  readonly #all: WorkMemory[] = [];
  readonly #free: WorkMemory[] = [];

  get bytes(): number {
    return this.#all.reduce((sum, memory) => sum + memory.bytes, 0);
  }

  take(): WorkMemory {
    const free = this.#free.pop();
    if (free) return free;
    const memory = new WorkMemory();
    this.#all.push(memory);
    return memory;
  }

  give(memory: WorkMemory): void {
    this.#free.push(memory);
  }
}

function arenaOf(elements: Record<Region, number>) {
  return Arena.create([
    { name: 'series', dtype: 'f32', shape: [elements.series] },
    { name: 'states', dtype: 'f32', shape: [elements.states] },
    { name: 'differentials', dtype: 'f32', shape: [elements.differentials] },
  ]);
}

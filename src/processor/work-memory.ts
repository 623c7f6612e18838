/**
 * Shared memory for inputs on their way: of a wave its series one after the other (SeriesMemory), of a lane the chunk of
 * states kept at once and the elementary differentials (RunMemory). It grows to the largest use seen and
 * is used again.
 *
 * Series memory is handed out to so many waves at a time and comes back when a wave has ended; others wait their turn, so
 * that a thousand callers hold their token ids and not their series. A waiting caller may abort.
 */
import { Arena } from '../native/index.js';

/** Named regions of floats that grow together. */
class GrowingMemory<Region extends string> {
  readonly #regions: readonly Region[];
  #arena: ReturnType<typeof arenaOf>;

  constructor(regions: readonly Region[]) {
    this.#regions = regions;
    this.#arena = arenaOf(regions.map((name) => [name, 1]));
  }

  get bytes(): number {
    return this.#arena.buffer.byteLength;
  }

  /** The regions with room for at least so many elements each. */
  reserve(elements: Record<Region, number>): Record<Region, Float32Array> {
    const room = (name: Region) => this.#arena.view(name).length;
    if (this.#regions.some((name) => room(name) < elements[name])) {
      this.#arena = arenaOf(this.#regions.map((name) => [name, Math.max(elements[name], room(name))]));
    }
    const views = this.#regions.map((name) => [name, this.#arena.view(name)]);
    return Object.fromEntries(views) as Record<Region, Float32Array>;
  }
}

export class RunMemory extends GrowingMemory<'states' | 'differentials'> {
  constructor() {
    super(['states', 'differentials']);
  }
}

export class SeriesMemory extends GrowingMemory<'series'> {
  constructor() {
    super(['series']);
  }
}

export class SeriesMemoryPool {
  readonly #most: number;
  readonly #all: SeriesMemory[] = [];
  readonly #free: SeriesMemory[] = [];
  readonly #waiting: ((memory: SeriesMemory) => void)[] = [];

  /** `most`: waves that hold a series at the same time. */
  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#all.reduce((sum, memory) => sum + memory.bytes, 0);
  }

  take(signal?: AbortSignal): SeriesMemory | Promise<SeriesMemory> {
    signal?.throwIfAborted();
    const free = this.#free.pop();
    if (free) return free;
    if (this.#all.length < this.#most) {
      const memory = new SeriesMemory();
      this.#all.push(memory);
      return memory;
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal?.reason);
      };
      const turn = (memory: SeriesMemory) => {
        signal?.removeEventListener('abort', abort);
        resolve(memory);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(turn);
    });
  }

  give(memory: SeriesMemory): void {
    const next = this.#waiting.shift();
    if (next) next(memory);
    else this.#free.push(memory);
  }
}

function arenaOf(elements: (readonly [string, number])[]) {
  return Arena.create(elements.map(([name, count]) => ({ name, dtype: 'f32' as const, shape: [count] })));
}

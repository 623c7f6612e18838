/**
 * Shared memory of inputs under way: of a wave its series one after the other (SeriesMemory), of a lane the chunk of
 * states kept at once and the B-series of each input (RunMemory). It grows to the largest size needed and is reused.
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

  /** The regions with room for at least this many elements each. */
  reserve(elements: Record<Region, number>): Record<Region, Float32Array> {
    const room = (name: Region) => this.#arena.view(name).length;
    if (this.#regions.some((name) => room(name) < elements[name])) {
      this.#arena = arenaOf(this.#regions.map((name) => [name, Math.max(elements[name], room(name))]));
    }
    const views = this.#regions.map((name) => [name, this.#arena.view(name)]);
    return Object.fromEntries(views) as Record<Region, Float32Array>;
  }
}

export class RunMemory extends GrowingMemory<'states' | 'differentials' | 'taylor'> {
  constructor() {
    super(['states', 'differentials', 'taylor']);
  }
}

export class SeriesMemory extends GrowingMemory<'series'> {
  constructor() {
    super(['series']);
  }
}

function arenaOf(elements: (readonly [string, number])[]) {
  return Arena.create(elements.map(([name, count]) => ({ name, dtype: 'f32' as const, shape: [count] })));
}

/**
 * A seeded sequence of random numbers: words of Philox4x32-10 in the order of their positions (docs/random.md).
 *
 * Equal seeds give equal numbers on every platform; `normal` up to the last bit of `Math.log` and `Math.cos`.
 */
import { philox4x32 } from './philox.js';

/** What a sequence is drawn for: the fourth word of the counter. The native rooms have 0 to 8. */
const purposes = { dataset: 16, weights: 17, weightSeeds: 18, search: 19, score: 20 } as const;

/** What a sequence is drawn for. */
export type RandomPurpose = keyof typeof purposes;

export class RandomNumbers {
  readonly #key: readonly [number, number];
  readonly #stream: number;
  readonly #purpose: number;
  readonly #block = new Uint32Array(4);
  #position = 0;

  /** `seed` is a safe integer, 0 or more; `stream` a 32-bit word. */
  constructor(seed: number, purpose: RandomPurpose, stream = 0) {
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#stream = stream;
    this.#purpose = purposes[purpose];
  }

  /** 32 random bits. */
  word(): number {
    const place = this.#position % 4;
    if (place === 0) {
      const block = this.#position / 4;
      philox4x32(this.#block, [block >>> 0, Math.floor(block / 2 ** 32), this.#stream, this.#purpose], this.#key);
    }
    this.#position++;
    return this.#block[place]!;
  }

  /** Uniform on (0, 1), a multiple of 2^-33: never 0, so that its logarithm is finite. */
  unit(): number {
    return (this.word() + 0.5) / 2 ** 32;
  }

  /** Uniform on [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * (this.word() / 2 ** 32);
  }

  /** Standard normal, by Box and Muller from two words. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }

  /** A whole number below `bound` (at most 2^32). */
  below(bound: number): number {
    return Math.floor((bound * this.word()) / 2 ** 32);
  }

  /** A safe integer, 0 or more: a seed of another sequence. */
  seed(): number {
    return (this.word() >>> 11) * 2 ** 32 + this.word();
  }

  /** `count` different whole numbers below `bound`, ascending, by Floyd's algorithm. */
  distinct(count: number, bound: number): number[] {
    const chosen = new Set<number>();
    for (let last = bound - count; last < bound; last++) {
      const one = this.below(last + 1);
      chosen.add(chosen.has(one) ? last : one);
    }
    return [...chosen].sort((a, b) => a - b);
  }
}

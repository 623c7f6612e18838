/**
 * Which series was there before: a table of series numbers by hash, with open addressing and at most half full.
 *
 * Equal hashes are only a hint; `same` decides. Memory: 8 bytes a place, so 16 to 32 bytes a series.
 */
export class SeriesIndex {
  readonly #same: (a: number, b: number) => boolean;
  #hashes: Int32Array;
  /** Series number + 1; 0 is a free place. */
  #series: Uint32Array;
  #size = 0;

  /** `expected` series fit without growing. */
  constructor(expected: number, same: (a: number, b: number) => boolean) {
    const places = 2 ** Math.ceil(Math.log2(2 * expected + 1));
    this.#hashes = new Int32Array(places);
    this.#series = new Uint32Array(places);
    this.#same = same;
  }

  /** The series that was put in before and is the same as this one; this one, when it is the first. */
  put(hash: number, series: number): number {
    if (2 * this.#size >= this.#series.length) this.#grow();
    const mask = this.#series.length - 1;
    let place = hash & mask;
    for (; this.#series[place] !== 0; place = (place + 1) & mask) {
      const known = this.#series[place]! - 1;
      if (this.#hashes[place] === hash && this.#same(known, series)) return known;
    }
    this.#hashes[place] = hash;
    this.#series[place] = series + 1;
    this.#size++;
    return series;
  }

  #grow(): void {
    const [hashes, series] = [this.#hashes, this.#series];
    const mask = 2 * series.length - 1;
    this.#hashes = new Int32Array(mask + 1);
    this.#series = new Uint32Array(mask + 1);
    for (let i = 0; i < series.length; i++) {
      if (series[i] === 0) continue;
      let place = hashes[i]! & mask;
      while (this.#series[place] !== 0) place = (place + 1) & mask;
      this.#hashes[place] = hashes[i]!;
      this.#series[place] = series[i]!;
    }
  }
}

/**
 * Rows of a session from the first that is not durable to the last that was given, numbered as the session numbers them.
 */
export interface RowsAndTargets {
  rows: (readonly number[])[];
  targets: (readonly number[])[] | undefined;
}

export class KeptRows {
  #rows: (readonly number[])[] = [];
  #targets: (readonly number[])[] | undefined;
  #base: number;

  constructor(base: number, hasTargets: boolean) {
    this.#base = base;
    this.#targets = hasTargets ? [] : undefined;
  }

  /** Number of the first row that is kept. */
  get base(): number {
    return this.#base;
  }

  /** Number of the row after the last. */
  get end(): number {
    return this.#base + this.#rows.length;
  }

  get count(): number {
    return this.#rows.length;
  }

  append(rows: readonly (readonly number[])[], targets: readonly (readonly number[])[] | undefined): void {
    for (const row of rows) this.#rows.push([...row]);
    for (const row of targets ?? []) this.#targets?.push([...row]);
  }

  slice(from: number, to: number): RowsAndTargets {
    const [first, last] = [from - this.#base, to - this.#base];
    return { rows: this.#rows.slice(first, last), targets: this.#targets?.slice(first, last) };
  }

  /** Where a portion of at most `numbers` numbers ends that begins at row `from`; it has one row at least. */
  portionEnd(from: number, numbers: number): number {
    let to = from;
    let taken = 0;
    while (to < this.end) {
      const at = to - this.#base;
      taken += this.#rows[at]!.length + (this.#targets?.[at]?.length ?? 0);
      if (taken > numbers && to > from) break;
      to += 1;
    }
    return to;
  }

  /** Forgets the rows below `number`. */
  dropBelow(number: number): void {
    const count = Math.min(Math.max(0, number - this.#base), this.#rows.length);
    if (count === 0) return;
    this.#rows = this.#rows.slice(count);
    this.#targets = this.#targets?.slice(count);
    this.#base += count;
  }

  /** Forgets the rows from `number` on. */
  cutBack(number: number): void {
    const count = Math.max(0, number - this.#base);
    this.#rows.length = Math.min(this.#rows.length, count);
    if (this.#targets) this.#targets.length = this.#rows.length;
  }
}

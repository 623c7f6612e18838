/** Rows of a session from the first that is not durable to the last that was given, numbered as the session numbers them. */
type Row = readonly number[];

interface KeptRow {
  row: Row;
  target: Row | undefined;
}

export interface RowsAndTargets {
  rows: Row[];
  targets?: Row[];
}

export class KeptRows {
  #kept: KeptRow[] = [];
  #base: number;

  constructor(base: number) {
    this.#base = base;
  }

  /** Number of the first row that is kept. */
  get base(): number {
    return this.#base;
  }

  /** Number of the row after the last. */
  get end(): number {
    return this.#base + this.#kept.length;
  }

  get count(): number {
    return this.#kept.length;
  }

  /** Copies them. */
  append(rows: readonly Row[], targets: readonly Row[] | undefined): void {
    for (const [i, row] of rows.entries()) {
      const target = targets?.[i];
      this.#kept.push({ row: [...row], target: target && [...target] });
    }
  }

  slice(from: number, to: number): RowsAndTargets {
    const part = this.#kept.slice(from - this.#base, to - this.#base);
    const rows = part.map(({ row }) => row);
    const targets = part.flatMap(({ target }) => (target ? [target] : []));
    return { rows, ...(targets.length > 0 && { targets }) };
  }

  /**
   * Where a portion ends that begins at row `from`: at most `numbers` numbers and `rows` rows, but one row at least, and all
   * of its rows with a target or none.
   */
  portionEnd(from: number, numbers: number, rows: number): number {
    const first = this.#kept[from - this.#base];
    let taken = 0;
    let to = from;
    for (; to < Math.min(this.end, from + rows); to++) {
      const { row, target } = this.#kept[to - this.#base]!;
      taken += row.length + (target?.length ?? 0);
      const isOfPortion = taken <= numbers && (target === undefined) === (first?.target === undefined);
      if (to > from && !isOfPortion) break;
    }
    return to;
  }

  /** Forgets the rows below `number`. */
  dropBelow(number: number): void {
    const count = Math.min(Math.max(0, number - this.#base), this.#kept.length);
    if (count === 0) return;
    this.#kept = this.#kept.slice(count);
    this.#base += count;
  }

  /** Forgets the rows from `number` on. */
  cutBack(number: number): void {
    this.#kept.length = Math.min(this.#kept.length, Math.max(0, number - this.#base));
  }
}

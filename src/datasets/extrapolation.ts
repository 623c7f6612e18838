/**
 * Ordinary differential equations x' = f(x) to rounding: the extrapolated midpoint rule.
 *
 *     z_1 = x + h f(x),   z_{m+1} = z_{m-1} + 2 h f(z_m),   S(h) = (z_{n-1} + z_n + h f(z_n)) / 2,   h = H / n
 *
 * S(h) has an error expansion in h², so that Aitken's and Neville's scheme over n = 2, 4, 6, ... gains two orders a row. A step H is
 * accepted when two neighbours of the table differ by less than 1e-14 of the largest coordinate; else it is halved.
 *
 * Errors: DtesnError ERR_DTESN_DIVERGED where steps of a row become too many.
 * Source: Hairer, Nørsett & Wanner (1993), "Solving ordinary differential equations I", section II.9.
 */
import { DtesnError } from '../errors/index.js';

/** The right side f: writes f(x) into `slope`. */
export type Flow = (x: Float64Array, slope: Float64Array) => void;

const ROWS = 12;
/** A step that took no more rows than this is followed by one of twice its length. */
const EASY_ROWS = 7;
const TOLERANCE = 1e-14;
/** Steps of a unit of time, also those that were too long, and the shortest: a trajectory on its way to infinity passes these bounds. */
const MOST_STEPS = 1000;
const SHORTEST = 1e-6;
/** The longest step: two rows would agree by chance over a much longer one. */
const LONGEST = 0.25;

export class Extrapolation {
  readonly #flow: Flow;
  readonly #table: Float64Array[];
  readonly #slope: Float64Array;
  readonly #before: Float64Array;
  readonly #middle: Float64Array;
  #step = LONGEST;

  constructor(flow: Flow, size: number) {
    this.#flow = flow;
    this.#table = Array.from({ length: ROWS }, () => new Float64Array(size));
    this.#slope = new Float64Array(size);
    this.#before = new Float64Array(size);
    this.#middle = new Float64Array(size);
  }

  /** Moves x by `time`, in place. */
  advance(x: Float64Array, time: number): void {
    let done = 0;
    for (let attempts = 0; done < time; attempts++) {
      if (attempts > MOST_STEPS * (1 + time) || this.#step < SHORTEST) throw diverged(done);
      const left = time - done;
      // Two steps of half the rest, where one of the usual length would leave a crumb.
      const step = left <= this.#step ? left : Math.min(this.#step, left / 2);
      const rows = this.#tried(x, step);
      if (rows === null) {
        this.#step = step / 2;
        continue;
      }
      x.set(this.#table[0]!);
      done = step === left ? time : done + step;
      if (rows <= EASY_ROWS) this.#step = Math.min(LONGEST, Math.max(this.#step, 2 * step));
    }
  }

  /** The rows that a step took, its end in the table's first row; null where they do not converge. */
  #tried(x: Float64Array, step: number): number | null {
    for (let row = 0; row < ROWS; row++) {
      this.#midpoint(x, step, 2 * (row + 1));
      if (this.#extrapolated(row)) return row;
    }
    return null;
  }

  /** S(step / parts), into #before. */
  #midpoint(x: Float64Array, step: number, parts: number): void {
    const slope = this.#slope;
    let [before, middle] = [this.#before, this.#middle];
    const h = step / parts;
    this.#flow(x, slope);
    before.set(x);
    for (let i = 0; i < x.length; i++) middle[i] = x[i]! + h * slope[i]!;
    for (let part = 1; part < parts; part++) {
      this.#flow(middle, slope);
      for (let i = 0; i < x.length; i++) before[i] = before[i]! + 2 * h * slope[i]!;
      [before, middle] = [middle, before];
    }
    this.#flow(middle, slope);
    for (let i = 0; i < x.length; i++) this.#before[i] = (before[i]! + middle[i]! + h * slope[i]!) / 2;
  }

  /**
   * Adds a row to the table: table[k] holds the entry of column row - k of the last row, table[0] the best one. Whether it agrees with
   * its neighbour.
   */
  #extrapolated(row: number): boolean {
    const table = this.#table;
    const size = this.#before.length;
    let [error, largest] = [0, 0];
    for (let i = 0; i < size; i++) {
      let entry = this.#before[i]!;
      let neighbour = entry;
      for (let k = row; k > 0; k--) {
        const ratio = ((row + 1) / k) ** 2;
        const old = table[k - 1]![i]!;
        table[k]![i] = entry;
        neighbour = entry;
        entry += (entry - old) / (ratio - 1);
      }
      table[0]![i] = entry;
      error = Math.max(error, Math.abs(entry - neighbour));
      largest = Math.max(largest, Math.abs(entry));
      if (!Number.isFinite(entry)) return false;
    }
    return row > 2 && error <= TOLERANCE * largest;
  }
}

function diverged(time: number): DtesnError {
  return new DtesnError(
    'ERR_DTESN_DIVERGED',
    `Expected a trajectory that stays finite but it diverges ${time.toPrecision(3)} after the last row: choose another start or other parameters`,
  );
}

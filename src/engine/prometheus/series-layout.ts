/**
 * The text of a body between its values, and what was read from it: the next body of the same engine mostly differs in values alone.
 *
 *     text 0 | value 0 | text 1 | value 1 | ... | value n-1 | text n
 *
 * A body whose texts are those of the layout, byte for byte, has the same series in the same order, so only its values are read and
 * the laws of its histograms checked; names, labels and their uniqueness are as they were. Any other body, and one with a value that is
 * no number, is left to the whole reader, whose errors name the line.
 *
 * Families that are read by a layout share its body for their labels: the body of their own is free.
 */
import type { FamilyDraft, MetricFamilies, SampleColumns } from './metric-families.js';
import { MetricFamily } from './metric-families.js';
import { CLOSING_BRACE, endOfWord, HASH, NEWLINE, SPACE, skipBlanks, TAB } from './prometheus-bytes.js';
import type { HistogramCheck } from './prometheus-histogram.js';
import { readNumber } from './prometheus-number.js';

/** A larger body is not kept for the next one. */
const MOST_BYTES = 1024 * 1024;

export interface ReadBody {
  columns: SampleColumns;
  drafts: readonly FamilyDraft[];
  histograms: readonly HistogramCheck[];
  /** Whether the samples stand in the columns as in the body, with nothing behind their values. */
  isPlain: boolean;
}

export class SeriesLayout {
  readonly #columns: SampleColumns;
  readonly #drafts: readonly FamilyDraft[];
  readonly #histograms: readonly HistogramCheck[];
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  private constructor({ columns, drafts, histograms }: ReadBody, starts: Uint32Array, ends: Uint32Array) {
    this.#columns = columns;
    this.#drafts = drafts;
    this.#histograms = histograms;
    this.#starts = starts;
    this.#ends = ends;
  }

  /** Null for a body that is too large, or has more than a value behind its labels. */
  static of(read: ReadBody, samples: number): SeriesLayout | null {
    const { body } = read.columns;
    if (!read.isPlain || body.length > MOST_BYTES || body.at(-1) !== NEWLINE) return null;
    const starts = new Uint32Array(samples);
    const ends = new Uint32Array(samples);
    let sample = 0;
    for (let line = 0; line < body.length; line = body.indexOf(NEWLINE, line) + 1) {
      const at = skipBlanks(body, line);
      if (body[at] === HASH || body[at] === NEWLINE) continue;
      const end = body.indexOf(NEWLINE, at);
      let start = end;
      while (start > at && !isBeforeValue(body[start - 1]!)) start--;
      if (sample === samples || endOfWord(body, start) !== end || start === end) return null;
      starts[sample] = start;
      ends[sample++] = end;
    }
    return sample === samples ? new SeriesLayout(read, starts, ends) : null;
  }

  /** The families of a body with the texts of this layout; null for any other. Errors: those of HistogramCheck. */
  read(body: Buffer): MetricFamilies | null {
    const values = this.#values(body);
    if (values === null) return null;
    for (const histogram of this.#histograms) histogram.run(values);
    const columns = { ...this.#columns, values };
    const families = new Map<string, MetricFamily>();
    for (const draft of this.#drafts) families.set(draft.name, new MetricFamily(draft, columns));
    return families;
  }

  #values(body: Buffer): Float64Array | null {
    if (body.at(-1) !== NEWLINE) return null;
    const known = this.#columns.body;
    const [starts, ends] = [this.#starts, this.#ends];
    const values = new Float64Array(this.#columns.values.length);
    let [at, text] = [0, 0];
    for (let i = 0; i < starts.length; i++) {
      const start = at + starts[i]! - text;
      if (start >= body.length || body.compare(known, text, starts[i], at, start) !== 0) return null;
      at = endOfWord(body, start);
      if (body[at] !== NEWLINE) return null;
      try {
        values[i] = readNumber(body, start, at, 'value');
      } catch {
        return null;
      }
      text = ends[i]!;
    }
    return body.length - at === known.length - text && body.compare(known, text, known.length, at) === 0
      ? values
      : null;
  }
}

function isBeforeValue(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CLOSING_BRACE;
}

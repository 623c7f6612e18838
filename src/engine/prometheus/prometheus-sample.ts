/**
 * One sample line of Prometheus text:
 *
 *     name [{ labels }] value [timestamp] [# {labels} value [timestamp]]
 *
 * Values are decimal numbers, NaN, +Inf, -Inf. The end of the line is LF or CRLF.
 * Errors: SyntaxError that says what was expected.
 */
import {
  BRACE,
  endOfWord,
  excerpt,
  HASH,
  kinds,
  NAME,
  NAME_START,
  NEWLINE,
  RETURN,
  skipBlanks,
} from './prometheus-bytes.js';
import { LabelScanner, OFFSET, PRIME } from './prometheus-labels.js';
import { readNumber } from './prometheus-number.js';

/** Checks one line after the other; what it found stands in its fields until the next. */
export class SampleScanner {
  nameStart = 0;
  nameEnd = 0;
  nameHash = 0;
  /** Behind the brace; 0 where there are no labels. */
  labelsAt = 0;
  readonly labels: LabelScanner;
  value = 0;
  /** As written; NaN where there is none. */
  timestamp = Number.NaN;
  /** What only OpenMetrics has: an exemplar, a time that is no whole number. */
  openMetrics: string | null = null;
  readonly #body: Buffer;
  readonly #exemplar: LabelScanner;

  /** Every line of the body that is scanned must end in a newline. */
  constructor(body: Buffer) {
    this.#body = body;
    this.labels = new LabelScanner(body);
    this.#exemplar = new LabelScanner(body);
  }

  /** From the first byte of the name to behind the newline. */
  scan(start: number): number {
    const body = this.#body;
    let at = this.#name(start);
    this.labelsAt = 0;
    if (body[at] === BRACE) {
      this.labelsAt = at + 1;
      at = this.labels.scan(at + 1);
    } else this.labels.clear();
    const valueStart = skipBlanks(body, at);
    at = endOfWord(body, valueStart);
    if (at === valueStart) throw new SyntaxError(`expected a value after ${this.#text(start, this.nameEnd)}`);
    this.value = readNumber(body, valueStart, at, 'value');
    this.timestamp = Number.NaN;
    at = skipBlanks(body, at);
    if (body[at] === NEWLINE) return at + 1;
    if (body[at] !== HASH && body[at] !== RETURN) at = this.#timestamp(at);
    if (body[at] === HASH) at = this.#checkExemplar(at + 1);
    return this.#end(at);
  }

  #name(start: number): number {
    const body = this.#body;
    if ((kinds[body[start]!]! & NAME_START) === 0) {
      throw new SyntaxError(`expected a metric name at ${excerpt(body, start)}`);
    }
    let at = start;
    let hash = OFFSET;
    do hash = Math.imul(hash ^ body[at++]!, PRIME);
    while ((kinds[body[at]!]! & NAME) !== 0);
    this.nameStart = start;
    this.nameEnd = at;
    this.nameHash = hash;
    return skipBlanks(body, at);
  }

  #timestamp(start: number): number {
    const end = endOfWord(this.#body, start);
    this.timestamp = readNumber(this.#body, start, end, 'timestamp');
    if (!(Math.abs(this.timestamp) < 2 ** 63)) throw new SyntaxError('expected a finite timestamp');
    if (!/^[+-]?\d+$/.test(this.#text(start, end))) this.openMetrics = 'a timestamp that is no whole number';
    return skipBlanks(this.#body, end);
  }

  /** Exemplars are checked and left out: nothing here reads them. */
  #checkExemplar(start: number): number {
    const body = this.#body;
    const brace = skipBlanks(body, start);
    if (body[brace] !== BRACE) throw new SyntaxError(`expected the labels of an exemplar at ${excerpt(body, brace)}`);
    let at = skipBlanks(body, this.#exemplar.scan(brace + 1));
    let end = endOfWord(body, at);
    readNumber(body, at, end, 'value of the exemplar');
    at = skipBlanks(body, end);
    if (body[at] !== NEWLINE && body[at] !== RETURN) {
      end = endOfWord(body, at);
      readNumber(body, at, end, 'timestamp of the exemplar');
      at = skipBlanks(body, end);
    }
    this.openMetrics = 'an exemplar';
    return at;
  }

  #end(at: number): number {
    const body = this.#body;
    if (body[at] === NEWLINE) return at + 1;
    if (body[at] === RETURN && body[at + 1] === NEWLINE) return at + 2;
    throw new SyntaxError(`expected the end of the line at ${excerpt(body, at)}`);
  }

  #text(start: number, end: number): string {
    return this.#body.toString('latin1', start, end);
  }
}

/**
 * The labels of a sample, checked in the body and read from there when they are asked for.
 *
 *     { label="value" [, label="value"]... [,] }
 *
 * Blanks may stand between all of them. In values \\ \" and \n are escapes, others are errors, so every value has one way
 * to be written and two label sets are equal exactly when their bytes are, but for their order.
 * Errors: SyntaxError that says what was expected.
 */
import {
  BACKSLASH,
  CLOSING_BRACE,
  COMMA,
  EQUALS,
  excerpt,
  kinds,
  LABEL,
  LABEL_START,
  LETTER_N,
  NEWLINE,
  QUOTE,
  skipBlanks,
} from './prometheus-bytes.js';

/** Labels of a sample: values by their names, escapes undone. */
export type Labels = Readonly<Record<string, string>>;

/** FNV-1a's prime and offset. */
export const PRIME = 0x01000193;
export const OFFSET = 0x811c9dc5 | 0;

/** Checks one label set after the other; what it found stands in its fields until the next. */
export class LabelScanner {
  /** Of the set, whatever its order. */
  hash = 0;
  /** Of the set without the bound of a bucket. */
  hashWithoutBound = 0;
  /** Where the value of `le` stands; 0, 0 where there is none. */
  boundStart = 0;
  boundEnd = 0;
  /** Behind the closing brace. */
  end = 0;
  readonly #body: Buffer;
  readonly #nameHashes = new Int32Array(FEW);
  readonly #nameStarts = new Uint32Array(FEW);
  /** The names of a set of more than a few. */
  #names = new Set<string>();

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** As if it had scanned the empty set. */
  clear(): void {
    this.hash = this.hashWithoutBound = this.boundStart = this.boundEnd = 0;
  }

  /** From behind the opening brace to behind the closing one. */
  scan(start: number): number {
    const body = this.#body;
    this.clear();
    let at = skipBlanks(body, start);
    for (let count = 0; body[at] !== CLOSING_BRACE; count++) {
      const nameStart = at;
      if ((kinds[body[at]!]! & LABEL_START) === 0) throw new SyntaxError(`expected a label at ${excerpt(body, at)}`);
      let hash = OFFSET;
      do hash = Math.imul(hash ^ body[at++]!, PRIME);
      while ((kinds[body[at]!]! & LABEL) !== 0);
      this.#checkName(nameStart, at, hash, count);
      const isBound = isBoundName(body, nameStart, at);
      if (body[at] !== EQUALS) at = skipBlanks(body, at);
      if (body[at] !== EQUALS) throw new SyntaxError(`expected = at ${excerpt(body, at)}`);
      if (body[++at] !== QUOTE) at = skipBlanks(body, at);
      if (body[at] !== QUOTE) throw new SyntaxError(`expected a quoted label value at ${excerpt(body, at)}`);
      const valueStart = ++at;
      for (let byte = body[at]!; byte !== QUOTE; byte = body[++at]!) {
        if (byte === NEWLINE) throw new SyntaxError('a label value has no closing quote');
        if (byte === BACKSLASH) {
          hash = Math.imul(hash ^ byte, PRIME);
          byte = body[++at]!;
          if (byte !== BACKSLASH && byte !== QUOTE && byte !== LETTER_N) {
            throw new SyntaxError(`unknown escape at ${excerpt(body, at - 1)} in a label value`);
          }
        }
        hash = Math.imul(hash ^ byte, PRIME);
      }
      hash = mix(hash);
      this.hash = (this.hash + hash) | 0;
      if (isBound) {
        this.boundStart = valueStart;
        this.boundEnd = at;
      } else this.hashWithoutBound = (this.hashWithoutBound + hash) | 0;
      at = skipBlanks(body, at + 1);
      if (body[at] === COMMA) at = skipBlanks(body, at + 1);
      else if (body[at] !== CLOSING_BRACE) throw new SyntaxError(`expected , or } at ${excerpt(body, at)}`);
    }
    this.end = at + 1;
    return this.end;
  }

  /** No name twice: a few are compared one by one, many are kept in a set. */
  #checkName(start: number, end: number, hash: number, count: number): void {
    const body = this.#body;
    if (end - start === 8 && body.toString('latin1', start, end) === '__name__') {
      throw new SyntaxError('the label name __name__ is reserved');
    }
    let twice = false;
    if (count < FEW) {
      const hashes = this.#nameHashes;
      for (let i = 0; i < count; i++) {
        if (hashes[i] === hash && isName(body, this.#nameStarts[i]!, body, start, end)) twice = true;
      }
      hashes[count] = hash;
      this.#nameStarts[count] = start;
    } else {
      if (count === FEW) this.#names = new Set(Array.from(this.#nameStarts, (at) => nameAt(body, at)));
      const name = nameAt(body, start);
      twice = this.#names.has(name);
      this.#names.add(name);
    }
    if (twice) throw new SyntaxError(`the label ${nameAt(body, start)} appears twice`);
  }
}

const FEW = 32;

/** MurmurHash3's last step: every bit of the input moves every bit of the output. */
export function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** All labels of a set that was checked; none where it begins at 0. */
export function readLabels(body: Buffer, start: number): Labels {
  const labels: Record<string, string> = Object.create(null); // so that __proto__ is a label like any other
  const walk = new LabelWalk(body, start);
  while (walk.next()) labels[body.toString('latin1', walk.nameStart, walk.nameEnd)] = walk.value();
  return labels;
}

export function findLabel(body: Buffer, start: number, name: string): string | undefined {
  const wanted = Buffer.from(name, 'latin1');
  const walk = new LabelWalk(body, start);
  while (walk.next()) {
    const length = walk.nameEnd - walk.nameStart;
    if (length === wanted.length && isName(wanted, 0, body, walk.nameStart, walk.nameEnd)) return walk.value();
  }
  return undefined;
}

/** Whether two sets that were checked are the same, in any order; `le` may be left out. */
export function sameLabels(body: Buffer, a: number, b: number, withoutBound: boolean): boolean {
  const one = new LabelWalk(body, a, withoutBound);
  const other = new LabelWalk(body, b, withoutBound);
  for (;;) {
    const more = one.next();
    if (more !== other.next()) return false;
    if (!more) return true;
    const length = one.end - one.nameStart;
    const same =
      length === other.end - other.nameStart &&
      body.compare(body, other.nameStart, other.end, one.nameStart, one.end) === 0;
    if (!same) return canonical(body, a, withoutBound) === canonical(body, b, withoutBound);
  }
}

function canonical(body: Buffer, start: number, withoutBound: boolean): string {
  const { le, ...others } = readLabels(body, start);
  const entries = Object.entries(withoutBound || le === undefined ? others : { ...others, le });
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Goes from label to label of a set that was checked. */
class LabelWalk {
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  /** Of the value: its closing quote. */
  end = 0;
  readonly #body: Buffer;
  readonly #withoutBound: boolean;
  #at: number;

  constructor(body: Buffer, start: number, withoutBound = false) {
    this.#body = body;
    this.#at = start;
    this.#withoutBound = withoutBound;
  }

  next(): boolean {
    if (this.#at === 0) return false;
    const body = this.#body;
    let at = skipBlanks(body, this.#at);
    if (body[at] === COMMA) at = skipBlanks(body, at + 1);
    if (body[at] === CLOSING_BRACE) return false;
    this.nameStart = at;
    while ((kinds[body[at]!]! & LABEL) !== 0) at++;
    this.nameEnd = at;
    while (body[at] !== QUOTE) at++;
    this.valueStart = ++at;
    for (; body[at] !== QUOTE; at++) if (body[at] === BACKSLASH) at++;
    this.end = at;
    this.#at = at + 1;
    const isBound = this.#withoutBound && isBoundName(body, this.nameStart, this.nameEnd);
    return isBound ? this.next() : true;
  }

  value(): string {
    const text = this.#body.toString('utf8', this.valueStart, this.end);
    return text.includes('\\') ? text.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped)) : text;
  }
}

function isBoundName(body: Buffer, start: number, end: number): boolean {
  return end - start === 2 && body[start] === 108 && body[start + 1] === 101; // le
}

/** Whether the label name that begins at `start` of one text is that from `from` to `to` of the other. */
function isName(text: Buffer, start: number, other: Buffer, from: number, to: number): boolean {
  let at = start;
  for (let i = from; i < to; i++, at++) if (text[at] !== other[i]) return false;
  return (kinds[text[at] ?? 0]! & LABEL) === 0;
}

function nameAt(body: Buffer, start: number): string {
  let end = start;
  while ((kinds[body[end]!]! & LABEL) !== 0) end++;
  return body.toString('latin1', start, end);
}

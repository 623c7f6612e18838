/**
 * Takes Prometheus text line after line: comments declare families, samples go into columns.
 *
 * Errors: SyntaxError that says what is wrong with the line, DtesnError ERR_DTESN_METRICS for what is wrong with the whole.
 */
import { DtesnError } from '../../errors/index.js';
import type { FamilyDraft, MetricType } from './metric-families.js';
import { endOfWord, excerpt, HASH, kinds, NAME, NAME_START, NEWLINE, RETURN, skipBlanks } from './prometheus-bytes.js';
import { HistogramCheck } from './prometheus-histogram.js';
import { mix, sameLabels } from './prometheus-labels.js';
import { readNumber } from './prometheus-number.js';
import { SampleScanner } from './prometheus-sample.js';
import { ColumnWriter } from './sample-columns.js';
import { SeriesIndex } from './series-index.js';
import type { ReadBody } from './series-layout.js';

const suffixes: Partial<Record<MetricType, readonly string[]>> = {
  counter: ['_total', '_created'],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['_sum', '_count', '_created'],
  info: ['_info'],
};

interface Draft extends FamilyDraft {
  readonly index: number;
  /** A TYPE line was there. */
  declared: boolean;
}

/** What a sample of some name is. */
interface SampleName {
  id: number;
  family: Draft;
  isBucket: boolean;
}

/** Estimated bytes of a line, from which the initial size of the columns follows. */
const LINE = 100;

export class PrometheusReader {
  readonly #body: Buffer;
  readonly #scanner: SampleScanner;
  readonly #columns: ColumnWriter;
  readonly #seen: SeriesIndex;
  readonly #families = new Map<string, Draft>();
  readonly #drafts: Draft[] = [];
  readonly #names = new Map<string, SampleName>();
  /** The text of each name id, and the family it belongs to. */
  readonly #nameTexts: string[] = [];
  readonly #nameFamilies: number[] = [];
  #last: SampleName | null = null;
  #lastStart = 0;
  #lastHash = 0;
  /** The family of the last comment, and where its name stands. */
  #commented: Draft | null = null;
  #commentedStart = 0;
  /** Of the last bucket: its name, where its labels begin, its bound stands, and they end. */
  readonly #bucket = { name: -1, start: 0, bound: 0, boundEnd: 0, end: 0 };
  readonly #histograms: HistogramCheck[] = [];
  #grouped = true;
  #ended = false;
  #openMetrics: string | null = null;

  constructor(body: Buffer) {
    this.#body = body;
    this.#scanner = new SampleScanner(body);
    const columns = new ColumnWriter(Math.ceil(body.length / LINE) + 16);
    this.#columns = columns;
    this.#seen = new SeriesIndex(
      columns.capacity,
      (a, b) =>
        columns.nameIds[a] === columns.nameIds[b] &&
        sameLabels(body, columns.labelsAt[a]!, columns.labelsAt[b]!, false),
    );
  }

  /** From the start of a line to the start of the next; the line ends in a newline. */
  line(start: number): number {
    if (this.#ended) throw new SyntaxError('text after # EOF');
    const body = this.#body;
    const at = skipBlanks(body, start);
    const byte = body[at];
    if (byte === NEWLINE) return at + 1;
    if (byte === RETURN && body[at + 1] === NEWLINE) return at + 2;
    return byte === HASH ? this.#comment(at) : this.#sample(at);
  }

  /** What stands behind the last newline: nothing but the end of OpenMetrics can be known to be whole. */
  lastLine(start: number): void {
    if (this.#ended) throw new SyntaxError('text after # EOF');
    if (this.#body.toString('latin1', start, start + 6) !== '# EOF' || this.#body.length > start + 5) {
      throw new SyntaxError('the body ends in the middle of this line');
    }
    this.#ended = true;
  }

  /** What is wrong with the whole; every yield, after a histogram, is a point where the work may wait. */
  *finish(): Generator<void, void, void> {
    const columns = this.#columns;
    if (columns.length === 0) throw new DtesnError('ERR_DTESN_METRICS', 'The metrics contain no sample');
    if (this.#openMetrics !== null && !this.#ended) {
      throw new DtesnError('ERR_DTESN_METRICS', `The metrics have ${this.#openMetrics} but do not end with # EOF`);
    }
    if (!this.#grouped) columns.sort(this.#drafts, (sample) => this.#nameFamilies[columns.nameIds[sample]!]!);
    for (const family of this.#drafts) {
      if (family.type !== 'histogram' || family.length === 0) continue;
      const countId = this.#names.get(`${family.name}_count`)?.id ?? -1;
      const check = new HistogramCheck(family, this.#body, columns, countId);
      check.run();
      this.#histograms.push(check);
      yield;
    }
  }

  result(): ReadBody & { samples: number } {
    const columns = this.#columns.finish(this.#body, this.#nameTexts, this.#ended);
    const isPlain = this.#grouped && !this.#ended && this.#openMetrics === null && columns.timestamps === null;
    return {
      columns,
      drafts: this.#drafts,
      histograms: this.#histograms,
      isPlain,
      samples: this.#columns.length,
    };
  }

  #sample(start: number): number {
    const scanner = this.#scanner;
    const next = scanner.scan(start);
    const name = this.#sampleName();
    const { labels, labelsAt, value, timestamp } = scanner;
    const sample = this.#columns.length;
    const bound = name.isBucket ? this.#bound(name.family) : Number.NaN;
    const continues = name.isBucket && this.#continuesHistogram(name.id);
    this.#columns.add(name.id, labelsAt, value, bound, labels.hashWithoutBound, continues, timestamp);
    if (this.#seen.put(mix(labels.hash + Math.imul(name.id, 0x9e3779b1)), sample) !== sample) {
      throw new SyntaxError(`the series ${excerpt(this.#body, start)} appears twice`);
    }
    const { family } = name;
    if (family.length === 0) family.first = sample;
    else if (family.first + family.length !== sample) this.#grouped = false;
    family.length++;
    this.#openMetrics ??= scanner.openMetrics;
    return next;
  }

  /** Whether the labels of this bucket are written as those of the last one, but for the bound. */
  #continuesHistogram(name: number): boolean {
    const body = this.#body;
    const last = this.#bucket;
    const start = this.#scanner.labelsAt;
    const { boundStart, boundEnd, end } = this.#scanner.labels;
    let same = name === last.name;
    same &&= boundStart - start === last.bound - last.start && end - boundEnd === last.end - last.boundEnd;
    for (let at = start, other = last.start; same && at < boundStart; at++, other++) same = body[at] === body[other];
    for (let at = boundEnd, other = last.boundEnd; same && at < end; at++, other++) same = body[at] === body[other];
    last.name = name;
    last.start = start;
    last.bound = boundStart;
    last.boundEnd = boundEnd;
    last.end = end;
    return same;
  }

  #bound(family: Draft): number {
    const { boundStart, boundEnd } = this.#scanner.labels;
    if (boundStart === boundEnd) throw new SyntaxError(`a bucket of ${family.name} has no label le`);
    const bound = readNumber(this.#body, boundStart, boundEnd, 'label le');
    if (Number.isNaN(bound)) throw new SyntaxError(`a bucket of ${family.name} has no numeric label le`);
    return bound;
  }

  /** Of the sample that was scanned. Most have the name of the one before. */
  #sampleName(): SampleName {
    const { nameStart, nameEnd, nameHash } = this.#scanner;
    const last = this.#last;
    if (last !== null && nameHash === this.#lastHash && isSameName(this.#body, this.#lastStart, nameStart, nameEnd)) {
      return last;
    }
    const text = this.#body.toString('latin1', nameStart, nameEnd);
    let name = this.#names.get(text);
    if (name === undefined) {
      name = this.#newName(text);
      this.#names.set(text, name);
    }
    this.#last = name;
    this.#lastStart = nameStart;
    this.#lastHash = nameHash;
    return name;
  }

  #newName(text: string): SampleName {
    const family = this.#familyOf(text);
    if (family.name === text && family.type.endsWith('histogram')) {
      throw new SyntaxError(`${text} is a histogram and cannot have a plain value`);
    }
    const id = this.#nameTexts.push(text) - 1;
    this.#nameFamilies.push(family.index);
    return { id, family, isBucket: family.type.endsWith('histogram') && text === `${family.name}_bucket` };
  }

  #familyOf(sampleName: string): Draft {
    const own = this.#families.get(sampleName);
    if (own !== undefined) return own;
    const underscore = sampleName.lastIndexOf('_');
    const parent = underscore < 0 ? undefined : this.#families.get(sampleName.slice(0, underscore));
    if (parent && suffixes[parent.type]?.includes(sampleName.slice(underscore))) return parent;
    return this.#newFamily(sampleName);
  }

  #newFamily(name: string): Draft {
    const index = this.#drafts.length;
    const family: Draft = {
      name,
      type: 'untyped',
      helpStart: 0,
      helpEnd: 0,
      first: 0,
      length: 0,
      index,
      declared: false,
    };
    this.#drafts.push(family);
    this.#families.set(name, family);
    return family;
  }

  #comment(start: number): number {
    const body = this.#body;
    const newline = body.indexOf(NEWLINE, start);
    const end = body[newline - 1] === RETURN ? newline - 1 : newline;
    const word = skipBlanks(body, start + 1);
    const wordEnd = endOfWord(body, word);
    if (isWord(body, word, wordEnd, EOF)) this.#end(wordEnd, end);
    const isHelp = isWord(body, word, wordEnd, HELP);
    if (!isHelp && !isWord(body, word, wordEnd, TYPE)) return newline + 1;
    const name = skipBlanks(body, wordEnd);
    const nameEnd = this.#checkName(name);
    const family = this.#declared(name, nameEnd);
    const text = Math.min(skipBlanks(body, nameEnd), end);
    if (isHelp) this.#help(family, text, end);
    else this.#type(family, body.toString('latin1', text, end).trimEnd());
    return newline + 1;
  }

  #checkName(start: number): number {
    const body = this.#body;
    let at = start;
    if ((kinds[body[at]!]! & NAME_START) !== 0) while ((kinds[body[at]!]! & NAME) !== 0) at++;
    if (at === start || endOfWord(body, at) !== at) {
      throw new SyntaxError(`expected a metric name at ${excerpt(body, start)}`);
    }
    return at;
  }

  /** The family that a comment names. Samples of that name are its own from here on. */
  #declared(start: number, end: number): Draft {
    const last = this.#commented;
    if (last !== null && isSameName(this.#body, this.#commentedStart, start, end)) return last;
    const name = this.#body.toString('latin1', start, end);
    let family = this.#families.get(name);
    if (family === undefined) {
      this.#names.delete(name);
      this.#last = null;
      family = this.#newFamily(name);
    }
    this.#commented = family;
    this.#commentedStart = start;
    return family;
  }

  #help(family: Draft, start: number, end: number): void {
    if (family.helpStart > 0) throw new SyntaxError(`${family.name} has a second HELP line`);
    family.helpStart = start;
    family.helpEnd = end;
  }

  #type(family: Draft, text: string): void {
    const { type, openMetrics } = metricType(text, family.name);
    if (openMetrics) this.#openMetrics ??= `the type ${type} of ${family.name}`;
    if (family.declared) throw new SyntaxError(`${family.name} has a second TYPE line`);
    if (family.length > 0) throw new SyntaxError(`the TYPE line of ${family.name} comes after its samples`);
    family.declared = true;
    family.type = type;
  }

  #end(from: number, to: number): void {
    if (skipBlanks(this.#body, from) < to) throw new SyntaxError('text after # EOF');
    this.#ended = true;
  }
}

const [EOF, HELP, TYPE] = ['EOF', 'HELP', 'TYPE'].map((word) => Buffer.from(word)) as [Buffer, Buffer, Buffer];

function isWord(body: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (body[start + i] !== word[i]) return false;
  return true;
}

/** Whether the metric name that begins at `known` is the one from `start` to `end`. */
function isSameName(body: Buffer, known: number, start: number, end: number): boolean {
  let other = known;
  for (let at = start; at < end; at++, other++) if (body[at] !== body[other]) return false;
  return (kinds[body[other]!]! & NAME) === 0;
}

function metricType(text: string, family: string): { type: MetricType; openMetrics: boolean } {
  switch (text) {
    case 'counter':
    case 'gauge':
    case 'histogram':
    case 'summary':
    case 'untyped':
      return { type: text, openMetrics: false };
    case 'unknown':
    case 'info':
    case 'stateset':
    case 'gaugehistogram':
      return { type: text, openMetrics: true };
    default:
      throw new SyntaxError(`unknown type ${JSON.stringify(text)} of ${family}`);
  }
}

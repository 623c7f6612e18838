/**
 * Takes Prometheus text line after line: comments declare families, samples go into columns.
 *
 * Errors: SyntaxError that says what is wrong with the line, DtesnError ERR_DTESN_METRICS for what is wrong with the whole.
 */
import { DtesnError } from '../errors/index.js';
import type { FamilyDraft, MetricType, SampleColumns } from './metric-families.js';
import {
  endOfWord,
  excerpt,
  HASH,
  kinds,
  NAME,
  NAME_START,
  NEWLINE,
  RETURN,
  SPACE,
  skipBlanks,
  TAB,
} from './prometheus-bytes.js';
import { HistogramCheck } from './prometheus-histogram.js';
import { mix, sameLabels } from './prometheus-labels.js';
import { readNumber } from './prometheus-number.js';
import { SampleScanner } from './prometheus-sample.js';
import { ColumnWriter } from './sample-columns.js';
import { SeriesIndex } from './series-index.js';

const prometheusTypes = new Set<string>(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const openMetricsTypes = new Set<string>(['unknown', 'info', 'stateset', 'gaugehistogram']);

const suffixes: Partial<Record<MetricType, readonly string[]>> = {
  counter: ['_total', '_created'],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['_sum', '_count', '_created'],
  info: ['_info'],
};

interface Draft extends FamilyDraft {
  index: number;
  /** A TYPE line was there. */
  declared: boolean;
}

/** What a sample of some name is. */
interface SampleName {
  id: number;
  family: Draft;
  isBucket: boolean;
}

/** Bytes of a usual line: a guess that spares the columns most of their growth. */
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
  #grouped = true;
  #ended = false;
  #openMetrics: string | null = null;

  constructor(body: Buffer) {
    this.#body = body;
    this.#scanner = new SampleScanner(body);
    const columns = new ColumnWriter(Math.ceil(body.length / LINE) + 16);
    this.#columns = columns;
    this.#seen = new SeriesIndex(
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

  finish(): void {
    const columns = this.#columns;
    if (columns.length === 0) throw new DtesnError('ERR_DTESN_METRICS', 'The metrics hold no sample');
    if (this.#openMetrics !== null && !this.#ended) {
      throw new DtesnError('ERR_DTESN_METRICS', `The metrics have ${this.#openMetrics} but do not end with # EOF`);
    }
    if (!this.#grouped) columns.sort(this.#drafts, (sample) => this.#nameFamilies[columns.nameIds[sample]!]!);
    for (const family of this.#drafts) {
      if (family.type !== 'histogram' || family.length === 0) continue;
      const countId = this.#names.get(`${family.name}_count`)?.id ?? -1;
      new HistogramCheck(family, this.#body, columns, countId).run();
    }
  }

  result(): { columns: SampleColumns; drafts: readonly FamilyDraft[] } {
    return { columns: this.#columns.finish(this.#body, this.#nameTexts, this.#ended), drafts: this.#drafts };
  }

  #sample(start: number): number {
    const scanner = this.#scanner;
    const next = scanner.scan(start);
    const name = this.#sampleName();
    const { labels } = scanner;
    const sample = this.#columns.length;
    const bound = name.isBucket ? this.#bound(name.family) : Number.NaN;
    this.#columns.add(name.id, scanner.labelsAt, scanner.value, bound, labels.hashWithoutBound, scanner.timestamp);
    if (this.#seen.put(mix(labels.hash + Math.imul(name.id, 0x9e3779b1)), sample) !== sample) {
      throw new SyntaxError(`the series ${excerpt(this.#body, start)} is there twice`);
    }
    const { family } = name;
    if (family.length === 0) family.first = sample;
    else if (family.first + family.length !== sample) this.#grouped = false;
    family.length++;
    this.#openMetrics ??= scanner.openMetrics;
    return next;
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
    if (last !== null && nameHash === this.#lastHash && this.#isLast(nameStart, nameEnd)) return last;
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

  #isLast(start: number, end: number): boolean {
    const body = this.#body;
    let last = this.#lastStart;
    for (let at = start; at < end; at++, last++) if (body[at] !== body[last]) return false;
    return (kinds[body[last]!]! & NAME) === 0;
  }

  #newName(text: string): SampleName {
    const family = this.#familyOf(text);
    if (family.name === text && family.type.endsWith('histogram')) {
      throw new SyntaxError(`${text} is a histogram and has no plain value`);
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
    const family: Draft = {
      ...{ name, type: 'untyped', help: null, first: 0, length: 0 },
      ...{ index: this.#drafts.length, declared: false },
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
    const keyword = wordEnd - word > 4 ? '' : body.toString('latin1', word, wordEnd);
    if (keyword === 'EOF') this.#end(wordEnd, end);
    else if (keyword === 'HELP' || keyword === 'TYPE') {
      const name = skipBlanks(body, wordEnd);
      const nameEnd = this.#checkName(name);
      const family = this.#declared(body.toString('latin1', name, nameEnd));
      const text = body.toString('utf8', Math.min(skipBlanks(body, nameEnd), end), end);
      if (keyword === 'HELP') this.#help(family, text);
      else this.#type(family, text.trimEnd());
    }
    return newline + 1;
  }

  #checkName(start: number): number {
    const body = this.#body;
    let at = start;
    if ((kinds[body[at]!]! & NAME_START) !== 0) while ((kinds[body[at]!]! & NAME) !== 0) at++;
    const byte = body[at];
    const whole = at > start && (byte === SPACE || byte === TAB || byte === NEWLINE || byte === RETURN);
    if (!whole) throw new SyntaxError(`expected a metric name at ${excerpt(body, start)}`);
    return at;
  }

  /** The family that a comment names. Samples of that name are its own from here on. */
  #declared(name: string): Draft {
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    this.#names.delete(name);
    this.#last = null;
    return this.#newFamily(name);
  }

  #help(family: Draft, text: string): void {
    if (family.help !== null) throw new SyntaxError(`a second HELP of ${family.name}`);
    family.help = text.includes('\\') ? text.replace(/\\([\\n])/g, (_, of) => (of === 'n' ? '\n' : '\\')) : text;
  }

  #type(family: Draft, type: string): void {
    if (openMetricsTypes.has(type)) this.#openMetrics ??= `the type ${type} of ${family.name}`;
    else if (!prometheusTypes.has(type)) {
      throw new SyntaxError(`unknown type ${JSON.stringify(type)} of ${family.name}`);
    }
    if (family.declared) throw new SyntaxError(`a second TYPE of ${family.name}`);
    if (family.length > 0) throw new SyntaxError(`TYPE of ${family.name} after its samples`);
    family.declared = true;
    family.type = type as MetricType;
  }

  #end(from: number, to: number): void {
    if (skipBlanks(this.#body, from) < to) throw new SyntaxError('text after # EOF');
    this.#ended = true;
  }
}

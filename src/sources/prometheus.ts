/**
 * Prometheus text, parsed strictly: what cannot be understood is an error, never a wrong number.
 *
 *     # HELP name text          \\ and \n escaped
 *     # TYPE name counter|gauge|histogram|summary|untyped, and the types of OpenMetrics
 *     name{label="value",...} value [timestamp] [# exemplar]
 *
 * A sample belongs to the family of its own name; failing that, to the histogram, summary or (OpenMetrics) counter whose
 * name remains without the suffix. The declared type decides, not the name: a histogram may be called x_total.
 * Every line ends in a newline (CRLF is taken): a body cut in mid-line must not yield the half of its last number.
 * Errors: DtesnError ERR_DTESN_METRICS with the line: bad syntax, a cut body, no sample at all, a family declared twice,
 * the same series twice, text after `# EOF`, histogram buckets that decrease or do not end at the count.
 */
import { DtesnError } from '../errors/index.js';
import type { MetricFamilies, MetricFamily, MetricType } from './metric-families.js';
import { checkHistogram } from './prometheus-histogram.js';
import { readSample } from './prometheus-sample.js';

const types = new Set<string>([
  ...['counter', 'gauge', 'histogram', 'summary', 'untyped'],
  ...['unknown', 'info', 'stateset', 'gaugehistogram'],
]);

const suffixes: Partial<Record<MetricType, readonly string[]>> = {
  counter: ['_total', '_created'],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['_sum', '_count', '_created'],
  info: ['_info'],
};

export function parsePrometheus(body: Uint8Array | string): MetricFamilies {
  const text = typeof body === 'string' ? body : decode(body);
  const reader = new Reader();
  let start = 0;
  for (let line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    if (newline < 0) throw fault(line, 'the body ends in the middle of this line');
    const end = newline > start && text.charCodeAt(newline - 1) === 13 ? newline - 1 : newline;
    try {
      reader.line(text.slice(start, end).replace(/^[ \t]+/, ''));
    } catch (error) {
      throw error instanceof SyntaxError ? fault(line, error.message) : error;
    }
    start = newline + 1;
  }
  return reader.end();
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new DtesnError('ERR_DTESN_METRICS', 'The metrics are not UTF-8', { cause });
  }
}

function fault(line: number, why: string): DtesnError {
  return new DtesnError('ERR_DTESN_METRICS', `Line ${line} of the metrics: ${why}`);
}

/** Takes line after line; a SyntaxError says what is wrong with the line. */
class Reader {
  readonly #families = new Map<string, MetricFamily>();
  readonly #declared = new Set<string>();
  readonly #series = new Set<string>();
  #ended = false;

  line(text: string): void {
    if (this.#ended) throw new SyntaxError('text after # EOF');
    if (text.startsWith('#')) this.#comment(text);
    else if (text.trim() !== '') this.#sample(text);
  }

  end(): MetricFamilies {
    if (this.#series.size === 0) throw new DtesnError('ERR_DTESN_METRICS', 'The metrics hold no sample');
    for (const family of this.#families.values()) {
      if (family.type === 'histogram') checkHistogram(family);
    }
    return this.#families;
  }

  #comment(text: string): void {
    const [, keyword, name = '', rest = ''] = /^#[ \t]+(HELP|TYPE|EOF)\b[ \t]*(\S*)[ \t]*(.*)$/s.exec(text) ?? [];
    if (keyword === 'EOF') this.#ended = true;
    if (keyword === 'HELP') this.#family(name).help = unescapeHelp(rest);
    if (keyword !== 'TYPE') return;
    const type = rest.trim();
    if (!types.has(type)) throw new SyntaxError(`unknown type ${JSON.stringify(type)} of ${name}`);
    const family = this.#family(name);
    if (this.#declared.has(name)) throw new SyntaxError(`a second TYPE of ${name}`);
    if (family.samples.length > 0) throw new SyntaxError(`TYPE of ${name} after its samples`);
    this.#declared.add(name);
    family.type = type as MetricType;
  }

  #sample(text: string): void {
    const { sample, series } = readSample(text);
    if (this.#series.has(series)) throw new SyntaxError(`the series ${series} is there twice`);
    this.#series.add(series);
    this.#familyOf(sample.name).samples.push(sample);
  }

  #familyOf(sampleName: string): MetricFamily {
    const own = this.#families.get(sampleName);
    if (own !== undefined) {
      if (own.type.endsWith('histogram')) throw new SyntaxError(`${sampleName} is a histogram and has no plain value`);
      return own;
    }
    const suffix = sampleName.slice(sampleName.lastIndexOf('_'));
    const parent = this.#families.get(sampleName.slice(0, -suffix.length));
    return parent && suffixes[parent.type]?.includes(suffix) ? parent : this.#family(sampleName);
  }

  #family(name: string): MetricFamily {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new SyntaxError(`${JSON.stringify(name)} is no metric name`);
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { name, type: 'untyped', help: null, samples: [] };
      this.#families.set(name, family);
    }
    return family;
  }
}

function unescapeHelp(text: string): string {
  return text.includes('\\') ? text.replace(/\\(\\|n)/g, (_, escaped) => (escaped === 'n' ? '\n' : '\\')) : text;
}

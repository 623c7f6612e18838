/**
 * Prometheus text, parsed strictly in one pass over its bytes: what cannot be understood is an error, never a wrong number.
 *
 *     # HELP name text          \\ and \n escaped
 *     # TYPE name counter|gauge|histogram|summary|untyped, and the types of OpenMetrics
 *     name{label="value",...} value [timestamp] [# exemplar]
 *
 * A sample belongs to the family of its own name; failing that, to the histogram, summary or (OpenMetrics) counter whose
 * name remains without the suffix. The declared type decides, not the name: a histogram may be called x_total.
 * Every line ends in LF or CRLF: a body cut in mid-line must not yield the half of its last number. What only OpenMetrics
 * has (its types, exemplars, fractions of a timestamp) is taken in a body that ends with `# EOF`, which may lack its LF.
 * Where promtool and Python's prometheus_client differ, promtool is followed, but CRLF, unknown escapes in HELP and OpenMetrics
 * that ends with # EOF are taken, and types in capitals or missing are not. Stricter than both: no sample, a series twice,
 * text after # EOF, a torn histogram. The table is in docs/metrics.md.
 *
 * The families read labels from the body when they are asked for them: do not write into it while they are in use.
 * Cost: linear in the bytes; 28 bytes a series beside the body, and 16 to 32 more while it is read.
 * Errors: DtesnError ERR_DTESN_METRICS with the line: bad syntax, a cut body, no sample at all, a family declared twice,
 * the same series twice, text after `# EOF`, histogram buckets that decrease or do not end at the count.
 */
import { isUtf8 } from 'node:buffer';
import { argumentError, DtesnError } from '../../errors/index.js';
import { type MetricFamilies, MetricFamily } from './metric-families.js';
import { NEWLINE } from './prometheus-bytes.js';
import { PrometheusReader } from './prometheus-reader.js';

export function parsePrometheus(body: Uint8Array | string): MetricFamilies {
  const bytes = bytesOf(body);
  if (!isUtf8(bytes)) throw new DtesnError('ERR_DTESN_METRICS', 'The metrics are not UTF-8');
  const reader = new PrometheusReader(bytes);
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  let line = 0;
  try {
    while (line < end) line = reader.line(line);
    if (line < bytes.length) reader.lastLine(line);
    reader.finish();
  } catch (error) {
    throw error instanceof SyntaxError ? fault(lineNumber(bytes, line), error.message) : error;
  }
  const { columns, drafts } = reader.result();
  const families = drafts.map((draft): [string, MetricFamily] => [draft.name, new MetricFamily(draft, columns)]);
  return new Map(families);
}

function bytesOf(body: Uint8Array | string): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  if (!(body instanceof Uint8Array)) throw argumentError('a Uint8Array or a string', 'body', body);
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function lineNumber(bytes: Buffer, position: number): number {
  let line = 1;
  for (let i = 0; i < position; i++) if (bytes[i] === NEWLINE) line++;
  return line;
}

function fault(line: number, why: string): DtesnError {
  return new DtesnError('ERR_DTESN_METRICS', `Line ${line} of the metrics: ${why}`);
}

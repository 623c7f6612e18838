/**
 * Prometheus text, parsed strictly in one pass over its bytes: what cannot be understood is an error, never a wrong
 * number.
 */
import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../abort/index.js';
import { argumentError, DtesnError } from '../../errors/index.js';
import { type MetricFamilies, MetricFamily } from './metric-families.js';
import { NEWLINE } from './prometheus-bytes.js';
import { PrometheusReader } from './prometheus-reader.js';
import { SeriesLayout } from './series-layout.js';

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
 * Cost: linear in the bytes, some 3 s for 500,000 families in 24 MB (the clients take 8 MiB): parsePrometheus blocks the event
 * loop for that time, parsePrometheusInSlices does not. Memory: 28 bytes a series beside the body, and 16 to 32 more while it is read.
 * Errors: DtesnError ERR_DTESN_METRICS with the line: bad syntax, a cut body, no sample at all, a family declared twice,
 * the same series twice, text after `# EOF`, histogram buckets that decrease or do not end at the count.
 */
export function parsePrometheus(body: Uint8Array | string): MetricFamilies {
  const parsing = parse(bytesOf(body));
  for (;;) {
    const step = parsing.next();
    if (step.done) return step.value.families;
  }
}

/**
 * The same in slices of SLICE_MS: between two of them the event loop turns, so that a body of hundreds of thousands of
 * families does not hold up what else the process does. A body that is read within the first slice is read at once.
 * Errors: those of parsePrometheus, as a rejection; the signal's reason when it is aborted between two slices.
 */
export async function parsePrometheusInSlices(
  body: Uint8Array | string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<MetricFamilies> {
  return (await parseInSlices(bytesOf(body), signal)).families;
}

/** Reads the bodies of one engine, one after the other: what is like the one before is read by its layout (series-layout.ts). */
export class RepeatedReader {
  #layout: SeriesLayout | null = null;

  /** Errors: those of parsePrometheusInSlices. */
  async read(body: Uint8Array, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<MetricFamilies> {
    signal?.throwIfAborted();
    const bytes = bytesOf(body);
    const known = this.#layout?.read(bytes);
    if (known) return known;
    this.#layout = null;
    const { families, read } = await parseInSlices(bytes, signal);
    this.#layout = SeriesLayout.of(read, read.samples);
    return families;
  }
}

async function parseInSlices(bytes: Buffer, signal: AbortSignal | undefined): Promise<Parsed> {
  signal?.throwIfAborted();
  const parsing = parse(bytes);
  for (let sliceStart = systemClock.now(); ; ) {
    const step = parsing.next();
    if (step.done) return step.value;
    if (systemClock.now() - sliceStart < SLICE_MS) continue;
    await setImmediate();
    signal?.throwIfAborted();
    sliceStart = systemClock.now();
  }
}

const SLICE_MS = 5;
/** Lines, or families, between two points where the reader may be left: some tenths of a millisecond. */
const STRIDE = 256;

interface Parsed {
  families: MetricFamilies;
  read: ReturnType<PrometheusReader['result']>;
}

/** Reads the body; every yield is a point where the work may wait. */
function* parse(bytes: Buffer): Generator<void, Parsed, void> {
  if (!isUtf8(bytes)) throw new DtesnError('ERR_DTESN_METRICS', 'The metrics are not UTF-8');
  const reader = new PrometheusReader(bytes);
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  let line = 0;
  try {
    for (let lines = 1; line < end; lines++) {
      line = reader.line(line);
      if (lines % STRIDE === 0) yield;
    }
    if (line < bytes.length) reader.lastLine(line);
    yield* reader.finish();
  } catch (error) {
    throw error instanceof SyntaxError ? fault(lineNumber(bytes, line), error.message) : error;
  }
  const read = reader.result();
  const { columns, drafts } = read;
  const families = new Map<string, MetricFamily>();
  for (const draft of drafts) {
    families.set(draft.name, new MetricFamily(draft, columns));
    if (families.size % STRIDE === 0) yield;
  }
  return { families, read };
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

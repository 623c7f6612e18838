/**
 * Arrivals replayed from a trace: CSV with the columns of the Azure LLM inference traces, or JSON lines as Mooncake's
 * (mooncake-trace.ts). A text that begins with `{` is JSON lines.
 *
 *     TIMESTAMP,ContextTokens,GeneratedTokens                 lines end in LF or CRLF, the last one may be open
 *     2023-11-16 18:17:03.9799600,4808,10                     UTC; up to nine digits of a second
 *
 *     time of arrival = (time - first time) / load + k period,   k = 0, or 0, 1, 2 ... when it loops
 *
 * A prompt longer than the model's context is cut to maxModelLen - 1 tokens, and an answer to what is left of the
 * context (its reason is then `length`): a real engine would refuse such a request with 400. Prefix cache: no hits.
 * Errors: DtesnError ERR_DTESN_TRACE with the number of the line, what was expected and what came.
 * Source of the format: Azure Public Dataset, LLM inference trace 2023 (CC-BY 4.0; Patel et al., "Splitwise", ISCA
 * 2024).
 */
import { type Arrival, type ArrivalSource, PATIENCE_SECONDS } from './arrivals.js';
import { parseMooncakeTrace } from './mooncake-trace.js';
import { type TraceRequest, wrongTrace } from './trace-request.js';

const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d{1,9})?$/;
const COUNT = /^[1-9]\d{0,8}$/;

/**
 * UTC of the first request, seconds since 1970. A time without a zone is UTC; the milliseconds of Mooncake's traces count from
 * their beginning, which is taken as midnight. Of a text that parseTrace accepts.
 */
export function traceStartSeconds(text: string): number {
  const [first = '', second = ''] = text.replace(/^\uFEFF/, '').split(/\r?\n/, 2);
  if (first.startsWith('{')) return (JSON.parse(first) as { timestamp: number }).timestamp / 1000;
  const { seconds, fraction } = parseTimestamp(second.split(',')[0]!)!;
  return seconds + fraction;
}

/** `name` is what errors call the text: usually its file. */
export function parseTrace(text: string, name: string): TraceRequest[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines.at(-1) === '') lines.pop();
  const wrong = (line: number, expected: string, received: string) => wrongTrace(name, { line, expected, received });
  if (lines[0]?.startsWith('{')) return parseMooncakeTrace(lines, name);
  if (lines[0] !== HEADER) throw wrong(1, `the columns ${HEADER}, or an object of JSON`, lines[0] ?? '');
  if (lines.length === 1) throw wrong(2, 'a request', '');
  const requests: TraceRequest[] = [];
  let first: { seconds: number; fraction: number } | null = null;
  for (let i = 1; i < lines.length; i++) {
    const fields = lines[i]!.split(',');
    if (fields.length !== 3) throw wrong(i + 1, 'three fields', lines[i]!);
    const [timestamp, context, generated] = fields as [string, string, string];
    const moment = parseTimestamp(timestamp);
    if (moment === null) throw wrong(i + 1, 'TIMESTAMP as YYYY-MM-DD hh:mm:ss.fffffff', timestamp);
    if (!COUNT.test(context)) throw wrong(i + 1, 'ContextTokens as a whole number from 1 to 999999999', context);
    if (!COUNT.test(generated)) throw wrong(i + 1, 'GeneratedTokens as a whole number from 1 to 999999999', generated);
    first ??= moment;
    const time = moment.seconds - first.seconds + (moment.fraction - first.fraction);
    const before = requests.at(-1)?.time ?? 0;
    if (time < before) throw wrong(i + 1, 'a TIMESTAMP not before that of the line above', timestamp);
    requests.push({ time, contextTokens: Number(context), generatedTokens: Number(generated) });
  }
  return requests;
}

/** Whole seconds and the fraction apart: their sum as a unix time would lose the last digits. */
function parseTimestamp(text: string): { seconds: number; fraction: number } | null {
  const match = TIMESTAMP.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60;
  return exists && second < 60 ? { seconds: date.getTime() / 1000, fraction: Number(match[7] ?? 0) } : null;
}

export interface TraceReplay {
  /** Factor on the recorded rate of arrivals. */
  load: number;
  loop: boolean;
  maxModelLen: number;
}

export class TraceArrivals implements ArrivalSource {
  private index = 0;
  private round = 0;
  private readonly period: number;

  constructor(
    private readonly requests: readonly TraceRequest[],
    private readonly replay: TraceReplay,
  ) {
    // The gap from the last request to the first of the next round is the mean gap of the trace.
    const last = requests.at(-1)!.time;
    this.period = last > 0 ? (last * requests.length) / Math.max(1, requests.length - 1) : 1;
  }

  next(): Arrival | null {
    if (this.index === this.requests.length) {
      if (!this.replay.loop) return null;
      this.index = 0;
      this.round++;
    }
    const { time, contextTokens, generatedTokens } = this.requests[this.index++]!;
    const { load, maxModelLen } = this.replay;
    const prompt = Math.min(contextTokens, maxModelLen - 1);
    const maxTokens = maxModelLen - prompt;
    const output = Math.min(generatedTokens, maxTokens);
    return {
      time: (time + this.round * this.period) / load,
      prompt,
      cached: 0,
      maxTokens,
      output,
      reason: output < generatedTokens ? 'length' : 'stop',
      patience: PATIENCE_SECONDS,
    };
  }
}

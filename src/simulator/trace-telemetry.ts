/** A trace as series of telemetry: what came a second, step by step. */
import { z } from 'zod';
import { argumentError, checkOptions } from '../errors/index.js';
import { parseTrace, traceStartSeconds } from './trace.js';

export const telemetryOptionsSchema = z.object({
  stepSeconds: z.number().min(0.1).max(3600).default(10).describe('a number of seconds from 0.1 to 3600'),
  name: z.string().min(1).default('the trace').describe('what errors call the text'),
});

/** Options of telemetryOf: the length of a step, and what errors call the text. */
export interface TraceTelemetryOptions {
  /** Seconds of a step, 0.1 to 3600. Default 10. */
  stepSeconds?: number | undefined;
  /** What errors call the text: usually its file. Default 'the trace'. */
  name?: string | undefined;
}

/** Series of one length, a value a step; a type, and no interface, so that it is an OutlookSeries. */
export type TraceTelemetry = {
  /** When each step ends: UTC, seconds since 1970. */
  time: number[];
  /** Requests that came, a second. */
  arrivalsPerSecond: number[];
  /** Tokens of their prompts, a second. */
  promptTokensPerSecond: number[];
  /** Tokens of their answers, a second; counted when the request came. */
  generationTokensPerSecond: number[];
};

/**
 * A trace as series of telemetry: what came a second, step by step.
 *
 *     const series = telemetryOf(await readFile('trace.csv', 'utf8'), { stepSeconds: 10 });
 *
 * Text: CSV of the Azure LLM inference traces or JSON lines of Mooncake's. Steps are multiples of `stepSeconds` of UTC; the first and the
 * last one, which the trace covers in part, are left out. A time without a zone is UTC; Mooncake's milliseconds count from midnight.
 * Errors: DtesnError ERR_DTESN_TRACE with the number of the line; TypeError and RangeError ERR_DTESN_ARGUMENT for options.
 */
export function telemetryOf(text: string, options: TraceTelemetryOptions = {}): TraceTelemetry {
  if (typeof text !== 'string') throw argumentError('the text of a trace', 'text', text);
  const { stepSeconds, name } = checkOptions(telemetryOptionsSchema, options, 'telemetryOf');
  const requests = parseTrace(text, name);
  const start = traceStartSeconds(text);
  const first = Math.ceil(start / stepSeconds);
  const steps = Math.max(0, Math.floor((start + requests.at(-1)!.time) / stepSeconds) - first);
  const zeros = () => new Array<number>(steps).fill(0);
  const series: TraceTelemetry = {
    time: zeros().map((_, i) => (first + i + 1) * stepSeconds),
    arrivalsPerSecond: zeros(),
    promptTokensPerSecond: zeros(),
    generationTokensPerSecond: zeros(),
  };
  for (const { time, contextTokens, generatedTokens } of requests) {
    const step = Math.floor((start + time) / stepSeconds) - first;
    if (step < 0 || step >= steps) continue;
    series.arrivalsPerSecond[step]! += 1 / stepSeconds;
    series.promptTokensPerSecond[step]! += contextTokens / stepSeconds;
    series.generationTokensPerSecond[step]! += generatedTokens / stepSeconds;
  }
  return series;
}

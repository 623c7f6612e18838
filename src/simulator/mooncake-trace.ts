/**
 * Traces in the format of Mooncake: JSON lines, one request each.
 *
 *     {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}
 *
 * `timestamp` is in milliseconds, never less than that of the line above. Other fields are not read: `hash_ids` name shared
 * blocks of prompts, and the simulation of a trace has no hits of the prefix cache.
 * Source of the format: Qin et al. (2025), "Mooncake", FAST '25; its repository kvcache-ai/Mooncake.
 */
import { type TraceRequest, wrongTrace } from './trace-request.js';

const MOST = 999_999_999;

/** `lines` are those of the text, without their ends; `name` is what errors call it. */
export function parseMooncakeTrace(lines: readonly string[], name: string): TraceRequest[] {
  const requests: TraceRequest[] = [];
  let first: number | null = null;
  for (const [i, text] of lines.entries()) {
    const wrong = (expected: string, received: unknown) =>
      wrongTrace(name, { line: i + 1, expected, received: typeof received === 'string' ? received : shown(received) });
    const fields = objectOf(text);
    if (fields === null) throw wrong('an object of JSON', text);
    const { timestamp, input_length: input, output_length: output } = fields;
    if (!isTime(timestamp)) throw wrong('`timestamp` as milliseconds, 0 or more', timestamp);
    if (!isCount(input)) throw wrong(`\`input_length\` as a whole number from 1 to ${MOST}`, input);
    if (!isCount(output)) throw wrong(`\`output_length\` as a whole number from 1 to ${MOST}`, output);
    first ??= timestamp;
    const time = (timestamp - first) / 1000;
    if (time < (requests.at(-1)?.time ?? 0)) throw wrong('a `timestamp` not before that of the line above', timestamp);
    requests.push({ time, contextTokens: input, generatedTokens: output });
  }
  return requests;
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST;
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

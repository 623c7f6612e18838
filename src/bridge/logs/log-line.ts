/**
 * One line of the log: JSON with `ts` (RFC 3339), `level`, `msg`, then the fields as given.
 *
 * Law: a line is one line whatever it holds, and no byte of it steers a terminal: JSON escapes the control characters below
 * U+0020, and U+007F to U+009F, U+2028 and U+2029 are escaped here. Strings are cut at MAX_STRING characters, a line that is
 * longer than MAX_LINE bytes keeps its message alone.
 */
import type { LogFields, LogLevel } from './logger.js';

const MAX_STRING = 2048;
const MAX_LINE = 16 * 1024;

export function logLine(ts: string, level: LogLevel, msg: string, fields: LogFields): Buffer {
  const head = { ts, level, msg: cut(msg) };
  const line = encode({ ...head, ...cutFields(fields), ...head });
  return line.length <= MAX_LINE ? line : encode({ ...head, cut: line.length });
}

function encode(line: Record<string, unknown>): Buffer {
  const json = JSON.stringify(line).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(`${json}\n`);
}

function cutFields(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? cut(value) : value]),
  );
}

function cut(text: string): string {
  return text.length <= MAX_STRING ? text : `${text.slice(0, MAX_STRING)}…`;
}

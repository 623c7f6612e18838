/**
 * The configuration's file, read whole and checked: JSON with the fields of schema.ts.
 *
 * Errors: ConfigurationError with one line that names the file and the field; values are not quoted. At most MOST_BYTES.
 */
import { readFileSync, statSync } from 'node:fs';
import { ConfigurationError } from './configuration-error.js';
import { type Layer, layerErrors, layerOf } from './layers.js';

const MOST_BYTES = 16 * 2 ** 20;

export function readConfigText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES) throw new RangeError(`expected at most ${MOST_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new ConfigurationError(`the file ${path} cannot be read: ${code ?? message}`, { cause });
  }
}

export function fileLayer(path: string, text: string): Layer {
  const nested = parsed(path, text);
  const layer = layerOf(nested);
  const errors = layerErrors(layer);
  if (errors.length === 0) return layer;
  const lines = errors.slice(0, 5).map(({ field, message }) => `${field}: ${message}`);
  throw new ConfigurationError(`the file ${path} cannot be taken: ${lines.join('; ')}`);
}

function parsed(path: string, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new ConfigurationError(`the file ${path} cannot be taken: it is not JSON`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new ConfigurationError(`the file ${path} cannot be taken: expected a JSON object`);
}

/**
 * Errors of dtesn: every one has a stable `code`, and one sentence that says which argument, what was expected and
 * what came.
 *
 * - wrong kind of argument: TypeError, `ERR_DTESN_ARGUMENT`
 * - right kind, wrong size or range: RangeError, `ERR_DTESN_ARGUMENT` or `ERR_DTESN_SHAPE`
 * - the world failed (engine, file, memory): DtesnError with its own code and, where there is one, `cause`
 *
 * As in Node's own errors `name` is that of the class, and text and stack begin with both: `TypeError [ERR_DTESN_SHAPE]: ...`.
 */
import type { z } from 'zod';
import { brand } from './brand.js';
import { type Coded, coded, showCode, textOf } from './coded.js';
import type { DtesnErrorCode } from './codes.js';

export { brand } from './brand.js';
export type { DtesnErrorCode } from './codes.js';
export {
  type Schema,
  type SchemaError,
  type SchemaIssue,
  type SchemaResult,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
  schemaOf,
} from './schema.js';

/**
 * An error of the world outside the program (an engine, a file, memory), with a stable `code` and, where there is one,
 * a `cause`.
 *
 * Wrong arguments are TypeErrors and RangeErrors with a `code` of the same kind. docs/errors.md lists every code.
 */
export class DtesnError extends Error {
  /** Stable code: programs may branch on it, unlike on the message. */
  readonly code: DtesnErrorCode;

  static {
    named(DtesnError, 'DtesnError');
  }

  constructor(code: DtesnErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    showCode(this, code);
  }

  override toString(): string {
    return textOf(this, this.code);
  }
}

/** Whether something is an error of this package that is neither a TypeError nor a RangeError. */
export const isDtesnError = brand(DtesnError, 'DtesnError');

/** Gives a class of errors its name, as the built-in ones have theirs: on the prototype. */
export function named(errorClass: { prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** What came, in the fewest words that tell the caller. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string')
    return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (ArrayBuffer.isView(value) && 'length' in value) return `a ${value.constructor.name} of ${String(value.length)}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name = (value as object).constructor?.name;
  return name && name !== 'Object' ? `a ${name}` : 'an object';
}

/** TypeError: `Expected a Float32Array for series but received an array of 3`. */
export function argumentError(expected: string, argument: string, received: unknown): Coded<TypeError> {
  return coded(
    new TypeError(`Expected ${expected} for ${argument} but received ${describe(received)}`),
    'ERR_DTESN_ARGUMENT',
  );
}

/** RangeError of the right type but a wrong value. */
export function rangeError(expected: string, argument: string, received: unknown): Coded<RangeError> {
  return coded(
    new RangeError(`Expected ${expected} for ${argument} but received ${describe(received)}`),
    'ERR_DTESN_ARGUMENT',
  );
}

/** RangeError of shapes that do not meet: `Expected series with 3 features (inputs of this reservoir) but received 2`. */
export function shapeError(expected: string, received: unknown): Coded<RangeError> {
  const came = typeof received === 'string' ? received : describe(received);
  return coded(new RangeError(`Expected ${expected} but received ${came}`), 'ERR_DTESN_SHAPE');
}

/**
 * A whole number from `least` to `most`: TypeError for another kind, RangeError for another number. `of` names what is counted:
 * `a whole number of bytes from 1 to 4096`; without `most`, `a whole number, 0 or more,`.
 */
export function checkWhole(value: unknown, argument: string, least: number, most?: number, of = ''): number {
  const kind = of === '' ? 'a whole number' : `a whole number of ${of}`;
  const expected = most === undefined ? `${kind}, ${least} or more,` : `${kind} from ${least} to ${most}`;
  if (typeof value !== 'number') throw argumentError(expected, argument, value);
  if (!Number.isSafeInteger(value) || value < least || value > (most ?? value)) {
    throw rangeError(expected, argument, value);
  }
  return value;
}

/**
 * Options checked by their zod schema. Unknown keys are errors with the nearest known name; the sentence takes the
 * expectation from the field's `.describe(...)`, so every field of an options schema must have one.
 */
export function checkOptions<S extends z.ZodObject>(schema: S, options: unknown, owner: string): z.output<S> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw argumentError('an object', `the options of ${owner}`, options);
  }
  const known = Object.keys(schema.shape);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw unknownOption(key, known, owner);
  }
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.map(String);
  const received = path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], options);
  const field = schema.shape[path[0] ?? ''] as z.ZodType | undefined;
  const expected = (path.length === 1 ? field?.description : undefined) ?? issue.message;
  const argument = path.length === 0 ? `the options of ${owner}` : path.join('.');
  const wrongKind = issue.code === 'invalid_type' && !(typeof received === 'number' && Number.isFinite(received));
  throw wrongKind ? argumentError(expected, argument, received) : rangeError(expected, argument, received);
}

/** Options without a schema: an object with none but these keys. */
export function checkKeys(options: unknown, known: readonly string[], owner: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw argumentError('an object', `the options of ${owner}`, options);
  }
  for (const key in options) if (!known.includes(key)) throw unknownOption(key, known, owner);
}

function unknownOption(key: string, known: readonly string[], owner: string): Coded<TypeError> {
  return coded(new TypeError(`Unknown option ${key} of ${owner}${didYouMean(key, known)}`), 'ERR_DTESN_ARGUMENT');
}

/** `; did you mean NAME?` of the known name nearest to a wrong one; nothing where none is near. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  const nearest = known
    .map((name) => ({ name, distance: editDistance(wrong.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return nearest && nearest.distance <= Math.max(2, wrong.length / 3) ? `; did you mean ${nearest.name}?` : '';
}

/** Levenshtein's distance, two rows at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

export { currentNames, type Renamed, warnDeprecated, withOldNames } from './deprecation.js';
export { emit, type ListenerErrorHandler, ListenerErrors } from './listeners.js';

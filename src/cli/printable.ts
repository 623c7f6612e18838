/**
 * What others wrote, made fit for a terminal: the one place where it is done for everything the command prints.
 *
 *     removed     control characters (C0, DEL, C1) and the characters that turn the direction of text
 *                 (U+061C, U+200E, U+200F, U+202A ... U+202E, U+2066 ... U+2069)
 *     a space     TAB, LF, CR and the line and paragraph separators U+2028, U+2029, each run of them
 *
 * So the name of a model, a file or a host writes no line, title or colour of its own. Our own colours and line breaks are
 * added after it. In JSON nothing is removed: what JSON.stringify leaves of these characters is escaped.
 */
const breaks = /[\t\n\r\u2028\u2029]+/g;
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const leftByJson = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The texts of a value, its keys too; numbers and what else it holds stay. Long lists of numbers are not copied. */
export function printable<T>(value: T): T {
  return cleaned(value) as T;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(breaks, ' ').replace(unprintable, '');
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.every((one) => typeof one === 'number') ? value : value.map(cleaned);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [cleaned(key), cleaned(one)]));
}

/** One line of JSON without a character that a terminal acts on. */
export function json(value: unknown): string {
  return JSON.stringify(value).replace(
    leftByJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Text of engines, files and callers, made fit to be shown: bounded in length, on one line, without a character that a terminal
 * or a page acts on.
 *
 *     plainText('a\x1b[31mb', 256)     'a\\u{1b}[31mb'        controls and characters that turn the direction of text are escaped
 *
 * `<` and `&` stay: where text is put into a page it is put as text. A cut text ends with `…`.
 */
const acting = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Characters of names, also as labels of metrics. */
export const NAME_CHARACTERS = 256;
/** Characters of a sentence of evidence. */
export const EVIDENCE_CHARACTERS = 1024;

export function plainText(text: string, most: number): string {
  // What is cut away is not escaped: a name of megabytes costs no more than a long one.
  const escaped = text
    .slice(0, most + 1)
    .replace(acting, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
  return escaped.length > most ? `${escaped.slice(0, most - 1)}…` : escaped;
}

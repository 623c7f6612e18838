/**
 * The simulated model's tokenizer: a token is a UTF-8 byte.
 *
 *     ids 0..255 bytes, 256 begin of text, 257 end of text; 258..319 pad the vocabulary and never occur
 *
 * Law: decodeBytes(encodeBytes(text)) = text for every well-formed string (a lone surrogate becomes U+FFFD, as in any
 * UTF-8).
 */
export const BEGIN_OF_TEXT = 256;
export const END_OF_TEXT = 257;
/** Ids that mean something. */
export const VOCABULARY = 258;
/** Rows of the simulated model's embedding: the vocabulary padded to a multiple of 64. */
export const PADDED_VOCABULARY = 320;

export function encodeBytes(text: string, addSpecialTokens: boolean): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return addSpecialTokens ? [BEGIN_OF_TEXT, ...bytes] : bytes;
}

/** Special tokens stand for no text; bytes that are no UTF-8 become U+FFFD. */
export function decodeBytes(tokens: readonly number[]): string {
  const bytes = Uint8Array.from(tokens.filter((token) => token < BEGIN_OF_TEXT));
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** The token as text where it is a printable ASCII character, else in the usual byte form `<0x0A>`. */
export function tokenText(token: number): string {
  if (token === BEGIN_OF_TEXT) return '<s>';
  if (token === END_OF_TEXT) return '</s>';
  if (token >= 0x20 && token < 0x7f) return String.fromCharCode(token);
  return `<0x${token.toString(16).toUpperCase().padStart(2, '0')}>`;
}

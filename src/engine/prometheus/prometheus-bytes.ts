/**
 * The bytes of Prometheus text: what may stand in a name, and what a line shows of itself in a message.
 *
 *     metric name [a-zA-Z_:][a-zA-Z0-9_:]*     label name [a-zA-Z_][a-zA-Z0-9_]*     blank: space or tab
 */
export const TAB = 9;
export const NEWLINE = 10;
export const RETURN = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const HASH = 35;
export const COMMA = 44;
export const EQUALS = 61;
export const BACKSLASH = 92;
export const LETTER_N = 110;
export const BRACE = 123;
export const CLOSING_BRACE = 125;

export const NAME_START = 1;
export const NAME = 2;
export const LABEL_START = 4;
export const LABEL = 8;

/** For each byte, the sets above it belongs to. */
export const kinds = new Uint8Array(256).map((_, byte) => {
  const character = String.fromCharCode(byte);
  const letter = /[a-zA-Z_]/.test(character);
  const digit = /[0-9]/.test(character);
  const colon = character === ':';
  return (
    (letter || colon ? NAME_START : 0) |
    (letter || digit || colon ? NAME : 0) |
    (letter ? LABEL_START : 0) |
    (letter || digit ? LABEL : 0)
  );
});

/** The first byte from here that is no blank. */
export function skipBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === SPACE || bytes[at] === TAB) at++;
  return at;
}

/** Where the word that begins here ends: at a blank or at the end of the line. */
export function endOfWord(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const byte = bytes[at];
    if (byte === SPACE || byte === NEWLINE || byte === TAB || byte === RETURN) return at;
    at++;
  }
}

/** Up to 40 bytes of the line from here, quoted for a message. */
export function excerpt(body: Buffer, start: number): string {
  const newline = body.indexOf(NEWLINE, start);
  const end = Math.min(newline < 0 ? body.length : newline, start + 40);
  const text = body.toString('utf8', start, end).trimEnd();
  return text === '' ? 'the end of the line' : JSON.stringify(text);
}

/**
 * Lines that fit a terminal: none is wider than its columns.
 *
 * A line breaks at a space, or within a word that is wider than the terminal; what follows is indented further than its beginning. Colour
 * codes have no width, wide characters (East Asian, emoji) have two columns, combining ones none.
 * Source: Unicode Standard Annex 11, East Asian Width.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with ESC
const pieces = /\u001b\[[0-9;]*m|\P{M}\p{M}*|\p{M}+/gu;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const HANGING = 4;

interface Piece {
  text: string;
  width: number;
}

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  return piecesOf(text).reduce((sum, { width }) => sum + width, 0);
}

/** Every line of a text, broken where it is wider than so many columns; Infinity breaks none. */
export function fitted(text: string, columns: number): string {
  if (!Number.isFinite(columns)) return text;
  return text
    .split('\n')
    .flatMap((line) => wrapped(line, Math.max(1, columns)))
    .join('\n');
}

/** The beginning of a line that fits, with an ellipsis where something is left out. */
export function cut(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let width = 1;
  let kept = '';
  for (const piece of piecesOf(line)) {
    width += piece.width;
    if (width <= columns || piece.width === 0) kept += piece.text;
  }
  return `${kept}…`;
}

function wrapped(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const begins = /^ */.exec(line)![0].length;
  const indent = ' '.repeat(Math.min(begins + HANGING, Math.floor(columns / 4)));
  const lines: string[] = [];
  let room = columns;
  let rest = piecesOf(line);
  while (rest.reduce((sum, { width }) => sum + width, 0) > room) {
    const end = breakOf(rest, room);
    const text = rest.slice(0, end).map((piece) => piece.text);
    lines.push((lines.length > 0 ? indent : '') + text.join('').trimEnd());
    rest = rest.slice(end);
    while (rest[0]?.text === ' ') rest.shift();
    room = columns - indent.length;
  }
  if (rest.length > 0) lines.push((lines.length > 0 ? indent : '') + rest.map((piece) => piece.text).join(''));
  return lines;
}

/** How many pieces stand on this line: up to the last space that has a word before it, or all that fit. */
function breakOf(rest: readonly Piece[], room: number): number {
  let width = 0;
  let space = 0;
  let hasWord = false;
  for (const [index, piece] of rest.entries()) {
    if (piece.text === ' ' && hasWord) space = index;
    if (piece.text !== ' ' && piece.width > 0) hasWord = true;
    width += piece.width;
    if (width > room) return piece.text === ' ' && hasWord ? index : space || Math.max(1, index);
  }
  return rest.length;
}

function piecesOf(text: string): Piece[] {
  return (text.match(pieces) ?? []).map((piece) => ({ text: piece, width: pieceWidth(piece) }));
}

function pieceWidth(piece: string): number {
  if (piece.startsWith('\u001b') || /^\p{M}/u.test(piece)) return 0;
  return wide.test(piece) ? 2 : 1;
}

/** A byte-level BPE as GPT-2 defines it, in plain loops, and the tokenizer.json of the same tokenizer. */

/** GPT-2 shows the bytes that are not printable as the code points from 256 on. */
const shownBytes = Array.from({ length: 256 }, (_, byte) => byte);
const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
let next = 256;
const shown = shownBytes.map((byte) => String.fromCodePoint(printable(byte) ? byte : next++));

const show = (text: string) => [...Buffer.from(text, 'utf8')].map((byte) => shown[byte]!).join('');

/** In order of rank; each pair's join is the token after those before it. */
const merges: [string, string][] = [
  ...[
    ['t', 'h'],
    ['th', 'e'],
    [' ', 't'],
    [' t', 'h'],
    [' th', 'e'],
    ['i', 'n'],
    ['in', 'g'],
    ['1', '2'],
  ],
  ...[
    ['e', 'e'],
    ['r', 'ee'],
    ['t', 'ree'],
  ],
].map(([left, right]) => [show(left!), show(right!)]);
merges.push([shown[0xc3]!, shown[0xa9]!], [shown[0xf0]!, shown[0x9f]!], [shown[0xf0]! + shown[0x9f]!, shown[0x8c]!]);

const tokens = [...shown, ...merges.map(([left, right]) => left + right)];
const vocab: Record<string, number> = Object.fromEntries(tokens.map((token, id) => [token, id]));
export const begin = tokens.length;
export const end = tokens.length + 1;
const special = new Map([
  ['<s>', begin],
  ['</s>', end],
]);

const pieces = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Ids of a text: <s>, then of each piece its bytes, of which the pair of the lowest rank is joined until none is left. */
export function plainEncode(text: string): number[] {
  const ids = [begin];
  for (const part of text.split(/(<s>|<\/s>)/)) {
    const id = special.get(part);
    if (id !== undefined) ids.push(id);
    else for (const [piece] of part.matchAll(pieces)) ids.push(...encodePiece(piece));
  }
  return ids;
}

function encodePiece(piece: string): number[] {
  const parts = [...show(piece)];
  for (;;) {
    let best = merges.length;
    let at = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = merges.findIndex(([left, right]) => left === parts[i] && right === parts[i + 1]);
      if (rank >= 0 && rank < best) [best, at] = [rank, i];
    }
    if (at < 0) return parts.map((part) => vocab[part]!);
    parts.splice(at, 2, parts[at]! + parts[at + 1]!);
  }
}

export function plainDecode(ids: number[]): string {
  const bytes = ids.flatMap((id) => {
    if (id === begin) return [...Buffer.from('<s>')];
    if (id === end) return [...Buffer.from('</s>')];
    return [...tokens[id]!].map((character) => shown.indexOf(character));
  });
  return Buffer.from(bytes).toString('utf8');
}

const added = (content: string) => ({
  ...{ id: special.get(content), content, special: true },
  ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
});
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

export const tokenizerJson = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [added('<s>'), added('</s>')],
  normalizer: null,
  pre_tokenizer: byteLevel,
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { '<s>': { id: '<s>', ids: [begin], tokens: ['<s>'] } },
  },
  decoder: byteLevel,
  model: {
    ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
    ...{ fuse_unk: false, byte_fallback: false, vocab, merges },
  },
};

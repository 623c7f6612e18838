/** Endless mutations of sound bytes: flipped, cut, repeated, spliced, and with values at the edges of their type. */

export interface Mutation {
  bytes: Uint8Array;
  /** Its place in the sequence of the seed. */
  number: number;
}

const MOST_BYTES = 1 << 16;
const words = [
  'NaN',
  '-1',
  '1e309',
  '{',
  '"',
  '\n\n',
  '\r',
  ',',
  '\u0000',
  '__proto__',
  '\u{1f600}',
  '0x',
  '9007199254740993',
  '#',
];

export function* mutations(sound: readonly Uint8Array[], seed: number): Generator<Mutation, never> {
  const random = mulberry32(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const kept = [...sound];
  for (let number = 0; ; number++) {
    let bytes = Buffer.from(kept[below(kept.length)]!);
    for (let change = below(4); change >= 0; change--) bytes = mutate(bytes, kept[below(kept.length)]!, below);
    bytes = bytes.subarray(0, MOST_BYTES);
    yield { bytes: new Uint8Array(bytes), number };
    // Some go on from what was already changed.
    if (below(10) === 0) kept[sound.length + below(8)] = bytes;
    for (let i = sound.length; i < kept.length; i++) kept[i] ??= sound[0]!;
  }
}

function mutate(bytes: Buffer, other: Uint8Array, below: (limit: number) => number): Buffer<ArrayBuffer> {
  const at = below(bytes.length + 1);
  const to = Math.min(bytes.length, at + below(16));
  const [before, inside, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  switch (below(7)) {
    case 0:
      return Buffer.concat([before, Buffer.from([below(256)]), after]);
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.from(before);
    case 3:
      return Buffer.concat([before, ...new Array<Buffer>(1 + below(64)).fill(inside), after]);
    case 4:
      return Buffer.concat([before, Buffer.from(words[below(words.length)]!), bytes.subarray(at)]);
    case 5:
      return Buffer.concat([before, other.subarray(below(other.length + 1))]);
    default:
      return Buffer.concat([before, Buffer.alloc(inside.length, below(2) === 0 ? 0xff : 0x00), after]);
  }
}

/** Source: Tommy Ettinger, Mulberry32. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Philox4x32-10 in plain TypeScript, independent of the native one.
 *
 * Source: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC'11, section 4.
 */
export type Words4 = readonly [number, number, number, number];

/** High and low word of a 32 x 32 bit product. */
function multiply(a: number, b: number): [high: number, low: number] {
  const product = BigInt(a) * BigInt(b);
  return [Number(product >> 32n), Number(product & 0xffffffffn)];
}

export function philox4x32(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, c0);
    const [high1, low1] = multiply(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** What a stream of numbers is drawn for: the fourth word of the counter. */
export const purposes = {
  recurrent: 0,
  input: 1,
  bias: 2,
  structure: 3,
  embedding: 4,
  krylov: 5,
  coupling: 6,
  feedback: 7,
} as const;

/** Word `position` of a stream: word position mod 4 of block ⌊position / 4⌋. */
export function philoxWord(seed: number, stream: number, purpose: keyof typeof purposes, position: number): number {
  const block = Math.floor(position / 4);
  const key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)] as const;
  const counter = [block % 2 ** 32, Math.floor(block / 2 ** 32), stream, purposes[purpose]] as const;
  return philox4x32(counter, key)[position % 4]!;
}

/** Uniform on [-1, 1), a multiple of 2^-23. */
export function toSymmetric(word: number): number {
  return ((word >>> 8) - 2 ** 23) / 2 ** 23;
}

/**
 * Philox4x32-10: the counter-based generator behind every seed, in plain TypeScript.
 *
 * Ten rounds of two 32 x 32 bit products turn a counter of four words and a key of two into four random words.
 *
 * Source: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC'11, section 4.
 */

const [multiplierA, multiplierB] = [0xd2511f53, 0xcd9e8d57];
const [weylA, weylB] = [0x9e3779b9, 0xbb67ae85];

/** High word of a 32 x 32 bit product; Math.imul gives the low one. */
function high(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle % 0x10000);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000);
}

/** The block of a counter, into `block`. */
export function philox4x32(
  block: Uint32Array,
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [highA, lowA] = [high(multiplierA, c0), Math.imul(multiplierA, c0) >>> 0];
    const [highB, lowB] = [high(multiplierB, c2), Math.imul(multiplierB, c2) >>> 0];
    [c0, c1, c2, c3] = [(highB ^ c1 ^ k0) >>> 0, lowB, (highA ^ c3 ^ k1) >>> 0, lowA];
    k0 = (k0 + weylA) >>> 0;
    k1 = (k1 + weylB) >>> 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}

/**
 * MT19937 and its doubles of 53 bits, as numpy.random.RandomState(seed).rand() gives them.
 *
 * Source: Matsumoto, Nishimura (1998), "Mersenne Twister", ACM Trans. Modeling and Computer Simulation 8(1).
 */
const [SIZE, SHIFT] = [624, 397];

export function mersenneTwister(seed: number): { word: () => number; rand: () => number } {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let i = 1; i < SIZE; i++) {
    const before = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(1812433253, before) + i;
  }
  let at = SIZE;
  const turn = () => {
    for (let i = 0; i < SIZE; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % SIZE]! & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  const word = () => {
    if (at === SIZE) turn();
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  const rand = () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
  return { word, rand };
}

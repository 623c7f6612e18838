/**
 * A small seeded stream of random numbers for the simulated engine (sfc32, 128 bits of state, passes PractRand).
 * Equal seeds give equal streams on every platform up to the last bit of `Math.log`, `Math.exp` and `Math.cos`.
 *
 * Source: Doty-Humphrey, "PractRand", generator sfc32.
 */
export class RandomStream {
  private a: number;
  private b: number;
  private c = 0x9e3779b9;
  private counter = 1;

  /** `seed` is any safe integer >= 0; both its halves count. */
  constructor(seed: number) {
    this.a = seed >>> 0;
    this.b = Math.floor(seed / 2 ** 32) >>> 0;
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** 32 random bits. */
  bits(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in (0, 1): never 0, so that its logarithm is finite. */
  uniform(): number {
    return (this.bits() + 0.5) / 2 ** 32;
  }

  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }

  /** exp(ln(median) + sigma n), n standard normal by Box and Muller. */
  logNormal(median: number, sigma: number): number {
    const normal = Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
    return median * Math.exp(sigma * normal);
  }
}

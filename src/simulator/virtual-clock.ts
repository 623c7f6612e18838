/**
 * Virtual time that follows the monotonic clock.
 *
 *     virtual seconds passed = speed × real seconds passed, of one pause no more than `catchUp` virtual seconds
 *
 * `speed` 0: time stands still and moves by `jumpTo` only.
 */
export class VirtualClock {
  private virtual = 0;
  private asked = performance.now();

  constructor(
    private readonly speed: number,
    private readonly catchUp: number,
  ) {}

  now(): number {
    const real = performance.now();
    this.virtual += Math.min(((real - this.asked) / 1000) * this.speed, this.catchUp);
    this.asked = real;
    return this.virtual;
  }

  /** Moves ahead to a virtual time; a time in the past has no effect. */
  jumpTo(seconds: number): void {
    this.virtual = Math.max(this.now(), seconds);
  }

  /** Real milliseconds until a virtual time; Infinity when it does not come by itself. */
  millisecondsUntil(seconds: number): number {
    const left = Math.max(0, seconds - this.virtual);
    return this.speed > 0 ? (left / this.speed) * 1000 : Number.POSITIVE_INFINITY;
  }
}

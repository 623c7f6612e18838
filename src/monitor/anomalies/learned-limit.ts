/**
 * A limit that is learned in operation.
 *
 *     limit = max(floor, margin x the greatest value of normal traffic)
 *
 * Normal traffic is what `learn` is given, and later every block of BLOCK_SECONDS without an alarm, taken over one block later: a
 * limit becomes less sensitive where near misses are normal, and a fault that grows does not lift it.
 */
const BLOCK_SECONDS = 600;

export class LearnedLimit {
  readonly #margin: number;
  readonly #floor: number;
  #greatest = 0;
  /** The block under way, and the greatest value of the one before; null where an alarm fell into it. */
  #block = 0;
  #blockSeconds = 0;
  #blockAlarmed = false;
  #before: number | null = null;

  constructor({ margin, floor = 0 }: { margin: number; floor?: number }) {
    this.#margin = margin;
    this.#floor = floor;
  }

  get value(): number {
    return Math.max(this.#floor, this.#margin * this.#greatest);
  }

  /** The greatest value of normal traffic. */
  get greatest(): number {
    return this.#greatest;
  }

  /** Takes a value of normal traffic. */
  learn(value: number): void {
    if (value > this.#greatest) this.#greatest = value;
  }

  /** Takes a value that held for so many seconds; true where it is above the limit. */
  watch(value: number, seconds: number): boolean {
    const alarms = value > this.value;
    if (value > this.#block) this.#block = value;
    this.#blockAlarmed ||= alarms;
    this.#blockSeconds += seconds;
    if (this.#blockSeconds >= BLOCK_SECONDS) this.#closeBlock();
    return alarms;
  }

  #closeBlock(): void {
    if (!this.#blockAlarmed && this.#before !== null) this.learn(this.#before);
    this.#before = this.#blockAlarmed ? null : this.#block;
    this.#block = 0;
    this.#blockSeconds = 0;
    this.#blockAlarmed = false;
  }
}

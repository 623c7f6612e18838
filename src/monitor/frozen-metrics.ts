/**
 * Metrics that stand still while the engine works, told by the answers that its callers have.
 *
 *     frozen: no counter moved for `hungAfter` seconds, and an answer came later than LATENCY after the last movement
 *             and at least UPDATE before the scrape that still shows none
 *
 * An answer within LATENCY of the last movement may be one that this movement counted. Once frozen it is frozen until a counter
 * moves, or until requests were in flight for PATIENCE seconds without any answer: then the engine itself may hang.
 * Times are seconds of one clock.
 */
const LATENCY = 1;
const UPDATE = 0.2;
const PATIENCE = 60;

export class FrozenMetrics {
  readonly #hungAfter: number;
  #movedAt: number | null = null;
  /** The first answer that the last movement cannot have counted, and the last one. */
  #firstAt: number | null = null;
  #lastAt = Number.NEGATIVE_INFINITY;
  #answers = 0;
  /** Since when the caller has requests in flight without a break. */
  #flyingSince: number | null = null;
  #frozen = false;

  constructor(hungAfter: number) {
    this.#hungAfter = hungAfter;
  }

  answered(time: number): void {
    if (!(time > this.#lastAt)) return;
    this.#lastAt = time;
    if (this.#movedAt === null || time < this.#movedAt + LATENCY) return;
    this.#firstAt ??= time;
    this.#answers++;
  }

  /** What was seen before says nothing of the engine as it is now. */
  forget(): void {
    this.#movedAt = null;
    this.#flyingSince = null;
    this.#moved();
  }

  /**
   * One scrape, read at `time`: whether a counter moved since the one before, and whether the caller has requests in flight.
   * Returns the sentence that says that the metrics are frozen, or null.
   */
  observe(time: number, moved: boolean, inFlight: boolean): string | null {
    this.#flyingSince = inFlight ? (this.#flyingSince ?? time) : null;
    if (moved) {
      this.#movedAt = time;
      this.#moved();
      return null;
    }
    this.#movedAt ??= time;
    const still = time - this.#movedAt;
    const isProven = this.#firstAt !== null && this.#firstAt <= time - UPDATE && still >= this.#hungAfter;
    this.#frozen = (this.#frozen || isProven) && !this.#isSilent(time);
    if (!this.#frozen) return null;
    return `no counter moved for ${still.toFixed(1)} s, but the caller had ${this.#answers} answers meanwhile`;
  }

  #isSilent(time: number): boolean {
    return this.#flyingSince !== null && time - Math.max(this.#lastAt, this.#flyingSince) >= PATIENCE;
  }

  #moved(): void {
    this.#firstAt = null;
    this.#answers = 0;
    this.#frozen = false;
  }
}

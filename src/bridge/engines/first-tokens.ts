/**
 * First tokens of one engine over time: what was predicted and what came, the means of the requests whose first token came between
 * two observations.
 *
 * The last KEPT observations with a first token are kept. Times are those of the observations, so that the series stand beside the
 * figures of the same times.
 */
const KEPT = 3600;

/** Means over the requests whose first token came; `count` of them. */
export interface FirstTokenMeans {
  count: number;
  predictedSeconds: number;
  observedSeconds: number;
}

export class FirstTokens {
  readonly #past: ({ time: number } & FirstTokenMeans)[] = [];
  #sums = { count: 0, predictedSeconds: 0, observedSeconds: 0 };

  add(predictedSeconds: number, observedSeconds: number): void {
    this.#sums.count++;
    this.#sums.predictedSeconds += predictedSeconds;
    this.#sums.observedSeconds += observedSeconds;
  }

  /** Of the time before an observation; null where no first token came. */
  close(time: number): FirstTokenMeans | null {
    const { count, predictedSeconds, observedSeconds } = this.#sums;
    if (count === 0) return null;
    const means = { count, predictedSeconds: predictedSeconds / count, observedSeconds: observedSeconds / count };
    this.#past.push({ time, ...means });
    if (this.#past.length > KEPT) this.#past.shift();
    this.#sums = { count: 0, predictedSeconds: 0, observedSeconds: 0 };
    return means;
  }

  /** One value for each of these times, which rise; null where none came. */
  at(times: readonly number[]): Record<'predictedTtftSeconds' | 'observedTtftSeconds', (number | null)[]> {
    let next = 0;
    const found = times.map((time) => {
      while (next < this.#past.length && this.#past[next]!.time < time) next++;
      const past = this.#past[next];
      return past?.time === time ? past : null;
    });
    return {
      predictedTtftSeconds: found.map((past) => past?.predictedSeconds ?? null),
      observedTtftSeconds: found.map((past) => past?.observedSeconds ?? null),
    };
  }
}

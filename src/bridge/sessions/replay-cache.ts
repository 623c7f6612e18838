/** The last answer of each session, for retries: at most `maxBytes` in all, the oldest answers are dropped first. */
import type { Floats } from '../../native/index.js';

export interface LastAnswer {
  from: number;
  count: number;
  outputs: Floats;
}

export class ReplayCache {
  readonly #answers = new Map<object, LastAnswer>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  keep(session: object, answer: LastAnswer): void {
    this.drop(session);
    if (answer.outputs.byteLength > this.#maxBytes) return;
    this.#answers.set(session, answer);
    this.#bytes += answer.outputs.byteLength;
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.drop(oldest);
    }
  }

  drop(session: object): void {
    const answer = this.#answers.get(session);
    if (answer === undefined) return;
    this.#answers.delete(session);
    this.#bytes -= answer.outputs.byteLength;
  }

  /**
   * Outputs of rows [from, offset) of `width` elements, at most those below `end`; null where there are none, or where the last
   * answer does not hold all of them.
   */
  find(session: object, from: number, offset: number, width: number, end: number): Floats | null {
    const to = Math.min(offset, end);
    const answer = this.#answers.get(session);
    if (answer === undefined || from < answer.from || to > answer.from + answer.count || from >= to) return null;
    return answer.outputs.subarray((from - answer.from) * width, (to - answer.from) * width);
  }
}

/**
 * Room for outputs: those of one answer stay within a bound, and those of all requests under way within four times the largest.
 *
 * Room is taken before any row of an answer begins, for as many rows as were sent: where it is refused nothing is applied.
 */
import { BridgeError } from '../messages/index.js';
import type { StepsWork } from './steps-work.js';

const ANSWERS = 4;

export class AnswerRoom {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Returns what gives the room back. Errors: BridgeError `impossible` beyond `maxBytes` or the service's bound, `memory`. */
  take(works: readonly StepsWork[], maxBytes: number): () => void {
    const most = Math.min(maxBytes, this.#maxBytes);
    const bytes = works.reduce((sum, work) => sum + work.outputBytes, 0);
    if (bytes > most) throw tooMany(works, bytes, most);
    if (this.#bytes + bytes > ANSWERS * this.#maxBytes) {
      const text = `The outputs of the requests under way take ${this.#bytes} bytes: none are left for ${bytes} more`;
      throw new BridgeError('memory', text, { retryAfterSeconds: 1 });
    }
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
    };
  }
}

function tooMany(works: readonly StepsWork[], bytes: number, most: number): BridgeError {
  const widest = Math.max(...works.map(({ session }) => session.width));
  const rows = Math.floor(most / (8 * widest));
  const text =
    `Expected outputs of at most ${Math.floor(most / 8)} numbers in an answer but received rows for ${bytes / 8}: send at most ${rows} rows of ` +
    `${widest} columns, create the session with fewer columns (outputs), or ask for a frame, which holds more than JSON`;
  return new BridgeError('impossible', text, { details: { rows } });
}

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

  /** Returns what gives the room back. Errors: BridgeError `impossible` beyond `maxNumbers` or the bound of bytes, `memory`. */
  take(works: readonly StepsWork[], maxNumbers: number): () => void {
    const bytes = works.reduce((sum, work) => sum + work.outputBytes, 0);
    const numbers = works.reduce((sum, { rows, session }) => sum + rows.count * session.width, 0);
    if (bytes > this.#maxBytes || numbers > maxNumbers) throw this.#tooMany(works, numbers, maxNumbers);
    if (this.#bytes + bytes > ANSWERS * this.#maxBytes) {
      const text = `The outputs of the requests under way take ${this.#bytes} bytes: none are left for ${bytes} more`;
      throw new BridgeError('memory', text, { retryAfterSeconds: 1 });
    }
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
    };
  }

  #tooMany(works: readonly StepsWork[], numbers: number, maxNumbers: number): BridgeError {
    const width = Math.max(...works.map(({ session }) => session.width));
    const rowBytes = Math.max(...works.map(({ session }) => session.rowBytes));
    const rows = Math.floor(Math.min(this.#maxBytes / rowBytes, maxNumbers / width));
    const text =
      `Expected outputs of at most ${rows} rows of ${width} columns in an answer but received rows for ${numbers} numbers: send ` +
      'fewer rows, create the session with fewer columns (outputs), or ask for a frame, which holds more than JSON';
    return new BridgeError('impossible', text, { details: { rows } });
  }
}

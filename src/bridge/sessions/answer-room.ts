/**
 * Room for outputs: those of one answer stay within a bound, and those of all requests under way within four times the largest.
 *
 * Room is taken before any row of an answer begins, for as many rows as were sent: where it is refused nothing is applied. It is
 * given back when the answer has been sent, so that an answer whose client does not read it counts as well.
 */
import { BridgeError } from '../messages/index.js';
import type { StepsWork } from './steps-work.js';

const ANSWERS = 4;

/** How outputs are answered. */
export interface AnswerForm {
  /** Numbers of the outputs of one answer. Default no bound of their own. */
  maxNumbers?: number | undefined;
  /** Bytes of a number in the answer. Default those of the outputs' dtype. */
  numberBytes?: number | undefined;
  /** Settles when the answer has left or its connection is gone. Default: when the outputs are there. */
  sent?: Promise<unknown> | undefined;
}

export class AnswerRoom {
  readonly #maxBytes: number;
  readonly #clients = new Map<string, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Returns what gives the room back. Errors: BridgeError `impossible` beyond `maxNumbers` or the bound of bytes, `memory`. */
  take(works: readonly StepsWork[], form: AnswerForm): () => void {
    const { maxNumbers = Number.POSITIVE_INFINITY, numberBytes, sent } = form;
    const numbers = works.reduce((sum, { rows, session }) => sum + rows.count * session.width, 0);
    const plain = works.reduce((sum, work) => sum + work.outputBytes, 0);
    const bytes = numberBytes === undefined ? plain : Math.max(plain, numbers * numberBytes);
    if (bytes > this.#maxBytes || numbers > maxNumbers) throw this.#tooMany(works, numbers, form);
    return this.#hold(bytes, sent);
  }

  /** The same for an answer of one client, who may hold half of the room. Errors: BridgeError `memory`. */
  takeFor(client: string, bytes: number, sent: Promise<unknown> | undefined): () => void {
    const before = this.#clients.get(client) ?? 0;
    if (before + bytes > (ANSWERS * this.#maxBytes) / 2) {
      const text = `The answers of this client that are under way take ${before} bytes: read them before you ask for more`;
      throw new BridgeError('memory', text, { retryAfterSeconds: 1 });
    }
    const leave = this.#hold(bytes, undefined);
    this.#clients.set(client, before + bytes);
    return whenSent(sent, () => {
      leave();
      this.#forget(client, bytes);
    });
  }

  #hold(bytes: number, sent: Promise<unknown> | undefined): () => void {
    if (this.#bytes + bytes > ANSWERS * this.#maxBytes) {
      const text = `The outputs of the requests under way take ${this.#bytes} bytes: none are left for ${bytes} more`;
      throw new BridgeError('memory', text, { retryAfterSeconds: 1 });
    }
    this.#bytes += bytes;
    return whenSent(sent, () => {
      this.#bytes -= bytes;
    });
  }

  #forget(client: string, bytes: number): void {
    const left = (this.#clients.get(client) ?? 0) - bytes;
    if (left > 0) this.#clients.set(client, left);
    else this.#clients.delete(client);
  }

  #tooMany(works: readonly StepsWork[], numbers: number, form: AnswerForm): BridgeError {
    const { maxNumbers = Number.POSITIVE_INFINITY, numberBytes = 0 } = form;
    const width = Math.max(...works.map(({ session }) => session.width));
    const rowBytes = Math.max(...works.map(({ session }) => Math.max(session.rowBytes, session.width * numberBytes)));
    const rows = Math.floor(Math.min(this.#maxBytes / rowBytes, maxNumbers / width));
    const text =
      `Expected outputs of at most ${rows} rows of ${width} columns in an answer but received rows for ${numbers} numbers: send ` +
      'fewer rows, create the session with fewer columns (outputs), or ask for a frame, which holds more than JSON';
    return new BridgeError('impossible', text, { details: { rows } });
  }
}

function whenSent(sent: Promise<unknown> | undefined, leave: () => void): () => void {
  return sent === undefined ? leave : () => void sent.then(leave);
}

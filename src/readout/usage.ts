/** Guard of a trainer: throws while an asynchronous call uses the object, and once it is closed. */
import { DtesnError } from '../errors/index.js';

export class Usage {
  #busy = false;
  #closed = false;

  /** `object` for errors: 'Ridge'. */
  constructor(readonly object: string) {}

  check(): void {
    if (this.#closed) throw this.#closedError('but it was closed');
    if (this.#busy) {
      throw new DtesnError(
        'ERR_DTESN_BUSY',
        `Expected an idle ${this.object} but an asynchronous call is under way: await it first`,
      );
    }
  }

  /** Marks the object as busy during the work; rejects where it was closed meanwhile. */
  async during<R>(work: () => Promise<R>): Promise<R> {
    this.check();
    this.#busy = true;
    let result: R;
    try {
      result = await work();
    } finally {
      this.#busy = false;
    }
    if (this.#closed) throw this.#closedError('but it was closed while an asynchronous call was under way');
    return result;
  }

  close(): void {
    this.#closed = true;
  }

  #closedError(what: string): DtesnError {
    return new DtesnError('ERR_DTESN_CLOSED', `Expected an open ${this.object} ${what}`);
  }
}

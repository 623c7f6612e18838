/** Callers that wait until a record is durable. */
import { BridgeError } from '../messages/index.js';

interface Waiter {
  sequence: number;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

export class DurabilityWaiters {
  readonly #waiting = new Set<Waiter>();

  get size(): number {
    return this.#waiting.size;
  }

  wait(sequence: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const abort = () => settle(() => reject(signal?.reason));
      const settle = (end: () => void) => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener('abort', abort);
        end();
      };
      const waiter = {
        sequence,
        resolve: () => settle(resolve),
        reject: (reason: unknown) => settle(() => reject(reason)),
      };
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Resolves those whose record is durable; rejects the others where the disk fails. */
  settle(durable: number, failing: string | null): void {
    for (const waiter of [...this.#waiting]) {
      if (waiter.sequence <= durable) waiter.resolve();
      else if (failing !== null) waiter.reject(storageError(failing));
    }
  }
}

export function storageError(reason: string): BridgeError {
  return new BridgeError('storage', `The state directory takes no records: ${reason}`, { retryAfterSeconds: 5 });
}

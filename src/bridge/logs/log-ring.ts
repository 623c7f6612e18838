/**
 * A ring of bytes in shared memory, from the thread that logs to the one that writes. One thread puts, one takes.
 *
 *     header, 32-bit words     write, read    positions modulo 2^32; write - read = bytes that wait
 *                              signal         changes with every line and with the end
 *                              closed         1: the writer ends when nothing waits
 *                              dropped        lines that found no room or could not be written, modulo 2^32
 *     bytes                    whole lines, each with its line feed; `bytes` is a power of two
 *
 * A line is there in whole or not at all: `write` moves when all of it stands in the ring.
 */
import { systemClock } from '../../abort/index.js';

export const ringWords = { write: 0, read: 1, signal: 2, closed: 3, dropped: 4 } as const;
export const RING_HEADER_BYTES = 32;

export class LogRing {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;

  constructor(bytes: number) {
    this.shared = new SharedArrayBuffer(RING_HEADER_BYTES + bytes);
    this.#words = new Int32Array(this.shared, 0, RING_HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(this.shared, RING_HEADER_BYTES);
  }

  /** Lines that were lost so far. */
  get dropped(): number {
    return Atomics.load(this.#words, ringWords.dropped) >>> 0;
  }

  /** Bytes that wait to be written. */
  get waiting(): number {
    return (Atomics.load(this.#words, ringWords.write) - Atomics.load(this.#words, ringWords.read)) >>> 0;
  }

  /** False, and counted, where the line finds no room. */
  put(line: Uint8Array): boolean {
    const size = this.#bytes.length;
    if (line.length > size - this.waiting) {
      this.drop();
      return false;
    }
    const write = Atomics.load(this.#words, ringWords.write);
    const at = (write >>> 0) & (size - 1);
    const first = Math.min(line.length, size - at);
    this.#bytes.set(line.subarray(0, first), at);
    this.#bytes.set(line.subarray(first), 0);
    Atomics.store(this.#words, ringWords.write, (write + line.length) | 0);
    this.#signal();
    return true;
  }

  drop(): void {
    Atomics.add(this.#words, ringWords.dropped, 1);
  }

  close(): void {
    Atomics.store(this.#words, ringWords.closed, 1);
    this.#signal();
  }

  /** Blocks this thread until nothing waits, at most `ms`: for the way out of a process. */
  waitUntilWritten(ms: number): void {
    const deadline = systemClock.now() + ms;
    for (;;) {
      const read = Atomics.load(this.#words, ringWords.read);
      const left = deadline - systemClock.now();
      if (this.waiting === 0 || left <= 0) return;
      Atomics.wait(this.#words, ringWords.read, read, left);
    }
  }

  #signal(): void {
    Atomics.add(this.#words, ringWords.signal, 1);
    Atomics.notify(this.#words, ringWords.signal);
  }
}

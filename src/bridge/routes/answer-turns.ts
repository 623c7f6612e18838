/**
 * Answers of many numbers in JSON, one after the other, with a turn of the event loop before each: their text is made on the
 * JavaScript thread, about half a second for 2^20 numbers, and many of them may be due at the same time.
 */
import type { ServerResponse } from 'node:http';
import type { Answer } from '../http/index.js';

/** Bytes of a number in JSON, about: an f32 in 17 digits, its exponent or sign, and a comma. */
export const JSON_NUMBER_BYTES = 20;
/** Answers of fewer numbers take well below a millisecond, and wait for no other. */
const FEW_NUMBERS = 4096;

/** Of the one event loop of the thread. */
let last: Promise<unknown> = Promise.resolve();

/** The answer of what `message` makes. Errors: its own; the signal's reason for a caller that left before its turn. */
export function jsonInTurn(numbers: number, signal: AbortSignal, message: () => object): Answer | Promise<Answer> {
  if (numbers <= FEW_NUMBERS) return { json: message() };
  const made = last
    .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
    .then(() => {
      signal.throwIfAborted();
      return { text: JSON.stringify(message()), type: 'application/json' };
    });
  last = made.catch(() => {});
  return made;
}

/** Settles when a response has left or its connection is gone. */
export function sentOf(outgoing: ServerResponse): Promise<unknown> {
  return outgoing.closed ? Promise.resolve() : new Promise((resolve) => outgoing.once('close', resolve));
}

/**
 * Text that arrives in chunks cut anywhere, as whole characters: the bytes of a UTF-8 sequence or the halves of a surrogate
 * pair that a cut has parted are kept for the next chunk.
 *
 * Errors: BridgeError malformed for bytes that are not UTF-8, and for a text that ends within a character.
 */
import { BridgeError } from '../messages/index.js';

export class TextChunks {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** First half of a pair. */
  #half = '';
  /** Whether the last chunk was bytes, of which the decoder may keep some. */
  #bytes = false;

  /** The whole characters so far; '' where the chunk completes none. */
  next(chunk: string | Uint8Array): string {
    const text = this.#half + (typeof chunk === 'string' ? this.#endBytes() + chunk : this.#decode(chunk));
    const cut = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
    this.#half = text.slice(cut);
    return text.slice(0, cut);
  }

  /** What is left: '' or half of a pair, which is one character of its own. */
  end(): string {
    const rest = this.#half + this.#endBytes();
    this.#half = '';
    return rest;
  }

  #decode(chunk: Uint8Array): string {
    this.#bytes = true;
    return this.#attempt(() => this.#decoder.decode(chunk, { stream: true }));
  }

  #endBytes(): string {
    if (!this.#bytes) return '';
    this.#bytes = false;
    return this.#attempt(() => this.#decoder.decode());
  }

  #attempt(decode: () => string): string {
    try {
      return decode();
    } catch (cause) {
      throw new BridgeError('malformed', 'Expected UTF-8 for the text but its bytes are not', { cause });
    }
  }
}

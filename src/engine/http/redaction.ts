/**
 * Keeps the API key out of every text that came from outside: a proxy that echoes a request puts its headers into errors,
 * bodies and headers of its own.
 *
 *     plain     the key itself, after `Bearer`, `Basic` or nothing; percent-encoded; escaped as in JSON
 *     base64    of any text that holds the key, as `Basic` credentials are (user:key): a text has three encodings, by its
 *               position modulo 3; the whole base64 word goes
 *
 * What is redacted becomes [redacted]. Errors are always redacted. Of answers that are used, only keys of SHORTEST
 * characters or more are: a key such as "model" would be taken out of every body. Cost: linear in the text.
 */
import { EngineError, isEngineError } from '../engine-error.js';

const MARK = '[redacted]';
const SHORTEST = 8;

export class Redaction {
  readonly #plain: RegExp | null;
  readonly #encoded: readonly string[];
  /** What a body that is used is searched for. */
  readonly #needles: readonly Buffer[];

  constructor(key: string | undefined) {
    const plain = key === undefined ? [] : writings(key);
    this.#plain = key === undefined ? null : new RegExp(plain.map(escaped).join('|'), 'gi');
    this.#encoded = key === undefined ? [] : encodings(key);
    const isLong = key !== undefined && key.length >= SHORTEST;
    this.#needles = isLong ? [...plain, ...this.#encoded].map((part) => Buffer.from(part)) : [];
  }

  /** A text of a message. */
  text(text: string): string {
    if (this.#plain === null) return text;
    const holdsKey = (word: string) => this.#encoded.some((part) => word.includes(part));
    const words = text.replace(/[A-Za-z0-9+/_=-]+/g, (word) => (holdsKey(word) ? MARK : word));
    return words.replace(this.#plain, MARK);
  }

  /** A body that is used; the same bytes where it does not hold the key. */
  body(body: Uint8Array): Uint8Array {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (!this.#needles.some((needle) => bytes.includes(needle))) return body;
    return Buffer.from(this.text(bytes.toString('utf8')));
  }

  /** An error of the exchange; the same where it does not hold the key. */
  error(error: unknown): unknown {
    if (!isEngineError(error)) return error;
    const message = this.text(error.message);
    if (message === error.message) return error;
    const { code, status, retryAfterMs } = error;
    return new EngineError(code, message, { status, retryAfterMs });
  }
}

function writings(key: string): string[] {
  const json = JSON.stringify(key).slice(1, -1);
  return [...new Set([key, encodeURIComponent(key), json, json.replaceAll('/', '\\/')])];
}

/** What base64 makes of the key inside a longer text, without the characters that its neighbours change. */
function encodings(key: string): string[] {
  const bytes = Buffer.from(key);
  const parts = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const first = offset === 0 ? 0 : offset + 1;
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    const part = text.slice(first, last);
    return [part, part.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [...new Set(parts)].filter((part) => part.length >= 4);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

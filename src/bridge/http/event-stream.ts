/**
 * Server-sent events to one client, and to many: each event is serialised once, a client that reads too slowly is closed.
 *
 *     retry: random 1 to 10 s, so that clients do not come back at the same instant
 *     a comment every 15 s, so that proxies keep the connection
 *     a client that has over 256 KiB unread when the next event comes is closed: it comes back with its Last-Event-ID
 *
 * Source: WHATWG HTML, section 9.2, "Server-sent events".
 */
import type { ServerResponse } from 'node:http';
import { systemClock } from '../../abort/index.js';

const commentMs = 15_000;
const unreadMs = 30_000;
const mostUnreadBytes = 256 * 1024;

export class EventStream {
  readonly #outgoing: ServerResponse;
  #cancelComment = () => {};
  #unread = 0;

  /** `headers` are further ones of the answer. */
  constructor(outgoing: ServerResponse, headers: Record<string, string> = {}) {
    this.#outgoing = outgoing;
    outgoing.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      ...headers,
    });
    this.#comment();
    outgoing.once('close', () => this.#cancelComment());
    this.write(`retry: ${1000 + Math.floor(9000 * Math.random())}\n\n`);
  }

  get closed(): boolean {
    return this.#outgoing.destroyed || this.#outgoing.writableEnded;
  }

  /** Sends an event that is already text, or its bytes; false when the client was closed instead. */
  write(text: string | Uint8Array): boolean {
    if (this.closed) return false;
    if (this.#unread > mostUnreadBytes) {
      this.#outgoing.destroy();
      return false;
    }
    const bytes = Buffer.byteLength(text);
    this.#unread += bytes;
    this.#outgoing.write(text, () => {
      this.#unread -= bytes;
    });
    return true;
  }

  /** Resolves when the client has read what was sent; one that reads nothing for 30 s is closed. */
  async drained(): Promise<void> {
    if (this.closed || !this.#outgoing.writableNeedDrain) return;
    const cancel = systemClock.after(unreadMs, () => this.#outgoing.destroy());
    await new Promise<void>((resolve) => {
      const settle = () => {
        this.#outgoing.off('drain', settle).off('close', settle);
        resolve();
      };
      this.#outgoing.on('drain', settle).on('close', settle);
    });
    cancel();
  }

  end(text: string | Uint8Array = ''): void {
    this.#cancelComment();
    if (!this.closed) this.#outgoing.end(text);
  }

  #comment(): void {
    this.#cancelComment = systemClock.after(commentMs, () => {
      this.write(': still here\n\n');
      this.#comment();
    });
  }
}

/**
 * Bodies of requests, read within bounds: 1 MiB of JSON, 30 s for all of it, and a bound on the bytes of all bodies that are held
 * at the same time. What says its length is refused by the header, before a byte of it is read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { systemClock, withTimeLimit } from '../../abort/index.js';
import { BridgeError, MAX_FRAME_BYTES } from '../messages/index.js';

export const maxJsonBytes = 1024 * 1024;
const requestTimeoutMs = 30_000;

/** Bytes of the bodies in flight. */
export class BodyBudget {
  #most: number;
  readonly #tight: () => boolean;
  readonly #announced = new Map<string, number>();
  #held = 0;

  /** `tight` says whether the process has so little memory left that no new body is taken. */
  constructor(most: number, tight: () => boolean = () => false) {
    this.#most = most;
    this.#tight = tight;
  }

  /** Further bodies have another bound. */
  setMost(most: number): void {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** Takes bytes that have arrived from the budget; the function gives them back, once. */
  take(bytes: number): () => void {
    if (this.#tight() || this.#held + bytes > this.#most) {
      throw new BridgeError(
        'memory',
        'The bodies of the requests in flight use all the memory they may: try again later',
      );
    }
    this.#held += bytes;
    let isHeld = true;
    return () => {
      if (isHeld) this.#held -= bytes;
      isHeld = false;
    };
  }

  /** Takes bytes that a client has only announced, for which memory is allocated: one client may hold half of the budget so. */
  takeAnnounced(bytes: number, client: string): () => void {
    const share = (this.#announced.get(client) ?? 0) + bytes;
    if (share > this.#most / 2) {
      throw new BridgeError('memory', 'The frames of this client in flight use half of the memory: try again later');
    }
    const giveBack = this.take(bytes);
    this.#announced.set(client, share);
    return () => {
      giveBack();
      const left = (this.#announced.get(client) ?? 0) - bytes;
      if (left > 0) this.#announced.set(client, left);
      else this.#announced.delete(client);
    };
  }
}

/** Sends 100 Continue to a client that waits for it before its body. */
const continuing = new WeakMap<IncomingMessage, () => void>();

/** The client waits with its body for 100 Continue, which is sent when the body is read. */
export function expectContinue(incoming: IncomingMessage, outgoing: ServerResponse): void {
  continuing.set(incoming, () => outgoing.writeContinue());
}

/**
 * Takes the declared bytes of a frame from the budget until the answer has ended, and calls `late` where the frame is not there
 * whole within 30 s. Errors: BridgeError body_too_large, memory.
 */
export function holdFrame(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { budget, client }: { budget: BodyBudget; client: string },
  late: (error: BridgeError) => void,
): void {
  const giveBack = budget.takeAnnounced(declaredLength(incoming, MAX_FRAME_BYTES) ?? 0, client);
  const cancel = systemClock.after(requestTimeoutMs, () => {
    if (!incoming.complete) late(lateBody());
  });
  outgoing.once('close', () => {
    cancel();
    giveBack();
  });
}

/** The length that the header says; null for a chunked body. Beyond `most` it is refused. */
export function declaredLength(incoming: IncomingMessage, most: number): number | null {
  const text = incoming.headers['content-length'];
  if (text === undefined) return null;
  const length = Number(text);
  if (length > most) throw tooLarge(most);
  return length;
}

export function tooLarge(most: number): BridgeError {
  return new BridgeError('body_too_large', `Expected a body of at most ${most} bytes`);
}

/** The JSON of a body. Errors: BridgeError malformed, body_too_large, memory, request_timeout. */
export async function readJson(incoming: IncomingMessage, budget: BodyBudget): Promise<unknown> {
  declaredLength(incoming, maxJsonBytes);
  // What a client only announces takes no room from others: its bytes count as they arrive.
  const held = [budget.take(0)];
  let length = 0;
  const take = (bytes: number) => {
    length += bytes;
    if (length > maxJsonBytes) throw tooLarge(maxJsonBytes);
    held.push(budget.take(bytes));
  };
  // No one else takes the chunks meanwhile: a host's Request would turn them into a stream of its own.
  incoming.on('readable', nothing);
  try {
    // Most bodies come with their head and are parsed after it: whole by then, they take no time limit.
    await setImmediate();
    const whole = incoming.complete
      ? readWhole(incoming, take)
      : await withTimeLimit(requestTimeoutMs, lateBody, undefined, (signal) => readAll(incoming, signal, take));
    return parseJson(whole);
  } finally {
    incoming.off('readable', nothing);
    for (const giveBack of held) giveBack();
  }
}

const nothing = () => {};

const lateBody = () =>
  new BridgeError('request_timeout', `Expected the whole body within ${requestTimeoutMs / 1000} s`);

/** The body of a request that has arrived whole. */
function readWhole(incoming: IncomingMessage, take: (bytes: number) => void): Buffer {
  const whole = (incoming.read() as Buffer | null) ?? Buffer.alloc(0);
  take(whole.length);
  return whole;
}

async function readAll(incoming: IncomingMessage, signal: AbortSignal, take: (bytes: number) => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(incoming, signal)) {
    take(chunk.length);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** JSON in UTF-8. Errors: BridgeError malformed. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new BridgeError('malformed', 'Expected JSON in UTF-8 as the body', { cause });
  }
}

/**
 * The chunks of a body as they arrive. Where reading stops early the connection stays open, so that an error can still be
 * answered; the stream's own iterator would end it. Rejects with the signal's reason.
 */
export async function* chunksOf(incoming: IncomingMessage, signal: AbortSignal): AsyncIterable<Buffer> {
  continuing.get(incoming)?.();
  continuing.delete(incoming);
  for (;;) {
    signal.throwIfAborted();
    const chunk = incoming.read() as Buffer | null;
    if (chunk !== null) yield chunk;
    else if (incoming.readableEnded) return;
    else if (incoming.destroyed) throw new BridgeError('malformed', 'The client left before the end of its body');
    else await moreOf(incoming, signal);
  }
}

/** Resolves when there may be more to read, at the end, or when the signal aborts. */
function moreOf(incoming: IncomingMessage, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close', 'error'] as const;
    const settle = () => {
      for (const event of events) incoming.off(event, settle);
      signal.removeEventListener('abort', settle);
      resolve();
    };
    for (const event of events) incoming.on(event, settle);
    signal.addEventListener('abort', settle);
  });
}

/**
 * Calls to code of others: a listener that throws, or whose promise rejects, stops neither its caller nor the other listeners.
 *
 *     const errors = new ListenerErrors((error, event) => log.warn(event, error));
 *     emit(emitter, errors, 'state', now, before);
 *
 * The first error of each listener is reported once; later ones of the same listener are not, for a watch would repeat
 * them every second. Without a handler the report is a process warning (code DTESN_LISTENER), and so is the error of a
 * handler that throws itself. A report never throws.
 */
import type { EventEmitter } from 'node:events';

/**
 * Receives the error of a listener that threw or rejected, and the name of its event; the first error of each listener
 * only.
 */
export type ListenerErrorHandler = (error: unknown, event: string) => void;

// biome-ignore lint/suspicious/noExplicitAny: listeners take what their event carries
type Listener = (...args: any[]) => unknown;

export class ListenerErrors {
  readonly #handle: ListenerErrorHandler | undefined;
  readonly #reported = new WeakSet<Listener>();

  constructor(handle?: ListenerErrorHandler) {
    this.#handle = handle;
  }

  /** Calls a listener; the promise settles when what it returns does, and never rejects. */
  async call(listener: Listener, event: string, args: readonly unknown[], receiver?: unknown): Promise<void> {
    try {
      await Reflect.apply(listener, receiver, args);
    } catch (error) {
      this.#report(listener, event, error);
    }
  }

  #report(listener: Listener, event: string, error: unknown): void {
    if (this.#reported.has(listener)) return;
    this.#reported.add(listener);
    try {
      if (this.#handle === undefined) warn(event, error);
      else this.#handle(error, event);
    } catch (own) {
      warn(event, error);
      warn('listener error', own);
    }
  }
}

/** As `emitter.emit`, for each listener on its own; the listeners begin in their order, before this returns. */
export function emit(emitter: EventEmitter, errors: ListenerErrors, event: string, ...args: unknown[]): void {
  for (const listener of emitter.rawListeners(event)) {
    void errors.call(listener as Listener, event, args, emitter);
  }
}

function warn(event: string, error: unknown): void {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`A listener of ${event} threw: ${why}`, { type: 'DtesnWarning', code: 'DTESN_LISTENER' });
}

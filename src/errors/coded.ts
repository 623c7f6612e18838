/** Errors with a code: name is that of the class, text and stack begin with both. */
import type { DtesnErrorCode } from './codes.js';

/** `TypeError [ERR_DTESN_SHAPE]: ...` */
export function textOf({ name, message }: Error, code: DtesnErrorCode): string {
  return `${name} [${code}]: ${message}`;
}

/** The stack takes its first line when it is read first: until then the name has the code. */
export function showCode(error: Error, code: DtesnErrorCode): void {
  Object.defineProperty(error, 'name', { value: `${error.name} [${code}]`, configurable: true });
  void error.stack;
  delete (error as { name?: string }).name;
}

export type Coded<E extends Error> = E & { code: DtesnErrorCode };

export function coded<E extends Error>(error: E, code: DtesnErrorCode): Coded<E> {
  showCode(error, code);
  Object.defineProperty(error, 'toString', { value: () => textOf(error, code), configurable: true, writable: true });
  return Object.assign(error, { code });
}

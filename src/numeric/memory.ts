/** Rejects sizes beyond the available memory, before the system ends the process for using too much. */
import { DtesnError } from '../errors/index.js';

export function checkMemory(bytes: number, purpose: string): void {
  const available = process.availableMemory();
  if (bytes > available) {
    const gib = (n: number) => `${(n / 2 ** 30).toFixed(1)} GiB`;
    throw new DtesnError(
      'ERR_DTESN_MEMORY',
      `Expected ${purpose} to fit in the ${gib(available)} of available memory but it takes ${gib(bytes)}`,
    );
  }
}

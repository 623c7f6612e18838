/** Files of ../shared, which a checkout may lack: tests that need them say so and are skipped. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const shared = path.resolve(import.meta.dirname, '../../shared');

/** The text of a file below ../shared; null where it is missing. */
export function sharedText(name: string): string | null {
  const file = path.join(shared, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/** What stands before a test's name where a file is missing. */
export const skipped = (...texts: (string | null)[]): string =>
  texts.includes(null) ? 'skipped: ../shared is missing: ' : '';

/** The path of a file of this package, from its root. */
import { fileURLToPath } from 'node:url';

export function packageFile(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}

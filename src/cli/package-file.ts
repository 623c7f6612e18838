/** The path of a file of this package, from its root. */
import path from 'node:path';
import { packageRoot } from '../native/index.js';

export function packageFile(name: string): string {
  return path.join(packageRoot(), name);
}

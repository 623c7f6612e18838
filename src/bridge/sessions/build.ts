/** Version of dtesn and instruction set in use: states are equal to the bit for the same two. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { native } from '../../native/index.js';

export async function thisBuild(): Promise<string> {
  const packageFile = path.join(import.meta.dirname, '../../../package.json');
  const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string };
  return `${version} ${native.isa}`;
}

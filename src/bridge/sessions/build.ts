/** Version of dtesn and instruction set in use: states are equal to the bit for the same two. */
import { readFile } from 'node:fs/promises';
import { native } from '../../native/index.js';

const packageFile = new URL('../../../package.json', import.meta.url);

export async function thisBuild(): Promise<string> {
  const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string };
  return `${version} ${native.isa}`;
}

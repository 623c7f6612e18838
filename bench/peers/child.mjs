/** A peer that is a program of its own and prints its times as JSON. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One thread, whatever linear algebra the program brings. */
const oneThread = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

export async function askChild(command, args, environment = {}) {
  const { stdout } = await promisify(execFile)(command, args, {
    env: { ...process.env, ...oneThread, ...environment },
  });
  return JSON.parse(stdout);
}

/** What the programs that step a network are given: seconds, then UNITSxSERIES for each shape. */
export function stepArguments(shapes, seconds) {
  return [String(seconds), ...shapes.map(({ units, series }) => `${units}x${series}`)];
}

/** A peer that is a program of its own: it gets seconds and shapes (UNITSxSERIES) and prints microseconds as JSON. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One thread, whatever linear algebra the program brings. */
const oneThread = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

export async function askChild(command, args, shapes, seconds, environment = {}) {
  const all = [...args, String(seconds), ...shapes.map(({ units, series }) => `${units}x${series}`)];
  const { stdout } = await promisify(execFile)(command, all, { env: { ...process.env, ...oneThread, ...environment } });
  return JSON.parse(stdout);
}

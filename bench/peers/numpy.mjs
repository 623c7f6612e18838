/** numpy on one thread, where python3 has it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { askChild, stepArguments } from './child.mjs';

export const name = 'numpy';
export const missing =
  spawnSync('python3', ['-c', 'import numpy']).status === 0 ? undefined : 'python3 with numpy is not installed';

const script = path.join(import.meta.dirname, 'esn_numpy.py');
const training = path.join(import.meta.dirname, 'train_numpy.py');

export const measure = (shapes, seconds) => askChild('python3', [script, ...stepArguments(shapes, seconds)]);

/** { fits: milliseconds, updates: microseconds } for each size, or undefined where there is no numpy. */
export async function askNumpyToTrain(seconds, steps, sizes) {
  if (missing !== undefined) return undefined;
  return askChild('python3', [training, String(seconds), String(steps), ...sizes.map(String)]);
}

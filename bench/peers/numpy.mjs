/** numpy on one thread, where python3 has it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { askChild } from './child.mjs';

export const name = 'numpy';
export const missing =
  spawnSync('python3', ['-c', 'import numpy']).status === 0 ? undefined : 'python3 with numpy is not installed';

const script = path.join(import.meta.dirname, 'esn_numpy.py');

export const measure = (shapes, seconds) => askChild('python3', [script], shapes, seconds);

/**
 * OpenBLAS on one thread through a small program, compiled here where g++ and libopenblas are installed.
 *
 * An OpenBLAS older than the CPU may not know it and fall back to SSE: it is told the kernels of our own instruction set,
 * unless OPENBLAS_CORETYPE says otherwise.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { native } from '../../dist/index.js';
import { askChild, stepArguments } from './child.mjs';

const coreTypes = { avx512: 'SKYLAKEX', avx2: 'HASWELL', sse2: 'PRESCOTT' };
const coreType = process.env.OPENBLAS_CORETYPE ?? coreTypes[native.isa];
const source = path.join(import.meta.dirname, 'esn_openblas.cc');
const program = path.resolve(import.meta.dirname, '../../build/bench/esn_openblas');

export const name = 'OpenBLAS';
export const missing = isBuilt() ? undefined : 'g++ or libopenblas is not installed';

export const measure = (shapes, seconds) =>
  askChild(program, stepArguments(shapes, seconds), coreType && { OPENBLAS_CORETYPE: coreType });

function isBuilt() {
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return true;
  mkdirSync(path.dirname(program), { recursive: true });
  const flags = ['-std=c++17', '-Ofast', '-march=native', source, '-o', program, '-lopenblas'];
  return spawnSync('g++', flags).status === 0;
}

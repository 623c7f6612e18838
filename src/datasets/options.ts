/** Parts of the options that data sets share. */
import { z } from 'zod';
import { checkWhole } from '../errors/index.js';
import { checkMemory } from '../numeric/index.js';

/** A finite number with a default. */
export function number(fallback: number) {
  return z.number().default(fallback).describe('a finite number');
}

/** A number above 0 with a default. */
export function positive(fallback: number) {
  return z.number().gt(0).default(fallback).describe('a number above 0');
}

/** A seed, as of networks. */
export function seed() {
  return z.int().min(0).default(0).describe('a whole number from 0 to 9007199254740991');
}

/** Rows that are computed and left out before the first one. */
export function discard() {
  return z.int().min(0).default(0).describe('a whole number of rows, 0 or more');
}

/** Coordinates of a start. */
export function point(fallback: readonly number[]) {
  return z
    .array(z.number())
    .length(fallback.length)
    .default([...fallback])
    .describe(`an array of ${fallback.length} finite numbers`);
}

/** The number of rows of a data set, which memory must hold. */
export function checkSteps(steps: unknown, columns: number): number {
  const checked = checkWhole(steps, 'steps', 1);
  checkMemory(8 * checked * columns, `a series of ${checked} steps with ${columns} features`);
  return checked;
}

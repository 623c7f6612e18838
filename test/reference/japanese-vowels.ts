/** The vowels of UCI: 12 LPC coefficients a frame, nine speakers. Null where the files are missing. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Matrix, matrix } from '../../src/index.js';

export interface Utterances {
  series: Matrix[];
  labels: string[];
}

const pathOf = (part: string) =>
  fileURLToPath(new URL(`../../../shared/data/japanese-vowels.${part}`, import.meta.url));

/** The utterances of each speaker, one after the other; rows of ones stand between them. */
export function vowels(part: 'train' | 'test'): Utterances | null {
  if (!existsSync(pathOf(part))) return null;
  const counts = part === 'train' ? Array<number>(9).fill(30) : [31, 35, 88, 44, 29, 24, 40, 50, 29];
  const all: number[][][] = [[]];
  for (const line of readFileSync(pathOf(part), 'utf8').split('\n')) {
    const row = line.trim().split(/\s+/).filter(Boolean).map(Number);
    if (row.length > 0 && !row.every((value) => value === 1)) all.at(-1)!.push(row);
    else if (all.at(-1)!.length > 0) all.push([]);
  }
  const series = all.filter((rows) => rows.length > 0).map((rows) => matrix(rows.length, 12, rows));
  return { series, labels: counts.flatMap((count, i) => Array<string>(count).fill(`speaker ${i + 1}`)) };
}

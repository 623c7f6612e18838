/** Series in files: CSV, .npy and .ts, with the names of their columns. */
import { readFile } from 'node:fs/promises';
import { parseNpy, parseTs, seriesOfNpy } from '../datasets/index.js';
import { type Matrix, matrix } from '../numeric/index.js';
import { readText, requireFile } from './files.js';
import { NamedError } from './named-error.js';

/** A series whose columns have names: those of the file, or their numbers. */
export interface NamedSeries {
  names: string[];
  series: Matrix;
}

/** Series with labels; null where the file has none. */
export interface ClassifiedSeries {
  series: Matrix[];
  labels: string[];
}

export async function readNamedSeries(file: string): Promise<NamedSeries> {
  if (!file.endsWith('.npy')) return seriesOfTable(file, tableOf(await readText(file, 'the series')));
  const [series, ...more] = await readArray(file);
  if (more.length > 0) throw dataError(file, 'has more than one series: an array of steps x columns is expected');
  return { names: Array.from({ length: series!.cols }, (_, i) => String(i)), series: series! };
}

export async function readClassifiedSeries(file: string): Promise<ClassifiedSeries> {
  const text = await readText(file, 'the series');
  if (file.endsWith('.ts')) {
    const { series, labels, missing } = await Promise.resolve(text)
      .then(parseTs)
      .catch((error: Error) => {
        throw dataError(file, `is no .ts file: ${error.message}`);
      });
    if (labels === null) throw dataError(file, 'has no labels');
    if (missing > 0) throw dataError(file, `has ${missing} unknown values`);
    return { series, labels };
  }
  const rows = tableOf(text);
  if (rows.length > 0 && Number.isNaN(Number(rows[0]![0] || 'none'))) rows.shift();
  if (rows.length === 0) throw dataError(file, 'has no series');
  const series = rows.map((row, i) => {
    const values = row.slice(0, -1);
    // Shorter series are filled up with empty cells.
    while (values.at(-1) === '') values.pop();
    if (values.length === 0) throw dataError(file, `has no numbers in series ${i + 1}`);
    return matrix(
      values.length,
      1,
      Float64Array.from(values, (cell, k) => numberOf(file, cell, i + 1, String(k), false)),
    );
  });
  return { series, labels: rows.map((row) => row.at(-1)!) };
}

async function readArray(file: string): Promise<Matrix[]> {
  await requireFile(file, 'the series');
  try {
    return seriesOfNpy(parseNpy(await readFile(file)));
  } catch (error) {
    throw dataError(file, `cannot be read: ${(error as Error).message}`);
  }
}

/** Cells apart by commas, semicolons or tabs; empty lines and quotes around a cell are left out. */
function tableOf(text: string): string[][] {
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  const [first = ''] = lines;
  const delimiter = [',', ';', '\t'].find((one) => first.includes(one)) ?? ',';
  return lines.map((line) => line.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')));
}

function seriesOfTable(file: string, rows: string[][]): NamedSeries {
  const [first] = rows;
  if (first === undefined) throw dataError(file, 'has no rows');
  const isNamed = first.some((cell) => cell !== '' && Number.isNaN(Number(cell)) && cell.toLowerCase() !== 'nan');
  const names = isNamed ? first : first.map((_, i) => String(i));
  const values = isNamed ? rows.slice(1) : rows;
  if (values.length === 0) throw dataError(file, 'has names and no rows');
  const cols = names.length;
  const data = new Float64Array(values.length * cols);
  values.forEach((row, i) => {
    const place = i + (isNamed ? 2 : 1);
    if (row.length !== cols) throw dataError(file, `has ${row.length} cells in row ${place}, and ${cols} in the first`);
    row.forEach((cell, k) => {
      data[i * cols + k] = numberOf(file, cell, place, names[k]!, true);
    });
  });
  return { names, series: matrix(values.length, cols, data) };
}

/** An empty cell, and NaN, is an unknown value where there may be one. */
function numberOf(file: string, cell: string, row: number, column: string, mayBeUnknown: boolean): number {
  const isUnknown = cell === '' || cell.toLowerCase() === 'nan';
  if (isUnknown && mayBeUnknown) return Number.NaN;
  const value = Number(cell);
  if (!isUnknown && Number.isFinite(value)) return value;
  throw dataError(
    file,
    `has ${JSON.stringify(cell.slice(0, 40))} in row ${row}, column ${column}, where a number is expected`,
  );
}

export function dataError(file: string, what: string): NamedError {
  return new NamedError(`${file} ${what}`, 'ERR_DTESN_DATA');
}

/** Data files of the UCR and UEA archives (`.ts`). */
import { argumentError, DtesnError } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';

/** What a `.ts` file holds. */
export interface TsFile {
  /** @problemName; null where the file has none. */
  readonly name: string | null;
  /** The series, each steps x features; they may differ in steps. */
  readonly series: Matrix64[];
  /** The class of each series; null where the file has none. */
  readonly labels: string[] | null;
  /** The classes in the order of the header; null where the file has none. */
  readonly classes: string[] | null;
  /** The number to predict for each series (@targetLabel); null where the file has none. */
  readonly targets: Float64Array | null;
  /** How many values are unknown (`?`): they are NaN in `series`. */
  readonly missing: number;
}

/**
 * The series and labels of a `.ts` file, by which the UCR and UEA archives publish series to classify.
 *
 *     @problemName Two            header: names and switches
 *     @classLabel true a b
 *     @data
 *     1,2,3:4,5,6:a               a series: its features apart by colons, steps by commas, the label last
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT for anything but a string; DtesnError ERR_DTESN_DATA, which names the line, for a text that is
 * not in this form, or has time stamps.
 * Source: Bagnall et al. (2018), "The UEA multivariate time series classification archive", arXiv 1811.00075; Löning et al. (2019), sktime.
 */
export function parseTs(text: string): TsFile {
  if (typeof text !== 'string') throw argumentError('the text of a .ts file', 'text', text);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const start = lines.findIndex((line) => line.toLowerCase() === '@data');
  if (start < 0) throw dataError('a line @data', 'none');
  const header = headerOf(lines.slice(0, start));
  const rows = lines.map((line, i) => ({ line, number: i + 1 })).slice(start + 1);
  const cases = rows.filter(({ line }) => isContent(line)).map(({ line, number }) => caseOf(line, number, header));
  return {
    name: header.name,
    series: cases.map(({ series }) => series),
    labels: header.classes === null ? null : cases.map(({ label }) => label),
    classes: header.classes,
    targets: header.isRegression ? Float64Array.from(cases, ({ label }, i) => target(label, i)) : null,
    missing: cases.reduce((sum, { missing }) => sum + missing, 0),
  };
}

const isContent = (line: string) => line !== '' && !line.startsWith('#');

interface Header {
  name: string | null;
  classes: string[] | null;
  isRegression: boolean;
  features: number | null;
}

function headerOf(lines: readonly string[]): Header {
  const fields = new Map<string, string[]>();
  lines.forEach((line, i) => {
    if (!isContent(line)) return;
    const [key = '', ...values] = line.split(/\s+/);
    if (!key.startsWith('@')) throw dataError(`a header line that begins with @ on line ${i + 1}`, line);
    fields.set(key.toLowerCase(), values);
  });
  const isTrue = (key: string) => fields.get(key)?.[0]?.toLowerCase() === 'true';
  if (isTrue('@timestamps')) throw dataError('a file without time stamps', '@timeStamps true');
  const dimensions = Number(fields.get('@dimensions')?.[0] ?? fields.get('@dimension')?.[0] ?? Number.NaN);
  return {
    name: fields.get('@problemname')?.join(' ') ?? null,
    classes: isTrue('@classlabel') ? fields.get('@classlabel')!.slice(1) : null,
    isRegression: isTrue('@targetlabel'),
    features: isTrue('@univariate') ? 1 : Number.isInteger(dimensions) ? dimensions : null,
  };
}

interface Case {
  series: Matrix64;
  label: string;
  missing: number;
}

function caseOf(line: string, number: number, { classes, isRegression, features }: Header): Case {
  const parts = line.split(':').map((part) => part.trim());
  const label = classes !== null || isRegression ? parts.pop()! : '';
  if (classes !== null && !classes.includes(label)) {
    throw dataError(`one of the classes ${classes.join(', ')} at the end of line ${number}`, label);
  }
  if (parts.length !== (features ?? parts.length) || parts.length === 0) {
    throw dataError(`${features ?? 1} features on line ${number}`, `${parts.length}`);
  }
  const columns = parts.map((part) => part.split(','));
  const steps = columns[0]!.length;
  const data = new Float64Array(steps * columns.length);
  let missing = 0;
  columns.forEach((column, k) => {
    if (column.length !== steps)
      throw dataError(`${steps} steps in each feature of line ${number}`, `${column.length}`);
    column.forEach((cell, t) => {
      const value = numberOf(cell.trim(), number);
      if (Number.isNaN(value)) missing++;
      data[t * columns.length + k] = value;
    });
  });
  return { series: { rows: steps, cols: columns.length, data }, label, missing };
}

function numberOf(cell: string, line: number): number {
  if (cell === '?' || cell.toLowerCase() === 'nan') return Number.NaN;
  const value = Number(cell);
  if (cell === '' || !Number.isFinite(value)) throw dataError(`numbers or ? on line ${line}`, cell);
  return value;
}

function target(label: string, i: number): number {
  const value = Number(label);
  if (label === '' || !Number.isFinite(value)) throw dataError(`a number at the end of series ${i}`, label);
  return value;
}

/** A text that is not in its format. */
export function dataError(expected: string, received: string): DtesnError {
  const came = received.length > 40 ? `${received.slice(0, 40)}…` : received;
  return new DtesnError('ERR_DTESN_DATA', `Expected ${expected} but received ${came === '' ? 'nothing' : came}`);
}

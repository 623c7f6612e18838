/**
 * The file of a search: a line of JSON that says which search it is, then one for each finished evaluation, appended when it ends.
 *
 * A process that is killed leaves a torn last line at most, which is cut off; everything else is read again and not evaluated again.
 * One process at a time writes a file.
 *
 * Errors: DtesnError ERR_DTESN_DATA for a file of another search or with a line that is not one of its own.
 */
import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { DtesnError } from '../errors/index.js';

/** One finished evaluation. */
export interface Evaluation {
  candidate: number;
  rung: number;
  seed: number;
  /** null where it failed; of several variants the least. */
  score: number | null;
  /** The score of each variant, where there are several. */
  variants?: readonly (number | null)[];
  error: string | null;
  milliseconds: number;
}

const keys = ['candidate', 'rung', 'seed', 'score', 'error', 'milliseconds'];

export class SearchFile {
  readonly #descriptor: number;
  /** What the file held when it was opened. */
  readonly done: readonly Evaluation[];

  /** `identity` is what makes a search this one: plain data. */
  constructor(path: string, identity: object) {
    const header = JSON.stringify({ dtesn: 'search', version: 1, ...identity });
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const kept = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...lines] = kept.split('\n').slice(0, -1);
    if (first !== undefined && first !== header) throw otherSearch(path, first, header);
    this.done = lines.map((line, i) => read(path, line, i + 2));
    if (kept.length < text.length) truncateSync(path, Buffer.byteLength(kept));
    this.#descriptor = openSync(path, 'a');
    if (first === undefined) this.#append(header);
  }

  add(evaluation: Evaluation): void {
    this.#append(JSON.stringify(evaluation));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #append(line: string): void {
    writeSync(this.#descriptor, `${line}\n`);
  }
}

function read(path: string, line: string, number: number): Evaluation {
  try {
    const evaluation = JSON.parse(line) as Evaluation;
    if (keys.every((key) => key in evaluation)) return evaluation;
  } catch (cause) {
    throw new DtesnError('ERR_DTESN_DATA', `Expected an evaluation on line ${number} of ${path}`, { cause });
  }
  throw new DtesnError('ERR_DTESN_DATA', `Expected an evaluation on line ${number} of ${path}`);
}

function otherSearch(path: string, found: string, wanted: string): DtesnError {
  const parts = (text: string): Record<string, unknown> => {
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch {
      return {};
    }
  };
  const [is, should] = [parts(found), parts(wanted)];
  const differs = Object.keys(should).filter((key) => JSON.stringify(is[key]) !== JSON.stringify(should[key]));
  const what = is['dtesn'] === 'search' ? `it has another ${differs.join(' and ')}` : 'it is no file of a search';
  return new DtesnError('ERR_DTESN_DATA', `Expected ${path} to be the file of this search but ${what}`);
}

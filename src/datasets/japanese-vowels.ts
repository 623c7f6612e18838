/** The Japanese vowels of the UCI repository. */
import { argumentError, checkWhole } from '../errors/index.js';
import type { Matrix64 } from '../numeric/index.js';
import { dataError } from './ts-file.js';

/** Series and the label of each. */
export interface LabelledSeries<Label> {
  /** The series, each steps x features; they differ in steps. */
  readonly series: Matrix64[];
  /** One for each series. */
  readonly labels: Label[];
}

const FEATURES = 12;
/** Utterances of each speaker in the two files of the repository. */
const published = [new Array<number>(9).fill(30), [31, 35, 88, 44, 29, 24, 40, 50, 29]];

/**
 * The utterances of `ae.train` or `ae.test`: nine speakers say two vowels, 12 LPC cepstrum coefficients a step, 7 to 29 steps.
 *
 * Utterances stand apart by an empty line or by a row of ones; speakers follow each other, `utterances` of each. Labels are 0 to 8.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong argument; DtesnError ERR_DTESN_DATA for another text, or one whose
 * utterances are not as many as `utterances` says (default: the counts of the two published files).
 * Source: Kudo, Toyama & Shimbo (1999), "Multidimensional curve classification using passing-through regions", Pattern Recognition
 * Letters 20; https://archive.ics.uci.edu/dataset/128/japanese+vowels, CC-BY 4.0.
 */
export function parseJapaneseVowels(text: string, utterances?: readonly number[]): LabelledSeries<number> {
  if (typeof text !== 'string') throw argumentError('the text of ae.train or ae.test', 'text', text);
  utterances?.forEach((count, i) => {
    checkWhole(count, `utterances (element ${i})`, 0);
  });
  const series = blocksOf(text);
  const counts = (utterances === undefined ? published : [utterances]).find(
    (each) => each.reduce((sum, count) => sum + count, 0) === series.length,
  );
  if (counts === undefined) {
    throw dataError(
      utterances === undefined ? '270 or 370 utterances' : 'as many utterances as speakers have',
      `${series.length}`,
    );
  }
  return { series, labels: counts.flatMap((count, speaker) => new Array<number>(count).fill(speaker)) };
}

function blocksOf(text: string): Matrix64[] {
  const blocks: Matrix64[] = [];
  let rows: number[] = [];
  const close = () => {
    if (rows.length > 0) {
      blocks.push({ rows: rows.length / FEATURES, cols: FEATURES, data: Float64Array.from(rows) });
    }
    rows = [];
  };
  text.split('\n').forEach((line, i) => {
    const cells = line.trim() === '' ? [] : line.trim().split(/\s+/).map(Number);
    if (cells.every((cell) => cell === 1)) {
      close();
    } else if (cells.length !== FEATURES || !cells.every(Number.isFinite)) {
      throw dataError(`${FEATURES} numbers on line ${i + 1}`, line.trim());
    } else {
      rows.push(...cells);
    }
  });
  close();
  return blocks;
}

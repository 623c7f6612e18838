/** Labels of series: their classes, what a readout learns of them, and how many of them are predicted. */
import { shapeError } from '../errors/index.js';
import { type Matrix, matrix } from '../numeric/index.js';

/** A label: anything that is the same value for each series of its class. */
export type Label = string | number | boolean | bigint;

/** The classes in the order in which they came first, and that of each series. */
export interface Classes {
  labels: Label[];
  /** For each series the place of its class in `labels`. */
  places: number[];
}

/** NaN is a label as any other. Errors: ERR_DTESN_SHAPE for fewer than two classes. */
export function classesOf(labels: readonly Label[]): Classes {
  const found = new Map<Label, number>();
  const places = labels.map((label) => {
    const place = found.get(label) ?? found.size;
    found.set(label, place);
    return place;
  });
  if (found.size < 2) throw shapeError('labels of at least 2 classes', found.size);
  return { labels: [...found.keys()], places };
}

/** 1 for the own class, 0 for the others: series x classes. */
export function targetsOf(places: readonly number[], classes: number): Matrix {
  const data = new Float64Array(places.length * classes);
  for (const [i, place] of places.entries()) data[i * classes + place] = 1;
  return matrix(places.length, classes, data);
}

/** The fold of each series: those of each class go to the folds in turn, so that every other fold has the class too. */
export function stratifiedFolds(places: readonly number[], folds: number): number[] {
  const counts: number[] = [];
  return places.map((place) => {
    const before = counts[place] ?? 0;
    counts[place] = before + 1;
    return before % folds;
  });
}

/** Share of the labels that are predicted. */
export function accuracyOf(predicted: readonly Label[], labels: readonly Label[]): number {
  const isSame = (a: Label, b: Label) => a === b || (Number.isNaN(a) && Number.isNaN(b));
  return predicted.filter((label, i) => isSame(label, labels[i]!)).length / predicted.length;
}

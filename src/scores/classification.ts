/** Scores of predicted classes. */
import { rangeError, shapeError } from '../errors/index.js';
import { type Matrix, matrix } from '../numeric/index.js';

/** What names a class: strings, numbers or booleans, compared by ===. */
export type Label = string | number | boolean;

/** Share of labels that are predicted rightly. Errors: RangeError ERR_DTESN_SHAPE for lists of different lengths, or none. */
export function accuracy<L extends Label>(labels: readonly L[], predicted: readonly L[]): number {
  checkLabels(labels, predicted);
  return labels.filter((label, i) => label === predicted[i]).length / labels.length;
}

/** Counts of what was predicted for each class. */
export interface Confusion<L extends Label> {
  /** The classes, ascending. */
  readonly classes: readonly L[];
  /** Row i, column k: how often class i was predicted as class k. */
  readonly counts: Matrix;
  /** Share of each class that was predicted rightly; null for a class that never comes. */
  readonly recall: readonly (number | null)[];
  /** Share of the predictions of each class that were right; null for a class that is never predicted. */
  readonly precision: readonly (number | null)[];
}

/**
 * The confusion matrix of predicted labels, with recall and precision of each class.
 *
 * Errors: RangeError ERR_DTESN_SHAPE for lists of different lengths, or none.
 */
export function confusion<L extends Label>(labels: readonly L[], predicted: readonly L[]): Confusion<L> {
  checkLabels(labels, predicted);
  const classes = [...new Set([...labels, ...predicted])].sort((a, b) => (a < b ? -1 : 1));
  const place = new Map(classes.map((label, i) => [label, i]));
  const n = classes.length;
  const counts = matrix(n, n, new Float64Array(n * n));
  labels.forEach((label, i) => {
    counts.data[place.get(label)! * n + place.get(predicted[i]!)!]! += 1;
  });
  const share = (right: number, all: number) => (all === 0 ? null : right / all);
  const at = (i: number, k: number) => counts.data[i * n + k]!;
  const sum = (value: (k: number) => number) => classes.reduce((total, _, k) => total + value(k), 0);
  return {
    classes,
    counts,
    recall: classes.map((_, i) =>
      share(
        at(i, i),
        sum((k) => at(i, k)),
      ),
    ),
    precision: classes.map((_, i) =>
      share(
        at(i, i),
        sum((k) => at(k, i)),
      ),
    ),
  };
}

function checkLabels(labels: readonly unknown[], predicted: readonly unknown[]): void {
  if (labels.length === 0) throw rangeError('at least one label', 'labels', 0);
  if (predicted.length !== labels.length) {
    throw shapeError(`predicted with ${labels.length} elements (as labels)`, predicted.length);
  }
}

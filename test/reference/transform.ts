/**
 * Transform programs in plain TypeScript: the textbook formula of each operation on rows of numbers, in f64, with new
 * arrays everywhere. Written from the laws in src/pipeline/program-operations.ts.
 */
import type { TransformOp } from '../../src/transform/index.js';
import { philoxWord, toSymmetric } from './philox.js';

type Rows = number[][];

export function referenceProgram(ops: readonly TransformOp[], rows: Rows): Rows {
  return ops.reduce(apply, rows);
}

function apply(rows: Rows, op: TransformOp): Rows {
  const each = (f: (x: number) => number) => rows.map((row) => row.map(f));
  switch (op.op) {
    case 'truncate':
      return op.keep === 'last' ? rows.slice(Math.max(0, rows.length - op.steps)) : rows.slice(0, op.steps);
    case 'pad': {
      const missing = Math.max(0, op.steps - rows.length);
      return [...rows, ...Array.from({ length: missing }, () => rows[0]!.map(() => op.value))];
    }
    case 'clip':
      return each((x) => Math.min(Math.max(x, op.min), op.max));
    case 'scale':
      return each((x) => x * op.factor + op.offset);
    case 'zscore':
      return byFeature(rows, (column, f) => {
        const mean = op.mean?.[f] ?? sum(column) / column.length;
        const deviation = op.deviation?.[f] ?? Math.sqrt(sum(column.map((x) => (x - mean) ** 2)) / column.length);
        return column.map((x) => (deviation + op.epsilon === 0 ? 0 : (x - mean) / (deviation + op.epsilon)));
      });
    case 'minmax':
      return byFeature(rows, (column) => {
        const least = column.reduce((a, b) => Math.min(a, b));
        const range = column.reduce((a, b) => Math.max(a, b)) - least;
        return column.map((x) => (range === 0 ? op.low : op.low + ((x - least) / range) * (op.high - op.low)));
      });
    case 'log1p':
      return each((x) => Math.sign(x) * Math.log1p(Math.abs(x)));
    case 'difference':
      return byFeature(rows, (column) => column.map((x, t) => (t === 0 ? x : x - column[t - 1]!)));
    case 'ema':
      return byFeature(rows, (column) => {
        let average = column[0]!;
        return column.map((x, t) => {
          if (t > 0) average = op.alpha * x + (1 - op.alpha) * average;
          return average;
        });
      });
    case 'meanpool':
      return Array.from({ length: Math.ceil(rows.length / op.window) }, (_, i) => {
        const window = rows.slice(i * op.window, (i + 1) * op.window);
        return window[0]!.map((_x, f) => sum(window.map((row) => row[f]!)) / window.length);
      });
    case 'repeat':
      return rows.flatMap((row) => Array.from({ length: op.times }, () => [...row]));
    case 'embed':
      return rows.map(([token]) =>
        Array.from({ length: op.features }, (_, f) => {
          return (op.scale ?? 1) * toSymmetric(philoxWord(op.seed, token!, 'embedding', f));
        }),
      );
  }
}

function byFeature(rows: Rows, transform: (column: number[], feature: number) => number[]): Rows {
  const columns = (rows[0] ?? []).map((_, f) =>
    transform(
      rows.map((row) => row[f]!),
      f,
    ),
  );
  return rows.map((_, t) => columns.map((column) => column[t]!));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

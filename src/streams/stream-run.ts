/**
 * Rows for many streams of a pool in one call: which streams, how many rows each, and what is kept of every row.
 *
 *     series   rows of all streams x inputs: those of ids[0], then those of ids[1], ...
 *     out      rows of all streams x columns, in the same order, f64: after each row the readout's outputs, or the first
 *              features, which f64 holds exactly
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; RangeError ERR_DTESN_SHAPE for sizes that do not
 * fit each other or the network.
 */
import { z } from 'zod';
import { argumentError, checkOptions, checkWhole, rangeError, shapeError } from '../errors/index.js';
import {
  checkView,
  type Floats,
  type LongRunOptions,
  type NativeLinearReadout,
  type Progress,
  requireShared,
} from '../native/index.js';
import type { Network } from '../network/index.js';
import { checkMemory, type Matrix, readSeries, type SeriesInput } from '../numeric/index.js';
import type { StreamId } from './stream-pool.js';

const MOST_ROWS = 2 ** 31 - 1;

/** A trained linear map, such as a LinearReadout: y = W' [x, u] + b. Its weights must not change. */
export interface StreamReadout {
  /** Features of the network. */
  readonly states: number;
  /** Inputs of the network, or 0 where the readout does not read them. */
  readonly inputs: number;
  readonly outputs: number;
  /** W, (states + inputs) x outputs, f64. */
  readonly weights: Matrix;
  /** b, one an output. */
  readonly bias: Float64Array;
}

export const runOptionsSchema = z.object({
  ids: z.custom<readonly StreamId[]>(Array.isArray).describe('an array of ids'),
  rows: z
    .custom<ArrayLike<number>>((value) => typeof value === 'object' && value !== null && 'length' in value)
    .describe('an array of whole numbers, one for each id'),
  series: z.custom<SeriesInput>((value) => value !== undefined && value !== null).describe('rows of inputs'),
  readout: z.custom<StreamReadout>(isReadout).optional().describe('a LinearReadout'),
  features: z.int().min(0).default(0).describe('a whole number, 0 or more'),
  out: z.custom<Float64Array>().optional().describe('a Float64Array over a SharedArrayBuffer'),
  signal: z.custom<AbortSignal>().optional().describe('an AbortSignal'),
  onProgress: z.custom<(progress: Progress) => void>().optional().describe('a function ({ done, total, stage })'),
});

/** Options of StreamPool.runAsync: which streams, how many rows each, and what is kept of every row. */
export interface StreamRunOptions extends LongRunOptions {
  /** Streams of the pool, each once. Required. */
  ids: readonly StreamId[];
  /** How many rows each stream takes, 0 to 2147483647, in the order of `ids`. Required. */
  rows: ArrayLike<number>;
  /**
   * The rows of all streams, stream after stream in the order of `ids`: rows x inputs. Typed arrays of the network's dtype
   * must lie on shared memory, and are not copied. Required.
   */
  series: SeriesInput;
  /** What is kept of each row: outputs of this readout. Default: the first features. */
  readout?: StreamReadout | undefined;
  /** Without a readout, how many of the first features are kept of each row. Default 0: nothing is kept. */
  features?: number | undefined;
  /** Takes what is kept, rows of all streams x columns; on shared memory. Default: fresh memory. */
  out?: Float64Array | undefined;
}

export interface PreparedStreamRun {
  ids: readonly StreamId[];
  rows: Int32Array;
  total: number;
  series: Floats;
  reading: number | NativeLinearReadout;
  columns: number;
  out: Float64Array;
  longRun: LongRunOptions;
}

/** Checks the options of a run of streams through this network. */
export function prepareStreamRun(
  model: Network,
  options: StreamRunOptions,
  readoutOf: (readout: StreamReadout) => NativeLinearReadout,
): PreparedStreamRun {
  const { ids, readout, features, signal, onProgress, ...given } = checkOptions(runOptionsSchema, options, 'runAsync');
  if (given.rows.length !== ids.length) throw shapeError(`rows with ${ids.length} elements (ids)`, given.rows.length);
  const rows = Int32Array.from(given.rows, (count, i) => checkWhole(count, `rows[${i}]`, 0, MOST_ROWS));
  const total = rows.reduce((sum, count) => sum + count, 0);
  const series = readSeries(given.series, model.targets.shared);
  if (series.length !== total * model.inputs) {
    throw shapeError(`series with ${total} rows (the sum of rows)`, series.length / model.inputs);
  }
  if (readout !== undefined) checkReadout(model, readout, features);
  else if (features > model.featureSize) {
    throw rangeError(`at most ${model.featureSize} (features of ${model.owner})`, 'features', features);
  }
  const columns = readout?.outputs ?? features;
  return {
    ids,
    rows,
    total,
    series,
    reading: readout === undefined ? features : readoutOf(readout),
    columns,
    out: given.out === undefined ? fresh(total, columns) : checkedOut(given.out, total * columns),
    longRun: { signal, onProgress },
  };
}

function isReadout(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { weights, bias } = value as Partial<StreamReadout>;
  return weights?.data instanceof Float64Array && bias instanceof Float64Array;
}

function checkReadout(model: Network, { states, inputs, outputs, weights }: StreamReadout, features: number): void {
  if (features > 0) throw argumentError('either readout or features, not both,', 'features', features);
  if (states !== model.featureSize || (inputs !== 0 && inputs !== model.inputs)) {
    throw shapeError(
      `a readout of ${model.featureSize} features and ${model.inputs} inputs or none (${model.owner})`,
      `${states} and ${inputs}`,
    );
  }
  if (weights.data.length !== (states + inputs) * outputs) {
    throw shapeError(`weights with ${states + inputs} x ${outputs} elements`, weights.data.length);
  }
}

function fresh(rows: number, columns: number): Float64Array {
  checkMemory(8 * rows * columns, `${rows} rows of ${columns} outputs`);
  return new Float64Array(rows * columns);
}

function checkedOut(out: Float64Array, length: number): Float64Array {
  const view = requireShared(checkView(out, 'out', ['Float64Array']), 'out');
  if (view.length !== length) throw shapeError(`out with ${length} elements (rows x columns)`, view.length);
  return view;
}

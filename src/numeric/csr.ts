/** A sparse matrix in compressed rows (CSR): rows x cols, only the elements that are not zero. */
import { argumentError, checkKeys, checkWhole, rangeError, shapeError } from '../errors/index.js';
import { checkView, type Floats } from '../native/index.js';

/**
 * A sparse matrix in compressed rows, as `csr` makes it: row i holds values[k] at column columns[k], k from offsets[i]
 * to offsets[i + 1] - 1.
 */
export interface CsrMatrix {
  readonly rows: number;
  readonly cols: number;
  readonly offsets: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Floats;
}

/** Offsets, columns and values of a sparse matrix in compressed rows. */
export interface CsrParts {
  offsets: ArrayLike<number>;
  columns: ArrayLike<number>;
  values: Floats | readonly number[];
}

const MOST = 2 ** 32 - 1;

/**
 * A sparse matrix in compressed rows (CSR): rows x cols, only the elements that are not zero.
 *
 *     row i holds values[k] at column columns[k] for k = offsets[i] .. offsets[i + 1] - 1
 *
 * `values` may be a Float32Array or Float64Array, which is kept and not copied, or an array of numbers, which becomes a
 * Float64Array; `offsets` (rows + 1 whole numbers that rise from 0 to the number of values) and `columns` (below cols) are
 * copied to Uint32Arrays.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for parts of another kind; RangeError ERR_DTESN_SHAPE where they do
 * not fit each other.
 */
export function csr(rows: number, cols: number, parts: CsrParts): CsrMatrix {
  checkWhole(rows, 'rows', 0, MOST);
  checkWhole(cols, 'cols', 0, MOST);
  checkKeys(parts, ['offsets', 'columns', 'values'], 'csr');
  const values = Array.isArray(parts.values)
    ? Float64Array.from(parts.values as readonly number[])
    : checkView(parts.values, 'values', ['Float32Array', 'Float64Array']);
  const columns = wholeNumbers(parts.columns, 'columns', cols - 1);
  const offsets = wholeNumbers(parts.offsets, 'offsets', MOST);
  if (columns.length !== values.length) throw shapeError(`columns with ${values.length} elements`, columns.length);
  if (offsets.length !== rows + 1) throw shapeError(`offsets with ${rows + 1} elements (rows + 1)`, offsets.length);
  for (let i = 0; i <= rows; i++) {
    const least = i === 0 ? 0 : offsets[i - 1]!;
    const right = i === 0 ? offsets[i] === 0 : offsets[i]! >= least;
    if (!right) throw rangeError(i === 0 ? '0' : `at least ${least}`, `offsets (element ${i})`, offsets[i]);
  }
  if (offsets[rows] !== values.length) {
    throw shapeError(`offsets that end at ${values.length} (the number of values)`, offsets[rows]);
  }
  return { rows, cols, offsets, columns, values };
}

/** Whether something is a sparse matrix in this form. */
export function isCsr(value: unknown): value is CsrMatrix {
  return typeof value === 'object' && value !== null && 'offsets' in value && 'columns' in value && 'values' in value;
}

function wholeNumbers(values: ArrayLike<number>, argument: string, most: number): Uint32Array {
  if (!Array.isArray(values) && !ArrayBuffer.isView(values)) throw argumentError('an array', argument, values);
  const copy = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw rangeError(`a whole number from 0 to ${most}`, `${argument} (element ${i})`, value);
    }
    copy[i] = value;
  }
  return copy;
}

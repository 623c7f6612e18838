/** One series, or a list of them: an array whose first element is a matrix, a typed array or an array of rows is a list. */
import { argumentError, shapeError } from '../errors/index.js';
import type { SeriesInput } from '../numeric/index.js';

export function isList(x: SeriesInput | readonly SeriesInput[] | undefined): x is readonly SeriesInput[] {
  if (!Array.isArray(x)) return false;
  const [first] = x as unknown[];
  if (typeof first !== 'object' || first === null) return false;
  return 'rows' in first || ArrayBuffer.isView(first) || (Array.isArray(first) && Array.isArray(first[0]));
}

export function listOf<V>(x: V | readonly V[], isMany: boolean): readonly V[] {
  return isMany ? (x as readonly V[]) : [x as V];
}

/** As many as there are series. */
export function checkAsMany(list: readonly unknown[], series: number, argument: string): void {
  if (!Array.isArray(list)) throw argumentError('an array', argument, list);
  if (list.length !== series)
    throw shapeError(`${argument} with ${series} elements (one for each series)`, list.length);
}

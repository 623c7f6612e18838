/**
 * Lists of numbers in a request, checked up to the first wrong element: a schema of each number would make two objects for each of
 * hundreds of thousands, and keep an issue for each wrong one.
 */
import { z } from 'zod';

interface RowBounds {
  /** Fewest rows. Default 0. */
  min?: number;
  /** Most rows. Default any number. */
  max?: number;
}

/** Where the first wrong element is; null where none is. */
type FirstWrong = (list: readonly unknown[]) => number[] | null;

/** A schema of rows of finite numbers, of any width. */
export function rowsSchema(bounds: RowBounds = {}): z.ZodType<number[][]> {
  const firstWrong: FirstWrong = (list) => firstWrongOfRows(list, () => false);
  return listSchema('rows of finite numbers', firstWrong, { type: 'array', items: { type: 'number' } }, bounds);
}

/** A schema of finite numbers or rows of finite numbers. */
export function seriesSchema(): z.ZodType<(number | number[])[]> {
  const firstWrong: FirstWrong = (list) => firstWrongOfRows(list, Number.isFinite);
  const items = { anyOf: [{ type: 'number' }, { type: 'array', items: { type: 'number' } }] };
  return listSchema('finite numbers or rows of finite numbers', firstWrong, items);
}

/** A schema of token ids, whole numbers of at least 0. */
export function tokensSchema(): z.ZodType<number[]> {
  const firstWrong: FirstWrong = (list) => {
    const i = list.findIndex((value) => !Number.isSafeInteger(value) || (value as number) < 0);
    return i < 0 ? null : [i];
  };
  return listSchema('whole numbers of at least 0', firstWrong, {
    type: 'integer',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
  });
}

/** A schema of arrays; `what` names its elements in errors, `items` is their JSON Schema. */
function listSchema<List>(what: string, firstWrong: FirstWrong, items: object, bounds: RowBounds = {}) {
  const { min = 0, max = Number.POSITIVE_INFINITY } = bounds;
  const known = { ...(min > 0 && { minItems: min }), ...(max < Number.POSITIVE_INFINITY && { maxItems: max }) };
  const message = `expected ${what}`;
  return z
    .any()
    .superRefine((input: unknown, { addIssue }) => {
      if (!Array.isArray(input)) addIssue({ code: 'custom', message, input });
      else if (input.length < min) addIssue({ code: 'custom', message: `expected at least ${min} rows`, input });
      else if (input.length > max) addIssue({ code: 'custom', message: `expected at most ${max} rows`, input });
      else {
        const path = firstWrong(input);
        if (path !== null) addIssue({ code: 'custom', message, path, input });
      }
    })
    .meta({ type: 'array', items, ...known }) as z.ZodType<List>;
}

/** `isElement` says what may be beside rows. */
function firstWrongOfRows(list: readonly unknown[], isElement: (value: unknown) => boolean): number[] | null {
  for (let i = 0; i < list.length; i++) {
    const row = list[i];
    if (!Array.isArray(row)) {
      if (isElement(row)) continue;
      return [i];
    }
    const k = row.findIndex((value) => !Number.isFinite(value));
    if (k >= 0) return [i, k];
  }
  return null;
}

/**
 * Rows of numbers in a request, checked up to the first wrong element: a schema of each number would keep an issue for each of
 * hundreds of thousands.
 */
import { z } from 'zod';

interface RowBounds {
  /** Fewest rows. Default 0. */
  min?: number;
  /** Most rows. Default any number. */
  max?: number;
}

const MESSAGE = 'expected rows of finite numbers';

/** A schema of rows of finite numbers, of any width. */
export function rowsSchema({ min = 0, max = Number.POSITIVE_INFINITY }: RowBounds = {}): z.ZodType<number[][]> {
  const bounds = { ...(min > 0 && { minItems: min }), ...(max < Number.POSITIVE_INFINITY && { maxItems: max }) };
  return z
    .any()
    .superRefine((input: unknown, { addIssue }) => {
      if (!Array.isArray(input)) addIssue({ code: 'custom', message: MESSAGE, input });
      else if (input.length < min) addIssue({ code: 'custom', message: `expected at least ${min} rows`, input });
      else if (input.length > max) addIssue({ code: 'custom', message: `expected at most ${max} rows`, input });
      else {
        const path = firstWrong(input);
        if (path !== null) addIssue({ code: 'custom', message: MESSAGE, path, input });
      }
    })
    .meta({ type: 'array', items: { type: 'array', items: { type: 'number' } }, ...bounds });
}

function firstWrong(rows: readonly unknown[]): number[] | null {
  for (const [i, row] of rows.entries()) {
    if (!Array.isArray(row)) return [i];
    const k = row.findIndex((value) => !Number.isFinite(value));
    if (k >= 0) return [i, k];
  }
  return null;
}

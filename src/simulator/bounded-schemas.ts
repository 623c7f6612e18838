/**
 * Schemas of lists and records that stop at the first wrong element: a body of 340,000 wrong numbers has one issue, not
 * 340,000. The issue names the element.
 */
import { z } from 'zod';

/** A list whose elements all pass; `message` says what an element must be. */
export function listOf<T>(passes: (value: unknown) => boolean, message: string) {
  return z
    .custom<T[]>((value) => Array.isArray(value), 'Expected a list')
    .superRefine((list, context) => {
      const wrong = list.findIndex((value) => !passes(value));
      if (wrong >= 0) context.addIssue({ code: 'custom', path: [wrong], message });
    });
}

/** An object whose values all pass. */
export function recordOf<T>(passes: (value: unknown) => boolean, message: string) {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  return z.custom<Record<string, T>>(isObject, 'Expected an object').superRefine((record, context) => {
    const wrong = Object.keys(record).find((key) => !passes(record[key]));
    if (wrong !== undefined) context.addIssue({ code: 'custom', path: [wrong], message });
  });
}

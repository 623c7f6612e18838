/**
 * What a provider function said, checked: a host's function may return anything.
 *
 * Errors: DtesnError ERR_DTESN_SOURCE_INVALID that names the provider and the field.
 */
import type { z } from 'zod';
import { DtesnError } from '../errors/index.js';

export function checkedState<T>(schema: z.ZodType<T>, said: unknown, provider: string): T {
  const checked = schema.safeParse(said);
  if (checked.success) return checked.data;
  const { path, message } = checked.error.issues[0]!;
  const place = ['providers', provider, ...path.map(String)].join('.');
  throw new DtesnError('ERR_DTESN_SOURCE_INVALID', `${place} returned an invalid value: ${message}`);
}

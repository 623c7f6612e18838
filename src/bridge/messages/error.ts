/** The body of every answer that is an error. */
import { z } from 'zod';
import { bridgeErrorCodes } from './bridge-error.js';

export const errorSchema = z.object({
  error: z.looseObject({ code: z.enum(bridgeErrorCodes), message: z.string() }),
});
export type ErrorMessage = z.infer<typeof errorSchema>;

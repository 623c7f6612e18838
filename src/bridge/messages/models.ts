/** Saved models: which there are, and one-off runs of them. */
import { z } from 'zod';
import { MAX_RUN_ROWS } from './bounds.js';
import { rowsSchema } from './lists.js';

const rowsText = 'rows of `inputs` finite numbers in the units of the data; from rest';

export const modelListSchema = z.object({
  items: z.array(
    z.looseObject({
      name: z.string(),
      fingerprint: z.string().describe('that of sessions on the model'),
      inputs: z.int(),
      outputs: z.int(),
      forecasts: z.boolean().describe('whether its outputs are its next inputs'),
      dtype: z.enum(['f32', 'f64']),
    }),
  ),
});

export const modelPredictSchema = z.strictObject({ rows: rowsSchema({ max: MAX_RUN_ROWS }).describe(rowsText) });
export const modelForecastSchema = z.strictObject({
  rows: rowsSchema({ min: 1, max: MAX_RUN_ROWS }).describe(rowsText),
  steps: z.int().min(1).max(MAX_RUN_ROWS).describe('to forecast after the last row'),
});

export const modelRowsSchema = z.looseObject({
  outputs: z
    .array(z.array(z.number()))
    .describe('in the units of the data; at most 2^17 numbers, more are 422 `impossible` with `rows`'),
});
export type ModelRowsMessage = z.infer<typeof modelRowsSchema>;

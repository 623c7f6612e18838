/** Sessions: their creation, their rows, and what they have learned. */
import { z } from 'zod';
import { ID_PATTERN, MAX_STEPS_ITEMS } from './bounds.js';
import { rowsSchema } from './lists.js';

const MAX_OUTPUTS = 64;

const id = z
  .string()
  .regex(ID_PATTERN, { message: 'expected 1 to 128 of A-Z a-z 0-9 . _ : -' })
  .describe('1 to 128 of A-Z a-z 0-9 . _ : -, case-sensitive');
const offset = z.int().nonnegative();
const outputs = z.array(z.array(z.number().nullable()));

export const createSessionSchema = z.strictObject({
  id: id.optional().describe('made by the bridge when absent'),
  network: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("name of a network of the configuration; 'default' when absent"),
  targets: z
    .strictObject({
      outputs: z.int().min(1).max(MAX_OUTPUTS).describe('columns of the targets'),
      ridge: z.number().positive().optional().describe('the inverse correlation begins as I / ridge; 1e-6'),
      forgetting: z.number().gt(0).max(1).optional().describe('in (0, 1]; 1: nothing is forgotten'),
    })
    .optional()
    .describe('the session learns targets by recursive least squares'),
  outputs: z
    .array(z.int().nonnegative())
    .max(MAX_OUTPUTS)
    .optional()
    .describe('which columns of the outputs are answered; all when absent'),
});

const placeFields = {
  id: z.string(),
  epoch: z.string(),
  offset,
  durable: offset,
  durability: z.enum(['degraded', 'none']).optional(),
};
export const sessionSchema = z.looseObject(placeFields);
export type SessionMessage = z.infer<typeof sessionSchema>;

export const sessionListSchema = z.object({ items: z.array(sessionSchema), next: z.string().optional() });
export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe('items a page, 1 to 1000'),
  after: z.string().max(128).optional().describe('`next` of the page before'),
});

const stepsFields = {
  from: offset.describe('number of the first row: rows below the offset of the session are skipped, a gap is 409'),
  rows: rowsSchema().describe('rows of `inputs` finite numbers'),
  targets: rowsSchema().optional().describe('one row of targets a row; of sessions that learn'),
  epoch: z.string().max(64).optional().describe('another epoch than that of the session is 409'),
};
export const stepsSchema = z.strictObject(stepsFields);
export const ackQuery = z.strictObject({
  ack: z.enum(['durable']).optional().describe('answers once the rows survive power loss'),
});
export const stepsAnswerSchema = z.looseObject({
  offset,
  durable: offset,
  outputsFrom: offset,
  outputs: outputs.describe('a row of outputs a row; null where a number is infinite or NaN'),
});
export type StepsMessage = z.infer<typeof stepsAnswerSchema>;

export const stepsManySchema = z.strictObject({
  items: z
    .array(z.strictObject({ id, ...stepsFields }))
    .min(1)
    .max(MAX_STEPS_ITEMS),
});
export const stepsManyAnswerSchema = z.object({
  items: z
    .array(z.looseObject({ id: z.string() }))
    .describe('an answer or an `error` each, in the order of the request'),
});

export const sessionReadoutSchema = z.looseObject({
  id: z.string(),
  epoch: z.string(),
  offset,
  weights: outputs.describe('states x targets'),
  bias: z.array(z.number().nullable()),
  learned: offset,
  error: z.number().nullable().describe('weighted mean squared error before each row was learned'),
  persistence: z.number().nullable().describe('the same of predicting the last target'),
});

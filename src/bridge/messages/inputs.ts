/** Messages of inputs and of their results: POST /v1/process, /v1/process/batch, /v1/process/stream. */
import { z } from 'zod';
import { bridgeErrorCodes } from './bridge-error.js';
import { seriesSchema, tokensSchema } from './lists.js';

const MAX_INPUTS = 100;

/** An input: one of the three. */
const inputFields = {
  text: z
    .string()
    .optional()
    .describe('a text, encoded by the tokenizer of the engine, else of the model files, else as UTF-8 bytes'),
  tokens: tokensSchema().optional().describe('token ids'),
  series: seriesSchema().optional().describe('a numeric series: rows of `inputs` numbers'),
};

function oneOf(value: { text?: unknown; tokens?: unknown; series?: unknown }): boolean {
  return [value.text, value.tokens, value.series].filter((field) => field !== undefined).length === 1;
}
const oneInput = { message: 'expected one of text, tokens and series' };

export const inputSchema = z.strictObject(inputFields).refine(oneOf, oneInput);
export type InputMessage = z.infer<typeof inputSchema>;

export const priorityQuery = z.strictObject({
  priority: z
    .enum(['high', 'normal', 'low'])
    .optional()
    .describe('the class in which the request waits; else that of x-llm-d-inference-objective, else normal'),
});

export const batchSchema = z.strictObject({
  inputs: z.array(inputSchema).min(1).max(MAX_INPUTS).describe('1 to 100 inputs'),
});

const failureSchema = z.object({
  ok: z.literal(false),
  error: z.object({ code: z.enum(bridgeErrorCodes), message: z.string() }),
});
/** `result` is one of dtesnResultSchema, named by reference: its document is the one of POST /v1/process. */
export const batchAnswerSchema = z.object({
  items: z.array(z.union([z.object({ ok: z.literal(true), result: z.looseObject({}) }), failureSchema])),
});

export const streamSchema = z
  .strictObject({
    ...inputFields,
    chunk: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(4096)
      .describe('characters of a text, ids or rows that are processed at a time'),
  })
  .refine(oneOf, oneInput);
export type StreamMessage = z.infer<typeof streamSchema>;

/** Engines, and what callers say of the requests that they sent to them. */
import { z } from 'zod';
import { ID_PATTERN } from './bounds.js';

const name = z.string().min(1).max(256);
const ticket = z
  .string()
  .regex(ID_PATTERN, { message: 'expected 1 to 128 of A-Z a-z 0-9 . _ : -' })
  .describe('1 to 128 of A-Z a-z 0-9 . _ : -');
const session = z
  .string()
  .min(1)
  .max(256)
  .optional()
  .describe('requests of one session go to one engine where that costs little');
const tokens = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional();

export const enginesAnswerSchema = z.object({
  items: z.array(
    z.looseObject({
      name: z.string(),
      url: z.string(),
      kind: z.string().nullable(),
      state: z.looseObject({
        name: z.string(),
        since: z.string().describe('RFC 3339'),
        forSeconds: z.number().nonnegative(),
        evidence: z.array(z.string()),
      }),
    }),
  ),
});
export type EnginesMessage = z.infer<typeof enginesAnswerSchema>;

const objectiveMs = z.number().positive().max(1e9).optional();
export const pickSchema = z.strictObject({
  session,
  promptTokens: tokens,
  sloTtftMs: objectiveMs.describe(
    'objective for the time to the first token, in milliseconds; else x-llm-d-slo-ttft-ms',
  ),
  sloTpotMs: objectiveMs.describe(
    'objective for the time between two tokens, in milliseconds; else x-llm-d-slo-tpot-ms',
  ),
});
export const pickAnswerSchema = z.looseObject({
  engine: z.string(),
  url: z.string(),
  reason: z.string(),
  expected: z
    .looseObject({ ttftSeconds: z.number().nullable(), interTokenSeconds: z.number().nullable() })
    .optional()
    .describe('90th percentiles that were observed of the engine lately'),
  meetsSlo: z
    .boolean()
    .nullable()
    .optional()
    .describe('whether they meet the objectives; null where that is not known'),
});
export type PickMessage = z.infer<typeof pickAnswerSchema>;

export const dispatchSchema = z.strictObject({
  engine: name.describe('the name of the engine, from /v1/pick or /v1/engines'),
  promptTokens: tokens,
  session: session.describe('that of pick, so that both can be asked with one object; no rule reads it'),
  ticket: ticket.optional(),
});
export const dispatchAnswerSchema = z.looseObject({ ticket: z.string() });

export const firstTokenSchema = z.strictObject({ ticket });
export const finishSchema = z.strictObject({
  ticket,
  outcome: z.string().min(1).max(64).describe("how it ended: 'ok', 'error', 'aborted' ..."),
  generatedTokens: tokens,
  orca: z
    .union([z.string().max(4096), z.record(z.string(), z.unknown())])
    .optional()
    .describe('the header endpoint-load-metrics of the answer, or its JSON'),
});
export const ticketAnswerSchema = z.looseObject({ known: z.boolean() });

export const historyQuery = z.strictObject({
  seconds: z.coerce.number().min(1).max(86_400).default(600).describe('how far back, 1 to 86400 seconds'),
});

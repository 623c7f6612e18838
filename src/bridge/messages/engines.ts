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
    .describe(
      '90th percentiles: observed of the engine lately; ttftSeconds is predicted where callers report requests',
    ),
  meetsSlo: z
    .boolean()
    .nullable()
    .optional()
    .describe('whether they meet the objectives; null where that is not known'),
  ttft: z
    .looseObject({ ms: z.number(), p90Ms: z.number(), basis: z.string(), samples: z.int() })
    .nullable()
    .optional()
    .describe('when the first token is expected; null where the engine was chosen by its load'),
});
export type PickMessage = z.infer<typeof pickAnswerSchema>;

const ttft = z
  .looseObject({
    ms: z.number().nonnegative().describe('median, in milliseconds'),
    p90Ms: z.number().nonnegative().describe('9 of 10 such requests should stay within it'),
    basis: z.enum(['physics', 'learned', 'metrics']).describe('what it is predicted by'),
    samples: z.int().nonnegative().describe('first tokens that were learned from'),
  })
  .describe('when the first token is expected');
const skill = z.looseObject({
  windowSeconds: z.number(),
  outcomes: z.int().describe('first tokens in the window'),
  error: z
    .looseObject({ outlook: z.number().nullable(), persistence: z.number().nullable() })
    .describe('mean |ln(predicted / observed)|'),
  coverage: z.number().nullable().describe('share of them within p90'),
  judged: z.int().describe('those whose objective was known'),
  wrong: z
    .looseObject({
      outlook: z.number().nullable(),
      persistence: z.number().nullable(),
      tokenLimit: z.number().nullable(),
    })
    .describe('share of them of which it was said wrongly whether they would miss it'),
  contested: z.int(),
  better: z.boolean().describe('false where the last first token predicted the contested ones no worse'),
});
const mode = z
  .enum(['advisory', 'active'])
  .describe('whether requests are refused: outlook.admission of the configuration');

export const admitSchema = z.strictObject({
  promptTokens: z.int().nonnegative().max(Number.MAX_SAFE_INTEGER).describe('tokens of the prompt'),
  ttftSloMs: z
    .number()
    .positive()
    .max(86_400_000)
    .optional()
    .describe(
      'objective for the time to the first token, in milliseconds; else x-llm-d-slo-ttft-ms; one of them is required',
    ),
  sloTtftMs: z.number().positive().max(86_400_000).optional().describe('the same by its name in /v1/pick'),
  margin: z
    .number()
    .positive()
    .max(10)
    .optional()
    .describe('share of the objective that the prediction may take; 0.85'),
  priority: z
    .number()
    .optional()
    .describe('below 0: sheddable work, refused at half of the limit; else x-llm-d-inference-objective, else 0'),
  session,
});
export const admitAnswerSchema = z.looseObject({
  admitted: z.boolean(),
  mode,
  engine: z.string().optional().describe('where it is admitted to'),
  url: z.string().optional(),
  ttft: ttft.optional(),
  withheld: z
    .looseObject({
      why: z
        .enum(['advisory', 'skill'])
        .describe('admission only advises, or predictions were not better than persistence lately'),
      retryAfterMs: z.number(),
      reason: z.string(),
    })
    .nullable()
    .optional()
    .describe('the refusal that is not carried out; null where the request is admitted by the rule'),
  retryAfterMs: z.number().nonnegative().optional().describe('where it is not admitted: when to ask again'),
  reason: z.string().optional().describe('where it is not admitted: a sentence with the figures'),
});
export type AdmitMessage = z.infer<typeof admitAnswerSchema>;

export const outlookQuery = z.strictObject({
  promptTokens: z.coerce
    .number()
    .int()
    .nonnegative()
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('tokens of the prompt to predict for; the mean prompt of each engine when absent'),
});
export const scaleHintQuery = z.strictObject({
  startupSeconds: z.coerce
    .number()
    .min(0)
    .max(3600)
    .optional()
    .describe('seconds until an engine that starts now serves'),
  targetUse: z.coerce.number().min(0.01).max(1).optional().describe('share of their capacity that the load may take'),
});
const replicas = z.number().nonnegative().nullable();
export const scaleHintAnswerSchema = z.looseObject({
  replicas: z.int().positive().nullable().describe('engines to have; null while load or capacity is not known'),
  engines: z.int().nonnegative().describe('engines that serve now'),
  forecast: replicas.describe('load after startupSeconds, in engines at full use'),
  persistence: replicas.describe('load of the last 10 s, in engines at full use'),
  interval: z.array(z.number()).length(2).nullable().describe('quantiles 0.1 and 0.9 of that load'),
  capacity: replicas.describe('requests a second that one engine serves at full use'),
  horizons: z.array(z.looseObject({ horizonSeconds: z.number(), requestsPerSecond: replicas })),
  unknown: z.array(z.string()).describe('what is not known: load, capacity'),
});

export const outlookAnswerSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      engine: z.string(),
      state: z.string(),
      promptTokens: z.int().nonnegative(),
      ttft,
      tickets: z.int().nonnegative(),
      ticketPromptTokens: z.number().nonnegative(),
      skill,
      anomalies: z.array(
        z.looseObject({ kind: z.string(), rule: z.string(), since: z.string(), evidence: z.array(z.string()) }),
      ),
      alarmsPerDay: z.number().nonnegative().nullable().describe('anomalies a day of watch'),
    }),
  ),
  skill: skill.describe('of all engines together'),
  admission: z.looseObject({
    mode,
    asked: z.int().nonnegative(),
    refused: z.int().nonnegative(),
    withheld: z.looseObject({ advisory: z.int().nonnegative(), skill: z.int().nonnegative() }),
  }),
});

export const dispatchSchema = z.strictObject({
  engine: name.describe('the name of the engine, from /v1/pick or /v1/engines'),
  promptTokens: tokens,
  session: session.describe('that of pick: its prefix is in the cache of the engine that it was sent to'),
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

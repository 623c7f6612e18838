/**
 * The body of POST /v1/completions: what of it the simulated server honours, and what it refuses.
 *
 * Honoured: prompt (text, a list of one, or token ids), max_tokens (default 16), min_tokens, ignore_eos, stream,
 * stream_options, return_token_ids. Sampling parameters are ignored: no model runs. Refused with 400 as by the engine:
 * a prompt and max_tokens beyond max_model_len, token ids and logit_bias keys outside the vocabulary (the message ends
 * with its size). Refused with 501, for they need a model: n > 1, echo, logprobs, suffix, several prompts.
 */
import { z } from 'zod';
import { drawOutputTokens } from './arrivals.js';
import { recordOf } from './bounded-schemas.js';
import { encodeBytes, PADDED_VOCABULARY, VOCABULARY } from './byte-tokenizer.js';
import { badRequest, failure, invalidBody, type Reply, unknownModel } from './reply.js';
import type { ServerFace, SimulatedRequest } from './server-face.js';

const flag = z.boolean().nullish();
/** Token ids, or texts. */
const prompts = z
  .custom<number[] | string[]>((value) => Array.isArray(value) && value.length > 0, 'Expected a text or a list')
  .superRefine((list, context) => {
    const right = typeof list[0] === 'string' ? (one: unknown) => typeof one === 'string' : Number.isSafeInteger;
    const wrong = list.findIndex((one) => !right(one));
    if (wrong >= 0) context.addIssue({ code: 'custom', path: [wrong], message: 'Expected token ids, or texts' });
  });
const completionBody = z.object({
  model: z.string().nullish(),
  prompt: z.union([z.string(), prompts]),
  max_tokens: z.int().min(1).nullish(),
  min_tokens: z.int().min(0).nullish(),
  ignore_eos: flag,
  stream: flag,
  stream_options: z.object({ include_usage: flag, continuous_usage_stats: flag }).nullish(),
  return_token_ids: flag,
  logit_bias: recordOf<number>((bias) => typeof bias === 'number', 'Expected a number').nullish(),
  n: z.int().min(1).nullish(),
  echo: flag,
  logprobs: z.int().nullish(),
  prompt_logprobs: z.int().nullish(),
  suffix: z.string().nullish(),
});
type CompletionBody = z.output<typeof completionBody>;

const DEFAULT_MAX_TOKENS = 16;
const MOST_NAMED = 8;

/** A request that was accepted: what it asks of the engine, and how its answer is to look. */
export interface Completion {
  request: SimulatedRequest;
  promptTokens: number[];
  stream: boolean;
  includeUsage: boolean;
  usageInChunks: boolean;
  tokenIds: boolean;
}

/** The request in `body`, or the reply that refuses it. */
export function readCompletion(face: ServerFace, body: unknown): Completion | Reply {
  const parsed = completionBody.safeParse(body);
  if (!parsed.success) return invalidBody(parsed.error);
  const { model, stream, stream_options, return_token_ids } = parsed.data;
  if (model && model !== face.modelId) return unknownModel(model);
  const missing = needsModel(parsed.data);
  if (missing) return failure(501, 'NotImplementedError', `The simulation has no model: ${missing} is not supported`);
  const promptTokens = tokensOf(parsed.data.prompt);
  const refusal = outsideVocabulary(promptTokens, parsed.data) ?? tooLong(face, promptTokens, parsed.data);
  if (refusal) return badRequest(refusal);
  return {
    request: requestOf(face, promptTokens.length, parsed.data),
    promptTokens,
    stream: stream === true,
    includeUsage: stream_options?.include_usage === true,
    usageInChunks: stream_options?.continuous_usage_stats === true,
    tokenIds: return_token_ids === true,
  };
}

function needsModel({ n, echo, logprobs, prompt_logprobs, suffix, prompt }: CompletionBody): string | null {
  if ((n ?? 1) > 1) return 'n > 1';
  if (echo) return 'echo';
  if (logprobs != null) return 'logprobs';
  if (prompt_logprobs != null) return 'prompt_logprobs';
  if (suffix != null) return 'suffix';
  return typeof prompt !== 'string' && typeof prompt[0] === 'string' && prompt.length > 1 ? 'several prompts' : null;
}

function tokensOf(prompt: CompletionBody['prompt']): number[] {
  if (typeof prompt === 'string') return encodeBytes(prompt, true);
  return typeof prompt[0] === 'string' ? encodeBytes(prompt[0], true) : (prompt as number[]);
}

function outsideVocabulary(tokens: number[], { logit_bias }: CompletionBody): string | null {
  const alien = tokens.find((token) => token < 0 || token >= VOCABULARY);
  if (alien !== undefined) return `Token id ${alien} is out of vocabulary`;
  const biased = Object.keys(logit_bias ?? {}).filter((key) => !(Number(key) >= 0 && Number(key) < PADDED_VOCABULARY));
  if (biased.length === 0) return null;
  const ids = biased.slice(0, MOST_NAMED).join(', ');
  return `token_id(s) [${ids}] in logit_bias contain out-of-vocab token ids. Vocabulary size: ${PADDED_VOCABULARY}`;
}

function tooLong({ maxModelLen }: ServerFace, { length }: number[], { max_tokens }: CompletionBody): string | null {
  const asked = max_tokens ?? DEFAULT_MAX_TOKENS;
  if (length + asked <= maxModelLen) return null;
  return (
    `This model's maximum context length is ${maxModelLen} tokens. However, you requested ${asked} output tokens ` +
    `and your prompt contains ${length} input tokens. Please reduce the length of the input prompt or of the output.`
  );
}

function requestOf(face: ServerFace, prompt: number, body: CompletionBody): SimulatedRequest {
  const maxTokens = body.max_tokens ?? DEFAULT_MAX_TOKENS;
  const drawn = body.ignore_eos ? Number.POSITIVE_INFINITY : drawOutputTokens(face.random);
  const wanted = Math.max(drawn, body.min_tokens ?? 1);
  return { prompt, maxTokens, output: Math.min(wanted, maxTokens), reason: wanted > maxTokens ? 'length' : 'stop' };
}

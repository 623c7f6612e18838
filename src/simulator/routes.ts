/**
 * The routes of an Aphrodite server that a client of the engine asks.
 *
 *     GET       /v1/models  /version  /health  /ping  /metrics  /load
 *     POST      /v1/completions  /tokenize  /detokenize and their /v1 twins  /ping  /is_scaling_elastic_ep
 *     dev mode  GET /is_sleeping   POST /sleep?level=1|2&mode=abort|wait|keep  /wake_up
 *
 * /health and /ping read a flag: a hung engine is healthy, a dead one is 503 with an empty body. /load is 0 unless load
 * is tracked. `created` and the permission of a model card are new in each answer, as the engine does.
 */
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { listOf } from './bounded-schemas.js';
import { decodeBytes, encodeBytes, tokenText, VOCABULARY } from './byte-tokenizer.js';
import { complete } from './completions.js';
import { failure, invalidBody, ok, type Reply, unknownModel } from './reply.js';
import type { ServerFace } from './server-face.js';

export interface Asked {
  /** The JSON that came, or null where the route takes none. */
  body: unknown;
  query: URLSearchParams;
  response: ServerResponse;
}

/** Null: it answers by itself, in its own time. */
export type Answer = (face: ServerFace, asked: Asked) => Reply | null;

export interface Route {
  answer: Answer;
  /** True when the route reads a JSON body. */
  json?: boolean;
  dev?: boolean;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const health: Route = { answer: ({ condition }) => ({ status: condition.dead ? 503 : 200, body: null }) };

export const routes: Record<string, Record<string, Route>> = {
  '/v1/models': { GET: { answer: models } },
  '/version': { GET: { answer: ({ version }) => ok({ version }) } },
  '/health': { GET: health },
  '/ping': { GET: health, POST: health },
  '/metrics': { GET: { answer: ({ condition }) => ({ ...ok(condition.metrics), contentType: METRICS_TYPE }) } },
  '/load': { GET: { answer: (face) => ok({ server_load: face.load() }) } },
  '/tokenize': { POST: { answer: tokenize, json: true } },
  '/v1/tokenize': { POST: { answer: tokenize, json: true } },
  '/detokenize': { POST: { answer: detokenize, json: true } },
  '/v1/detokenize': { POST: { answer: detokenize, json: true } },
  '/v1/completions': { POST: { answer: (face, { body, response }) => complete(face, body, response), json: true } },
  '/is_scaling_elastic_ep': { POST: { answer: () => ok({ is_scaling_elastic_ep: false }) } },
  '/is_sleeping': { GET: { answer: (face) => ok({ is_sleeping: face.isSleeping() }), dev: true } },
  '/sleep': { POST: { answer: sleep, dev: true } },
  '/wake_up': { POST: { answer: wakeUp, dev: true } },
};

function models(face: ServerFace): Reply {
  const created = Math.floor(face.unixTime());
  const permission = {
    id: `modelperm-${crypto.randomUUID().replaceAll('-', '')}`,
    object: 'model_permission',
    created,
    allow_create_engine: false,
    allow_sampling: true,
    allow_logprobs: true,
    allow_search_indices: false,
    allow_view: true,
    allow_fine_tuning: false,
    organization: '*',
    group: null,
    is_blocking: false,
  };
  const card = {
    id: face.modelId,
    object: 'model',
    created,
    owned_by: 'aphrodite',
    root: face.modelId,
    parent: null,
    max_model_len: face.maxModelLen,
    permission: [permission],
  };
  return ok({ object: 'list', data: [card] });
}

const tokenizeBody = z.object({
  model: z.string().nullish(),
  prompt: z.string(),
  add_special_tokens: z.boolean().default(true),
  return_token_strs: z.boolean().nullish(),
});

function tokenize(face: ServerFace, { body }: Asked): Reply {
  const parsed = tokenizeBody.safeParse(body);
  if (!parsed.success) return invalidBody(parsed.error);
  const { model, prompt, add_special_tokens, return_token_strs } = parsed.data;
  if (model && model !== face.modelId) return unknownModel(model);
  const tokens = encodeBytes(prompt, add_special_tokens);
  const token_strs = return_token_strs ? tokens.map(tokenText) : null;
  return ok({ count: tokens.length, max_model_len: face.maxModelLen, tokens, token_strs });
}

const detokenizeBody = z.object({
  model: z.string().nullish(),
  tokens: listOf<number>(
    (token) => Number.isInteger(token) && (token as number) >= 0 && (token as number) < VOCABULARY,
    `Token ids of this model are whole numbers below ${VOCABULARY}`,
  ),
});

function detokenize(face: ServerFace, { body }: Asked): Reply {
  const parsed = detokenizeBody.safeParse(body);
  if (!parsed.success) return invalidBody(parsed.error);
  const { model, tokens } = parsed.data;
  if (model && model !== face.modelId) return unknownModel(model);
  return ok({ prompt: decodeBytes(tokens) });
}

const sleepQuery = z.object({
  level: z.enum(['1', '2']).default('1'),
  mode: z.enum(['abort', 'wait', 'keep']).default('abort'),
});

function sleep(face: ServerFace, { query }: Asked): Reply {
  const parsed = sleepQuery.safeParse(Object.fromEntries(query));
  if (!parsed.success) return invalidBody(parsed.error);
  if (face.condition.dead) return failure(500, 'InternalServerError', 'The engine is dead');
  face.sleep(parsed.data.level === '1' ? 1 : 2, parsed.data.mode);
  return { status: 200, body: null };
}

function wakeUp(face: ServerFace): Reply {
  face.wakeUp();
  return { status: 200, body: null };
}

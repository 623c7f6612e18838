/**
 * What kind of engine answers at a place, by evidence that it gives itself, in this order:
 *
 *     owned_by of GET /v1/models       aphrodite, vllm, sglang, llamacpp; Ollama says "library"
 *     the prefix of GET /metrics       aphrodite: vllm: sglang: llamacpp: tgi_ (Ray writes _ for :); open where models are not
 *     GET /info with a model_id        TGI
 *     GET /api/version                 Ollama (Aphrodite answers Kobold's /api/v1 and /api/extra, not this)
 *
 * Null when something answered and none of this is in it. Rejects when the engine cannot be reached, when it answers 5xx,
 * and, with the last refusal, when nothing answered at all.
 */
import { z } from 'zod';
import type { EngineKind, RequestOptions } from './engine.js';
import { EngineError } from './engine-error.js';
import { type EngineHttp, maxMetricsBytes } from './engine-http.js';

type Evidence = (http: EngineHttp, options: RequestOptions) => Promise<EngineKind | null>;

export async function detectKind(http: EngineHttp, options: RequestOptions): Promise<EngineKind | null> {
  let refusal: unknown = null;
  let answered = false;
  for (const evidence of [byOwner, byMetrics, byInfo, byApiVersion]) {
    try {
      const kind = await evidence(http, options);
      if (kind !== null) return kind;
      answered = true;
    } catch (error) {
      if (!isAnswer(error)) throw error;
      refusal = error;
    }
  }
  if (!answered) throw refusal;
  return null;
}

/** An answer that says nothing: the endpoint is absent, guarded, or of another shape. */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof EngineError)) return false;
  if (error.code === 'ERR_DTESN_ENGINE_BODY') return true;
  return error.status !== null && (error.status < 500 || error.status === 501);
}

const owners: Record<string, EngineKind> = {
  ...{ aphrodite: 'aphrodite', vllm: 'vllm', sglang: 'sglang', llamacpp: 'llama.cpp', library: 'ollama' },
};
const modelsBody = z.object({ data: z.array(z.object({ owned_by: z.string().nullish() })) });

const byOwner: Evidence = async (http, options) => {
  const { data } = await http.json('v1/models', modelsBody, undefined, options);
  const owner = data[0]?.owned_by ?? '';
  return Object.hasOwn(owners, owner) ? owners[owner]! : null;
};

const prefix = /^(?:# (?:HELP|TYPE) )?(aphrodite|vllm|sglang|llamacpp|tgi)[:_]/m;
const prefixes: Record<string, EngineKind> = { llamacpp: 'llama.cpp' };

const byMetrics: Evidence = async (http, options) => {
  const { body } = await http.ask('metrics', { maxBytes: maxMetricsBytes }, options);
  const name = prefix.exec(Buffer.from(body).toString('latin1'))?.[1];
  return name === undefined ? null : (prefixes[name] ?? (name as EngineKind));
};

const infoBody = z.object({ model_id: z.string(), version: z.string() });

const byInfo: Evidence = async (http, options) => {
  await http.json('info', infoBody, undefined, options);
  return 'tgi';
};

const byApiVersion: Evidence = async (http, options) => {
  await http.json('api/version', z.object({ version: z.string() }), undefined, options);
  return 'ollama';
};

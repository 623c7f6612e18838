/**
 * What kind of engine answers at a place, by evidence that it gives itself, in this order:
 *
 *     owned_by of GET /v1/models       aphrodite, vllm, sglang, llamacpp; Ollama says "library"
 *     the prefix of GET /metrics       aphrodite: vllm: sglang: llamacpp: tgi_ (Ray Serve ray_vllm: or ray_vllm_); open where models are not
 *     GET /info with a model_id        TGI
 *     GET /api/version                 Ollama (Aphrodite answers Kobold's /api/v1 and /api/extra, not this)
 *
 * The metrics are asked when the models do not tell, or have not within 100 ms: a model list that hangs does not prevent the detection.
 * Null when something answered and none of this is in it. Rejects, with the first failure, when nothing did.
 */
import { z } from 'zod';
import { type Clock, pause } from '../../abort/index.js';
import type { EngineKind, RequestOptions } from '../engine.js';
import { isEngineError } from '../engine-error.js';
import { type EngineHttp, maxMetricsBytes } from './engine-http.js';

type Evidence = (http: EngineHttp, options: RequestOptions) => Promise<EngineKind | null>;
/** A kind, null where the answer tells none, undefined where there was no answer. */
type Finding = EngineKind | null | undefined;

const patienceMs = 100;

export async function detectKind(http: EngineHttp, options: RequestOptions): Promise<EngineKind | null> {
  const failures: unknown[] = [];
  const detect = (evidence: Evidence): Promise<Finding> =>
    evidence(http, options).catch((error: unknown) => void failures.push(error));
  const owner = detect(byOwner);
  const findings: Finding[] = [
    await firstKind(
      owner,
      patience(owner, http.clock).then((kind) => kind ?? detect(byMetrics)),
    ),
  ];
  for (const evidence of [byInfo, byApiVersion]) {
    if (findings.some((kind) => kind) || failures.some(isSick)) break;
    findings.push(await detect(evidence));
  }
  if (findings.every((finding) => finding === undefined)) throw failures[0];
  return findings.find((kind) => kind) ?? null;
}

/** The finding, or null for it when it takes long. */
async function patience(finding: Promise<Finding>, clock: Clock): Promise<Finding> {
  const found = new AbortController();
  const told = finding.finally(() => found.abort());
  const late = pause(patienceMs, found.signal, clock).then(
    () => null,
    () => told,
  );
  return Promise.race([told, late]);
}

/** The first kind that one of two tells; without one, what the answers say. */
async function firstKind(one: Promise<Finding>, other: Promise<Finding>): Promise<Finding> {
  const kind = await Promise.any([one, other].map((told) => told.then((finding) => finding ?? Promise.reject()))).catch(
    () => null,
  );
  return kind ?? ((await one) === undefined && (await other) === undefined ? undefined : null);
}

/** No answer, or that of an engine in trouble: it is not asked for more. */
function isSick(error: unknown): boolean {
  if (!isEngineError(error)) return true;
  const { code, status } = error;
  return status === null ? code !== 'ERR_DTESN_ENGINE_BODY' : status >= 500 && status !== 501;
}

const owners = ['aphrodite', 'vllm', 'sglang', 'llamacpp'] as const;
const modelsBody = z.object({ data: z.array(z.object({ owned_by: z.string().nullish() })) });

const byOwner: Evidence = async (http, options) => {
  const { data } = await http.json('v1/models', modelsBody, undefined, options);
  const owner = data[0]?.owned_by;
  return owner === 'library' ? 'ollama' : (owners.find((kind) => kind === owner) ?? null);
};

const prefix = /^(?:# (?:HELP|TYPE) )?(?:ray_)?(aphrodite|vllm|sglang|llamacpp|tgi)[:_]/m;

const byMetrics: Evidence = async (http, options) => {
  const { body } = await http.ask('metrics', { maxBytes: maxMetricsBytes }, options);
  return (prefix.exec(Buffer.from(body).toString('latin1'))?.[1] as EngineKind | undefined) ?? null;
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

/** Source tokenizer: what the engine's tokenizer really does with a short text. */
import { type Engine, type EngineError, isEngineError, scraperOf } from '../engine/index.js';
import { observe, requireEngine, type SourceOptions, type SourceRequests } from './observation.js';
import type { SourceFields, TokenizerSource } from './types.js';

type Fields = SourceFields['tokenizer'];

const nothing: Fields = {
  tokenizer_available: null,
  engine_type: null,
  has_encode_method: null,
  has_decode_method: null,
  round_trip_ok: null,
  max_model_len: null,
};

const absent: Fields = {
  ...nothing,
  tokenizer_available: false,
  has_encode_method: false,
  has_decode_method: false,
};

const probe = 'Echo states remember 12 steps.';

/**
 * Source tokenizer: what the engine's tokenizer really does with a short text. POST /tokenize must answer; POST /detokenize
 * of its tokens shows the way back. Tokenizers add marks such as <s>, so the round trip holds when the text comes back
 * inside of what was detokenized. A kind of engine that has no tokenizer over HTTP has tokenizer_available false: that is
 * an answer, not a failure.
 *
 * engine_type is what the engine detects of itself; else the owner that GET /v1/models names, and where that is refused
 * the prefix of GET /metrics.
 */
export function fetchTokenizerDataSource(engine: Engine | null, options: SourceOptions = {}): Promise<TokenizerSource> {
  const ask = (requests: SourceRequests) => readTokenizer(requireEngine(engine), requests);
  return observe({ source: 'tokenizer', request: 'POST /tokenize', nothing, ask }, options);
}

async function readTokenizer(engine: Engine, requests: SourceRequests): Promise<Fields> {
  const type = engineType(engine, requests);
  const tokenized = await requests.require(
    engine.tokenize(probe, { signal: requests.signal }).catch(unlessUnsupported),
  );
  if (tokenized === null) return { ...absent, engine_type: await type };
  const { tokens, maxModelLen } = tokenized;
  const back = await roundTrip(engine, tokens, requests);
  return {
    tokenizer_available: true,
    engine_type: await type,
    has_encode_method: true,
    has_decode_method: back.known,
    round_trip_ok: back.text === null ? null : back.text.includes(probe),
    max_model_len: maxModelLen,
  };
}

function unlessUnsupported(error: unknown): null {
  if (isEngineError(error) && error.code === 'ERR_DTESN_ENGINE_UNSUPPORTED') return null;
  throw error;
}

/** Whether the engine detokenizes: no, when it has no such endpoint; unknown, when it fails. */
async function roundTrip(
  engine: Engine,
  tokens: number[],
  requests: SourceRequests,
): Promise<{ known: boolean | null; text: string | null }> {
  let absent = false;
  const asked = engine.detokenize(tokens, { signal: requests.signal }).catch((error: unknown) => {
    absent = isEngineError(error) && isAbsence(error);
    throw error;
  });
  const text = await requests.optional('POST /detokenize', asked);
  return { known: text !== null ? true : absent ? false : null, text };
}

function isAbsence({ code, status }: EngineError): boolean {
  return code === 'ERR_DTESN_ENGINE_UNSUPPORTED' || [404, 405, 501].includes(status ?? 0);
}

async function engineType(engine: Engine, requests: SourceRequests): Promise<Fields['engine_type']> {
  const { signal } = requests;
  if (engine.kind !== undefined) return requests.optional('its kind', engine.kind({ signal }));
  const cards = await requests.optional('GET /v1/models', engine.models({ signal }));
  // Models are behind the key, metrics are not.
  if (cards === null) return requests.optional('GET /metrics', typeOfMetrics(engine, requests));
  const owner = cards[0]?.ownedBy;
  return owner === 'aphrodite' || owner === 'vllm' ? owner : null;
}

async function typeOfMetrics(engine: Engine, { signal, clock }: SourceRequests): Promise<Fields['engine_type']> {
  return (await scraperOf(engine, clock).scrape({ signal })).figures.engineType;
}

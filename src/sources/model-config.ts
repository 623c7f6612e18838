/** Source model_config: the engine and the model's files on this host, joined. */
import type { Engine, ModelCard } from '../engine/index.js';
import { configFacts, joinFacts, type ModelFacts, modelConflicts } from '../engine/index.js';
import { observe, requireEngine, type SourceOptions, type SourceRequests } from './observation.js';
import type { ModelConfigSource, SourceFields } from './types.js';

type Fields = SourceFields['model_config'];

const CARD = "the engine's model card";

const nothing: Fields = {
  model_name: null,
  max_model_len: null,
  vocab_size: null,
  hidden_size: null,
  dtype: null,
  engine_version: null,
  trained_length: null,
  tokenizer_size: null,
  conflicts: null,
  provenance: null,
};

/**
 * Source model_config: the engine and the model's files on this host, joined.
 *
 *     GET /v1/models, the first base model   model_name, max_model_len: what is served counts, not what is on disk
 *     GET /version                           engine_version
 *     the files (model-files.ts)             vocab_size, hidden_size, dtype, trained_length, tokenizer_size; the first three
 *                                            from the engine where no file says: llama.cpp, Ollama and TGI tell some
 *
 * The running dtype can differ from the file's (the engine may convert), so `provenance` says where a field was read.
 * Where both speak of the same, `conflicts` says what does not agree.
 */
export function fetchModelDataSource(engine: Engine | null, options: SourceOptions = {}): Promise<ModelConfigSource> {
  const ask = (requests: SourceRequests) => readModelConfig(requireEngine(engine), requests);
  return observe({ source: 'model_config', request: 'GET /v1/models', nothing, ask }, options);
}

async function readModelConfig(engine: Engine, requests: SourceRequests): Promise<Fields> {
  const { signal } = requests;
  const version = requests.optional('GET /version', engine.version({ signal }));
  const cards = await requests.require(engine.models({ signal }));
  const card = cards.find(({ parent }) => parent === null) ?? cards[0] ?? null;
  // Asked for after the models: their answer says where the files lie.
  const files = await requests.optional("the model's files", engine.modelFiles({ signal }));
  requests.problems.push(...(files?.problems ?? []));
  const facts = files?.facts ?? joinFacts([['config.json', configFacts(files?.config ?? {})]]);
  const fields = {
    model_name: card?.id ?? null,
    max_model_len: card?.maxModelLen ?? null,
    vocab_size: facts.vocabSize ?? card?.vocabSize ?? null,
    hidden_size: facts.hiddenSize ?? card?.hiddenSize ?? null,
    dtype: facts.dtype ?? card?.dtype ?? null,
    engine_version: await version,
    trained_length: facts.trainedLength,
    tokenizer_size: facts.tokenizerSize,
    // A card that was read in the files has nothing to contradict.
    conflicts: modelConflicts(card?.readFrom === undefined ? card : null, files, facts),
  };
  return { ...fields, provenance: provenance(fields, card, facts) };
}

function provenance(
  fields: Omit<Fields, 'provenance'>,
  card: ModelCard | null,
  { provenance: file }: ModelFacts,
): Record<string, string> {
  const from: Record<string, string | undefined> = {
    model_name: card?.readFrom?.id ?? 'GET /v1/models',
    max_model_len: card?.readFrom?.maxModelLen ?? 'GET /v1/models',
    vocab_size: file.vocabSize ?? CARD,
    hidden_size: file.hiddenSize ?? CARD,
    dtype: file.dtype ?? CARD,
    engine_version: 'GET /version',
    trained_length: file.trainedLength,
    tokenizer_size: file.tokenizerSize,
  };
  const known = (entry: [string, string | undefined]): entry is [string, string] =>
    entry[1] !== undefined && fields[entry[0] as keyof typeof fields] !== null;
  return Object.fromEntries(Object.entries(from).filter(known));
}

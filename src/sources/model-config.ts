/**
 * Source model_config: name and length from GET /v1/models (the first base model), the engine's version from
 * GET /version, sizes and dtype from config.json where the model's folder is known. HTTP has no sizes.
 *
 * The running dtype can differ from the file's (the engine may convert), so `provenance` says where a field was read.
 */
import type { Engine, ModelFiles } from './engine.js';
import { type Inquiry, observe, required, type SourceOptions } from './observation.js';
import type { ModelConfigSource, SourceFields } from './types.js';

type Fields = SourceFields['model_config'];

const nothing: Fields = {
  model_name: null,
  max_model_len: null,
  vocab_size: null,
  hidden_size: null,
  dtype: null,
  engine_version: null,
  provenance: null,
};

export function fetchModelDataSource(engine: Engine | null, options: SourceOptions = {}): Promise<ModelConfigSource> {
  const ask = (inquiry: Inquiry) => readModelConfig(required(engine), inquiry);
  return observe({ source: 'model_config', request: 'GET /v1/models', nothing, ask }, options);
}

async function readModelConfig(engine: Engine, inquiry: Inquiry): Promise<Fields> {
  const { signal } = inquiry;
  const version = inquiry.added('GET /version', engine.version({ signal }));
  const files = inquiry.added("the model's files", engine.modelFiles());
  const cards = await inquiry.needed(engine.models({ signal }));
  const card = cards.find(({ parent }) => parent === null) ?? cards[0];
  const fields = {
    model_name: card?.id ?? null,
    max_model_len: card?.maxModelLen ?? null,
    ...fileFields(await files),
    engine_version: await version,
  };
  return { ...fields, provenance: provenance(fields) };
}

const sizes = ['vocab_size', 'hidden_size', 'dtype'] as const;

/** Model families name the same size differently; multimodal ones keep it under text_config. */
function fileFields(files: ModelFiles | null): Pick<Fields, (typeof sizes)[number]> {
  const config = files?.config ?? {};
  const nested = config['text_config'];
  const text = typeof nested === 'object' && nested !== null ? (nested as Record<string, unknown>) : {};
  const first = <T>(keys: string[], accept: (value: unknown) => value is T): T | null =>
    [...keys.map((key) => config[key]), ...keys.map((key) => text[key])].find(accept) ?? null;
  const dtype = first(['dtype', 'torch_dtype'], (value): value is string => typeof value === 'string');
  return {
    vocab_size: first(['vocab_size'], isSize),
    hidden_size: first(['hidden_size', 'n_embd', 'd_model', 'dim'], isSize),
    dtype: dtype?.replace(/^torch\./, '') ?? null,
  };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function provenance(fields: Omit<Fields, 'provenance'>): Record<string, string> {
  const from: Record<string, string> = {
    model_name: 'GET /v1/models',
    max_model_len: 'GET /v1/models',
    engine_version: 'GET /version',
  };
  for (const size of sizes) from[size] = 'config.json';
  return Object.fromEntries(Object.entries(from).filter(([name]) => fields[name as keyof typeof fields] !== null));
}

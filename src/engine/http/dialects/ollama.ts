/**
 * Ollama: models from /v1/models, their sizes from /api/show, the context of those in memory from /api/ps (the trained
 * context is no limit of a loaded model). No tokenizer and no metrics over HTTP; no key. Source: docs/api.md of Ollama.
 */
import { z } from 'zod';
import type { ModelCard, RequestOptions } from '../../engine.js';
import type { EngineHttp } from '../engine-http.js';
import { type Dialect, size, unsupported } from './dialect.js';

const modelsBody = z.object({ data: z.array(z.object({ id: z.string(), owned_by: z.string().nullish() })).nullable() });
const runningBody = z.object({ models: z.array(z.object({ name: z.string(), context_length: size.nullish() })) });
const showBody = z.object({ model_info: z.record(z.string(), z.unknown()).nullish() });
const versionBody = z.object({ version: z.string() });

export const ollama: Dialect = {
  kind: 'ollama',
  keyed: (path) => path.startsWith('v1/'),
  async models(http, options) {
    const running = await loaded(http, options);
    const { data } = await http.json('v1/models', modelsBody, undefined, options);
    // What is in memory comes first: it is what the engine serves now.
    const cards = (data ?? []).map((card) => ({ ...card, at: running.findIndex(({ name }) => name === card.id) }));
    cards.sort((a, b) => (a.at < 0 ? 1 : 0) - (b.at < 0 ? 1 : 0));
    const [first, ...rest] = cards.map(({ id, owned_by, at }) => ({
      ...{ id, root: null, parent: null, ownedBy: owned_by ?? null },
      maxModelLen: running[at]?.context_length ?? null,
    }));
    return first === undefined ? [] : [await withSizes(http, first, options), ...rest];
  },
  async version(http, options) {
    return (await http.json('api/version', versionBody, undefined, options)).version;
  },
  async health(http, options) {
    await http.ask('', { vital: true }, options);
  },
  async metrics(http) {
    throw unsupported(http, 'Ollama', 'metrics');
  },
  async tokenize(http) {
    throw unsupported(http, 'Ollama', 'tokenizer over HTTP');
  },
  async detokenize(http) {
    throw unsupported(http, 'Ollama', 'tokenizer over HTTP');
  },
};

async function loaded(http: EngineHttp, options?: RequestOptions) {
  return (await http.json('api/ps', runningBody, undefined, options)).models;
}

async function withSizes(http: EngineHttp, card: ModelCard, options?: RequestOptions): Promise<ModelCard> {
  const info = (await http.json('api/show', showBody, { model: card.id }, options)).model_info ?? {};
  const architecture = String(info['general.architecture']);
  const sizeOf = (name: string) => size.safeParse(info[`${architecture}.${name}`]).data ?? null;
  return { ...card, vocabSize: sizeOf('vocab_size'), hiddenSize: sizeOf('embedding_length') };
}

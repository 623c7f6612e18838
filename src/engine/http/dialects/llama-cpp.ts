/**
 * llama.cpp's server: /v1/models tells vocabulary and embedding size in `meta`, /props the context of a slot (the trained
 * one in `meta` is no limit of this server) and the build. Its key guards all but /health and the model lists.
 * Without --metrics /metrics answers 501. Source: tools/server of llama.cpp.
 */
import { z } from 'zod';
import { answersHealth, type Dialect, prometheusText, size, tokenIds, unsupported } from './dialect.js';

const meta = z.object({ n_vocab: size.nullish(), n_embd: size.nullish() });
const modelsBody = z.object({
  data: z.array(z.object({ id: z.string(), owned_by: z.string().nullish(), meta: meta.nullish() })),
});
const propsBody = z.object({
  default_generation_settings: z.object({ n_ctx: size.nullish() }).nullish(),
  model_path: z.string().nullish(),
  build_info: z.string().nullish(),
});
const tokenizeBody = z.object({ tokens: tokenIds });
const detokenizeBody = z.object({ content: z.string() });

export const llamaCpp: Dialect = {
  kind: 'llamacpp',
  keyed: (path) => path !== 'health' && path !== 'v1/models',
  async models(http, options) {
    // Props need the key where models do not: without it the length stays unknown.
    const known = http.json('props', propsBody, undefined, options).catch(() => null);
    const { data } = await http.json('v1/models', modelsBody, undefined, options);
    const props = await known;
    return data.map(({ id, owned_by, meta }) => ({
      id,
      root: props?.model_path ?? null,
      parent: null,
      maxModelLen: props?.default_generation_settings?.n_ctx ?? null,
      ownedBy: owned_by ?? null,
      vocabSize: meta?.n_vocab ?? null,
      hiddenSize: meta?.n_embd ?? null,
    }));
  },
  async version(http, options) {
    const { build_info } = await http.json('props', propsBody, undefined, options);
    if (build_info) return build_info;
    throw unsupported(http, 'a llama.cpp server of before 2025', 'build_info in /props');
  },
  health: answersHealth,
  metrics: prometheusText,
  async tokenize(http, text, options) {
    const { tokens } = await http.json('tokenize', tokenizeBody, { content: text, add_special: true }, options);
    return { count: tokens.length, maxModelLen: null, tokens };
  },
  async detokenize(http, tokens, options) {
    return (await http.json('detokenize', detokenizeBody, { tokens }, options)).content;
  },
};

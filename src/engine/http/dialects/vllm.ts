/**
 * Aphrodite and vLLM: the same endpoints. The key guards only paths under /v1; /tokenize and /metrics are open beside it.
 *
 * Source: aphrodite/entrypoints (2026-04); vLLM keeps the same routes.
 */
import { z } from 'zod';
import { answersHealth, type Dialect, prometheusText, size, tokenIds } from './dialect.js';

const maxModelLen = size.nullish();
const modelsBody = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      root: z.string().nullish(),
      parent: z.string().nullish(),
      max_model_len: maxModelLen,
      owned_by: z.string().nullish(),
    }),
  ),
});
const versionBody = z.object({ version: z.string() });
const tokenizeBody = z.object({
  tokens: tokenIds,
  count: z.number().int().nonnegative(),
  max_model_len: maxModelLen,
});
const detokenizeBody = z.object({ prompt: z.string() });

const routes: Omit<Dialect, 'kind'> = {
  keyed: (path) => path.startsWith('v1/'),
  async models(http, options) {
    const { data } = await http.json('v1/models', modelsBody, undefined, options);
    return data.map((card) => ({
      id: card.id,
      root: card.root ?? null,
      parent: card.parent ?? null,
      maxModelLen: card.max_model_len ?? null,
      ownedBy: card.owned_by ?? null,
    }));
  },
  async version(http, options) {
    return (await http.json('version', versionBody, undefined, options)).version;
  },
  health: answersHealth,
  metrics: prometheusText,
  async tokenize(http, text, options) {
    const { count, max_model_len, tokens } = await http.json('tokenize', tokenizeBody, { prompt: text }, options);
    return { count, maxModelLen: max_model_len ?? null, tokens };
  },
  async detokenize(http, tokens, options) {
    return (await http.json('detokenize', detokenizeBody, { tokens }, options)).prompt;
  },
};

export const aphrodite: Dialect = { kind: 'aphrodite', ...routes };
export const vllm: Dialect = { kind: 'vllm', ...routes };

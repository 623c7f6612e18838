/**
 * Text Generation Inference: one page of facts at /info; /tokenize answers a list of tokens and there is no way back.
 * Prompt and output together are max_total_tokens. The key guards what generates and /tokenize. Source: TGI's router.
 */
import { z } from 'zod';
import { dtypeWord } from '../../model-facts.js';
import { answersHealth, type Dialect, prometheusText, size, unsupported } from './dialect.js';

const infoBody = z.object({
  model_id: z.string(),
  model_dtype: z.string().nullish(),
  max_total_tokens: size.nullish(),
  version: z.string(),
});
const tokenizeBody = z.array(z.object({ id: z.number().int().nonnegative() }));

export const tgi: Dialect = {
  kind: 'tgi',
  keyed: (path) => path.startsWith('v1/') || path === 'tokenize',
  async models(http, options) {
    const info = await http.json('info', infoBody, undefined, options);
    const { model_id, model_dtype, max_total_tokens } = info;
    const maxModelLen = max_total_tokens ?? null;
    return [{ id: model_id, root: model_id, parent: null, maxModelLen, ownedBy: null, dtype: dtypeWord(model_dtype) }];
  },
  async version(http, options) {
    return (await http.json('info', infoBody, undefined, options)).version;
  },
  health: answersHealth,
  metrics: prometheusText,
  async tokenize(http, text, options) {
    const tokens = await http.json('tokenize', tokenizeBody, { inputs: text }, options);
    return { count: tokens.length, maxModelLen: null, tokens: tokens.map(({ id }) => id) };
  },
  async detokenize(http) {
    throw unsupported(http, 'TGI', 'way from tokens to text');
  },
};

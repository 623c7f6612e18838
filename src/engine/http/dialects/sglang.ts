/**
 * SGLang: /v1/models with max_model_len, /server_info (before: /get_server_info) with the version, /tokenize as vLLM's,
 * /detokenize with `text`. Its key guards everything but /health and /metrics. Source: SGLang's native API pages.
 */
import { z } from 'zod';
import { isEngineError } from '../../engine-error.js';
import { answersHealth, type Dialect, prometheusText } from './dialect.js';
import { vllm } from './vllm.js';

const infoBody = z.object({ version: z.string() });
const detokenizeBody = z.object({ text: z.string() });

export const sglang: Dialect = {
  kind: 'sglang',
  keyed: (path) => !/^(health|metrics)/.test(path),
  models: vllm.models,
  async version(http, options) {
    try {
      return (await http.json('server_info', infoBody, undefined, options)).version;
    } catch (error) {
      if (!isEngineError(error) || error.status !== 404) throw error;
      return (await http.json('get_server_info', infoBody, undefined, options)).version;
    }
  },
  health: answersHealth,
  metrics: prometheusText,
  tokenize: vllm.tokenize,
  async detokenize(http, tokens, options) {
    return (await http.json('detokenize', detokenizeBody, { tokens }, options)).text;
  },
};

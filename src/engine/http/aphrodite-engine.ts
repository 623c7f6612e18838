/**
 * Client of an Aphrodite or vLLM server, which have the same endpoints: GET /v1/models, /version, /health, /metrics,
 * POST /tokenize, /detokenize.
 */
import { aphrodite } from './dialects/index.js';
import { HttpEngine, type HttpEngineOptions } from './http-engine.js';

/** Options of AphroditeEngine: those of HttpEngine without `kind`. */
export type AphroditeEngineOptions = Omit<HttpEngineOptions, 'kind'>;

/**
 * Client of an Aphrodite or vLLM server, which have the same endpoints: GET /v1/models, /version, /health, /metrics, POST
 * /tokenize, /detokenize. The key guards only paths under /v1, so it is sent only there.
 *
 * Options, limits and errors as of HttpEngine, without `kind`: no question waits for its detection, and `kind()` tells the
 * two apart.
 */
export class AphroditeEngine extends HttpEngine {
  constructor(url: string | URL, options: AphroditeEngineOptions = {}) {
    super(url, options);
  }

  /** @internal */
  protected override async dialect() {
    return aphrodite;
  }
}

/**
 * An engine that is only a part of one: what it does not answer rejects with ERR_DTESN_ENGINE_UNSUPPORTED, at once.
 */
import type { Engine, EngineSourceName } from './engine.js';
import { EngineError } from './engine-error.js';

export function partialEngine(label: string, offers: readonly EngineSourceName[], answers: Partial<Engine>): Engine {
  const unsupported = (question: string) => async () => {
    throw new EngineError('ERR_DTESN_ENGINE_UNSUPPORTED', `${label} does not answer ${question}`);
  };
  return {
    label,
    simulated: false,
    offers,
    models: unsupported('GET /v1/models'),
    version: unsupported('GET /version'),
    health: unsupported('GET /health'),
    metrics: unsupported('GET /metrics'),
    tokenize: unsupported('POST /tokenize'),
    detokenize: unsupported('POST /detokenize'),
    modelFiles: async () => null,
    close: async () => {},
    async [Symbol.asyncDispose]() {
      await this.close();
    },
    ...answers,
  };
}

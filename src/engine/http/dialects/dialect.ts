/**
 * A dialect: how one kind of engine is asked what every engine is asked. Read-only: GET, and POST of what only computes.
 *
 * What a kind cannot say is null in its answer; an endpoint it does not have rejects with ERR_DTESN_ENGINE_UNSUPPORTED.
 */
import { z } from 'zod';
import type { EngineKind, ModelCard, RequestOptions, Tokenization } from '../../engine.js';
import { EngineError } from '../../engine-error.js';
import { type EngineHttp, maxMetricsBytes } from '../engine-http.js';

export interface Dialect {
  kind: EngineKind;
  /** Whether this kind wants its key on a path: it is sent nowhere else. */
  keyed(path: string): boolean;
  models(http: EngineHttp, options?: RequestOptions): Promise<ModelCard[]>;
  version(http: EngineHttp, options?: RequestOptions): Promise<string>;
  health(http: EngineHttp, options?: RequestOptions): Promise<void>;
  metrics(http: EngineHttp, options?: RequestOptions): Promise<Uint8Array>;
  tokenize(http: EngineHttp, text: string, options?: RequestOptions): Promise<Tokenization>;
  detokenize(http: EngineHttp, tokens: number[], options?: RequestOptions): Promise<string>;
}

export const size = z.number().int().positive();
export const tokenIds = z.array(z.number().int().nonnegative());

export async function answersHealth(http: EngineHttp, options?: RequestOptions): Promise<void> {
  await http.ask('health', { vital: true }, options);
}

export async function prometheusText(http: EngineHttp, options?: RequestOptions): Promise<Uint8Array> {
  return (await http.ask('metrics', { maxBytes: maxMetricsBytes, vital: true }, options)).body;
}

export function unsupported(http: EngineHttp, kind: string, what: string): EngineError {
  return new EngineError('ERR_DTESN_ENGINE_UNSUPPORTED', `${http.label} is ${kind}, which has no ${what}`);
}

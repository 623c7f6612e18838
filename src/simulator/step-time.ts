/**
 * How long a step of the simulated engine takes.
 *
 *     step time, ms = 29.8 + 0.208 batch + 0.000173 kv_tokens + 0.0910 prefill_tokens    when any request decodes
 *                   = 10.1 + 0.0910 prefill_tokens                                       when all of them prefill
 *
 * `batch` and `kv_tokens` are of the requests that decode in the step, `prefill_tokens` of those that do not.
 * Source: fit to SageServe's published measurements (Llama2-70B, H100, TP 8), R² 0.997 (prefill) and 0.968 (decode).
 */
import { meanOutputTokens, meanPromptTokens } from './arrivals.js';

const PREFILL_MS = 10.1;
const PREFILL_TOKEN_MS = 0.091;
const DECODE_MS = 29.8;
const DECODE_SEQUENCE_MS = 0.208;
const DECODE_KV_TOKEN_MS = 0.000173;

/** What one step works on. */
export interface StepWork {
  prefillTokens: number;
  batch: number;
  kvTokens: number;
}

export function stepSeconds({ prefillTokens, batch, kvTokens }: StepWork): number {
  const decode = batch > 0 ? DECODE_MS + DECODE_SEQUENCE_MS * batch + DECODE_KV_TOKEN_MS * kvTokens : PREFILL_MS;
  return (decode + PREFILL_TOKEN_MS * prefillTokens) / 1000;
}

/** Synthetic requests a second at full batch: each costs its prefill and its share of the decode steps it is in. */
export function servedPerSecond(maxNumSeqs: number, kvTokens: number): number {
  const length = meanPromptTokens + meanOutputTokens / 2;
  const batch = Math.max(1, Math.min(maxNumSeqs, kvTokens / length));
  const step = DECODE_MS + DECODE_SEQUENCE_MS * batch + DECODE_KV_TOKEN_MS * batch * length;
  return 1000 / (PREFILL_TOKEN_MS * meanPromptTokens + (meanOutputTokens * step) / batch);
}

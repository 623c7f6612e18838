/** A request on its way through an engine, and its listener. */
import type { Arrival } from './arrivals.js';

export const finishReasons = ['stop', 'length', 'abort', 'error', 'repetition'] as const;
/** Why a simulated request ended, as engines name it in their metrics. */
export type FinishReason = (typeof finishReasons)[number];

/** Told what becomes of a request, at the virtual time when it happens. */
export interface RequestListener {
  token(): void;
  end(reason: FinishReason): void;
}

export interface EngineRequest extends Arrival {
  readonly listener: RequestListener | null;
  /** Tokens whose keys and values are in KV memory. */
  computed: number;
  generated: number;
  blocks: number;
  /** Tokens it was given in the present step. */
  scheduled: number;
  admittedAt: number | null;
  firstTokenAt: number | null;
  lastTokenAt: number;
}

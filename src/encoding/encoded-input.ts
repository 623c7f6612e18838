/**
 * What an input became: token ids or numbers, and who made them.
 *
 * Token ids are whole numbers in [0, 2^32), one a step (one feature). Numbers are steps x features, flat (row-major) or
 * as rows. The values are the caller's own, not copied: `writeSeries` moves them once, into the arena.
 */
export type FlatValues = readonly number[] | Float32Array | Float64Array | Uint8Array;

/** An input that became token ids: whole numbers in [0, 2^32), one a step, and who made them. */
export interface EncodedTokens {
  kind: 'tokens';
  steps: number;
  features: 1;
  tokens: readonly number[] | Uint8Array;
  encoder: 'engine' | 'local' | 'utf8-bytes' | 'given';
  /** Why the text was encoded by something other than the engine; null when there is nothing to say. */
  note: string | null;
  /** What the engine's tokenizer threw, else the local one's, when that is the reason. */
  error: Error | null;
}

/** An input that consists of numbers: steps x features, flat (row-major) or as rows, not copied. */
export interface EncodedNumbers {
  kind: 'numbers';
  steps: number;
  features: number;
  values: FlatValues | readonly (readonly number[])[];
  /** Greatest absolute value: what decides whether the numbers fit f32. */
  largest: number;
  encoder: 'given';
  note: null;
  error: null;
}

/** An input after encoding: token ids or numbers, with `kind` to tell them apart. */
export type EncodedInput = EncodedTokens | EncodedNumbers;

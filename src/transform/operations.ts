/** The operations of a transform program, as plain JSON. */
import { z } from 'zod';

const finite = (op: string) => z.number().describe(`a finite number (${op})`);
const steps = (op: string) => z.int().min(0).describe(`a whole number of steps, 0 or more (${op})`);
const positive = (what: string, op: string) => z.int().min(1).describe(`a whole number of ${what}, 1 or more (${op})`);
const perFeature = (numbers: string, least: number) =>
  z.array(z.number(numbers).min(least, numbers)).min(1).optional().describe(`an array of ${numbers} (zscore)`);

const truncate = z.strictObject({
  op: z.literal('truncate'),
  steps: steps('truncate'),
  keep: z.enum(['first', 'last']).optional().describe("'first' or 'last' (truncate)"),
});

const pad = z.strictObject({ op: z.literal('pad'), steps: steps('pad'), value: finite('pad') });

const clip = z
  .strictObject({
    op: z.literal('clip'),
    min: z.number().describe('a finite number, at most max (clip)'),
    max: finite('clip'),
  })
  .refine(({ min, max }) => min <= max, { path: ['min'] });

const scale = z.strictObject({ op: z.literal('scale'), factor: finite('scale'), offset: finite('scale') });

const zscore = z
  .strictObject({
    op: z.literal('zscore'),
    mean: perFeature('finite numbers, one a feature', -Number.MAX_VALUE),
    deviation: perFeature('numbers of 0 or more, as many as mean has', 0),
    epsilon: z.number().min(0).describe('a number, 0 or more (zscore)'),
  })
  .refine(({ mean, deviation }) => mean?.length === deviation?.length, { path: ['deviation'] });

const minmax = z
  .strictObject({
    op: z.literal('minmax'),
    low: z.number().describe('a finite number below high (minmax)'),
    high: finite('minmax'),
  })
  .refine(({ low, high }) => low < high, { path: ['low'] });

const log1p = z.strictObject({ op: z.literal('log1p') });

const difference = z.strictObject({ op: z.literal('difference') });

const ema = z.strictObject({
  op: z.literal('ema'),
  alpha: z.number().gt(0).max(1).describe('a number in (0, 1] (ema)'),
});

const meanpool = z.strictObject({ op: z.literal('meanpool'), window: positive('steps', 'meanpool') });

const repeat = z.strictObject({ op: z.literal('repeat'), times: positive('times', 'repeat') });

const embed = z.strictObject({
  op: z.literal('embed'),
  features: positive('features', 'embed'),
  seed: z.int().min(0).describe('a whole number in [0, 2^53) (embed)'),
  scale: z.number().gt(0).optional().describe('a finite number above 0 (embed)'),
});

export const operationSchemas = {
  truncate,
  pad,
  clip,
  scale,
  zscore,
  minmax,
  log1p,
  difference,
  ema,
  meanpool,
  repeat,
  embed,
} as const;

/** zod schema of one operation of a transform program, with `op` as its discriminator. */
export const transformOpSchema = z.discriminatedUnion('op', [
  truncate,
  pad,
  clip,
  scale,
  zscore,
  minmax,
  log1p,
  difference,
  ema,
  meanpool,
  repeat,
  embed,
]);

/**
 * The operations of a transform program, as plain JSON. A series is steps x features, row-major; y is the result.
 *
 *     truncate   the first (default) or last `steps` rows; shorter series are left alone
 *     pad        rows of `value` appended until there are `steps`; longer series are left alone
 *     clip       y = min(max(x, min), max)
 *     scale      y = x·factor + offset
 *     zscore     y = (x - mean) / (deviation + epsilon), per feature; moments given, or measured over the series
 *                (population deviation, f64); where deviation + epsilon = 0, y = 0
 *     minmax     y = low + (x - least)·(high - low)/(greatest - least), per feature, measured; constant features: low
 *     log1p      y = sign(x)·ln(1 + |x|): odd, so that negative values keep their sign
 *     difference y_0 = x_0, y_t = x_t - x_{t-1}: the cumulative sum of y is x again
 *     ema        y_0 = x_0, y_t = alpha·x_t + (1 - alpha)·y_{t-1}, carried in f64
 *     meanpool   y_i = mean of rows i·window ... of one window; the last window may be short
 *     repeat     every row `times` times
 *     embed      token ids (one feature) -> `features` numbers drawn uniformly from [-scale, scale), scale 1 by default
 *
 * NaN passes through every operation, and a feature that holds one has NaN for its measured moments and range. An
 * infinite value makes measured moments and ranges NaN or infinite. Parameters are rounded to the series' dtype in
 * clip, scale and pad.
 *
 * Embedding: feature f of token k is word f mod 4 of Philox4x32-10 with counter (⌊f/4⌋, 0, k, 4) and key (low, high)
 * word of the seed, as (word >> 8)·2^-23 - 1: no table, the same on every platform.
 */
export type TransformOp = z.infer<typeof transformOpSchema>;

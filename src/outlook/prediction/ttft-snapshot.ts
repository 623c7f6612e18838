/** What a TtftPredictor has learned, as plain JSON, and the check of it. */
import { z } from 'zod';
import { checkOptions } from '../../errors/index.js';
import { FEATURES } from './ttft-features.js';

/** What a TtftPredictor has learned, as plain JSON: to be kept and given to restore(), not to be read. */
export interface TtftSnapshot {
  /** Of this form. */
  version: 1;
  /** Averages of the scrapes. */
  view: object;
  /** Sums of the speed of prefill. */
  physics: object;
  /** Rates of the requests that ended, and what was sent since the last scrape. */
  rates: object;
  /** The learned correction. */
  correction: object;
  /** The margin of p90. */
  bound: object;
  /** Requests sent. */
  sent: number;
  /** First tokens. */
  firstTokens: number;
  /** Requests that ended without one. */
  endsWithoutToken: number;
}

const count = z.int().min(0);
const level = z.number().min(0).nullable();
const rate = z.strictObject({ sum: z.number().min(0), at: z.number().nullable(), since: z.number(), rate: level });
const since = z.strictObject({
  atSeconds: z.number().nullable(),
  tokens: count,
  requests: count,
  startedTokens: count,
  aheadAtScrape: count,
  lastFirstToken: z.number().nullable(),
});
const reading = z.strictObject({
  atSeconds: z.number(),
  running: level,
  waiting: level,
  kvUsage: z.number().min(0).max(1).nullable(),
  promptTokens: level,
  generationTokens: level,
  requestsTotal: level,
  iterationCount: level,
});

export const snapshotSchema = z.object({
  version: z.literal(1).describe('1'),
  view: z
    .strictObject({
      last: reading.nullable(),
      kvTokens: level,
      itl: level,
      finishRate: level,
      promptRate: level,
      promptSum: z.number().min(0),
      answerSum: z.number().min(0),
      requestSum: z.number().min(0),
      ownSum: z.number().min(0),
    })
    .describe('averages of scrapes'),
  physics: z.strictObject({ product: z.number().min(0), square: z.number().min(0) }).describe('two sums'),
  rates: z.strictObject({ since, release: rate, finishes: rate }).describe('rates of requests'),
  correction: z
    .strictObject({
      steps: count,
      scale: z.number().gt(0),
      weights: z.array(z.number()).length(FEATURES),
      covariance: z.array(z.number()).length(FEATURES ** 2),
    })
    .describe('weights and their covariance'),
  bound: z.strictObject({ margin: z.number().min(0), errors: count }).describe('a margin'),
  sent: count.describe('a whole number, 0 or more,'),
  firstTokens: count.describe('a whole number, 0 or more,'),
  endsWithoutToken: count.describe('a whole number, 0 or more,'),
});

export function checkSnapshot(snapshot: TtftSnapshot): z.output<typeof snapshotSchema> {
  return checkOptions(snapshotSchema, snapshot, 'a snapshot of TtftPredictor');
}

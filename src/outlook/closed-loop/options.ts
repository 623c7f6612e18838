/** Options of closedLoop, its policies and what they are given. */
import { z } from 'zod';
import type { EngineMetrics } from '../../engine/index.js';
import type { FaultOptions } from '../../simulator/index.js';
import type { TtftPredictor } from '../prediction/index.js';

const MOST_ENGINES = 64;

const engineSchema = z.strictObject(
  {
    speed: z
      .number({ error: 'a number in [0.01, 100]' })
      .min(0.01, 'a number in [0.01, 100]')
      .max(100, 'a number in [0.01, 100]')
      .default(1),
  },
  { error: 'an object { speed? }' },
);
const anyFunction = z.custom<(...given: never[]) => unknown>((value) => typeof value === 'function');
const policySchema = z.strictObject(
  {
    admit: z
      .union([z.literal(true), z.literal('oracle'), anyFunction], { error: "true, 'oracle' or a function" })
      .optional(),
    pick: z.union([z.literal(true), anyFunction], { error: 'true or a function' }).optional(),
  },
  { error: "an object { admit?: true, 'oracle' or a function, pick?: true or a function }" },
);

export const optionsSchema = z.object({
  trace: z.string().min(1).describe("the path of a trace, or 'mmpp'"),
  load: z.number().min(0.001).max(100).default(1).describe('a number in [0.001, 100]'),
  seed: z.int().min(0).default(0).describe('a whole number in [0, 2^53)'),
  engines: z
    .union([
      z
        .int()
        .min(1)
        .max(MOST_ENGINES)
        .transform((count) => Array.from({ length: count }, () => ({ speed: 1 }))),
      z.array(engineSchema).min(1).max(MOST_ENGINES),
    ])
    .default([{ speed: 1 }])
    .describe(`a whole number of engines in [1, ${MOST_ENGINES}], or as many { speed } in [0.01, 100]`),
  policy: policySchema
    .default({})
    .describe("an object { admit?: true, 'oracle' or a function, pick?: true or a function }"),
  sloMs: z.number().gt(0).max(86_400_000).default(2000).describe('a number of milliseconds in (0, 86400000]'),
  slowdown: z.number().min(0.01).max(100).default(1).describe('a number in [0.01, 100]'),
  faults: z.array(z.unknown()).max(10_000).default([]).describe('an array of at most 10000 faults'),
  visible: z.number().min(0).max(1).default(1).describe('a number in [0, 1]'),
  onOutcome: z
    .custom<(outcome: ClosedLoopOutcome) => void>((value) => typeof value === 'function')
    .optional()
    .describe('a function (outcome)'),
  onProgress: z
    .custom<(progress: ClosedLoopProgress) => void>((value) => typeof value === 'function')
    .optional()
    .describe('a function (progress)'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
});

/** A request that comes to the gateway. */
export interface ClosedLoopRequest {
  /** Tokens of its prompt. Required. */
  readonly promptTokens: number;
  /** Its place among all that come, from 0. Required. */
  readonly index: number;
}

/** What a policy sees of one engine: its last scrape, and what the gateway sent to it and heard from it. */
export interface ClosedLoopEngine {
  /** Its place among all engines, from 0. */
  readonly index: number;
  /** Figures of the last scrape; null before the first. */
  readonly figures: EngineMetrics | null;
  /** When that scrape was taken, virtual seconds; null before the first. */
  readonly readSeconds: number | null;
  /** Whether its state lets it serve, by the rules of EngineMonitor. */
  readonly canServe: boolean;
  /** Requests sent that have not ended. */
  readonly inFlight: number;
  /** Requests sent without a first token. */
  readonly waitingRequests: number;
  /** Prompt tokens of those. */
  readonly waitingTokens: number;
  /** Requests sent since the last scrape. */
  readonly sentRequests: number;
  /** Its predictor, which knows the scrapes and the events. */
  readonly predictor: TtftPredictor;
}

/** Whether a request is taken: true or false. `engines`: those that it could go to. */
export type AdmitPolicy = (
  request: ClosedLoopRequest,
  engines: readonly ClosedLoopEngine[],
  nowSeconds: number,
) => boolean;
/** The `index` of one of `engines`. */
export type PickPolicy = (
  request: ClosedLoopRequest,
  engines: readonly ClosedLoopEngine[],
  nowSeconds: number,
) => number;

/** The rules of the gateway. */
export interface ClosedLoopPolicy {
  /**
   * Whether a request is taken. true: AdmissionRule; 'oracle': a copy of the simulated engine is run to see whether the first
   * token would come within 85 % of `sloMs`, which no gateway can do. Default: all are taken.
   */
  admit?: true | 'oracle' | AdmitPolicy | undefined;
  /** Which engine serves a request. true: RoutingRule. Default: each in turn, or with `admit: true` the engine of AdmissionRule. */
  pick?: true | PickPolicy | undefined;
}

/** What became of one request. */
export interface ClosedLoopOutcome {
  /** The request. */
  request: ClosedLoopRequest;
  /** The engine that it was sent to; null where it was rejected. */
  engine: number | null;
  /** Whether the gateway saw it (`visible`). */
  visible: boolean;
  /** Virtual seconds from its arrival to its first token; null where none came. */
  ttftSeconds: number | null;
  /** When that was known, virtual seconds. */
  atSeconds: number;
}

/** How far a closed loop is: requests that came, of all. */
export interface ClosedLoopProgress {
  /** Requests that came. */
  done: number;
  /** Requests that will come. */
  total: number;
  /** What is done: the load is measured, or the loop runs. */
  stage: 'flood' | 'loop';
}

/** Options of closedLoop: traffic, engines, the rules of the gateway, and what goes wrong. */
export interface ClosedLoopOptions {
  /**
   * The path of a trace (Azure CSV or Mooncake JSON lines, as EngineSimulator reads them), or 'mmpp': an hour of bursty synthetic
   * arrivals. Of a trace at most 100,000 requests are read. Required.
   */
  trace: string;
  /** Mean rate of arrivals as a share of what the engines serve with that mix when flooded, 0.001 to 100. Default 1. */
  load?: number | undefined;
  /** Seed: 70 % of the requests of a trace are kept, chosen by it; the arrivals of 'mmpp' are drawn from it. Default 0. */
  seed?: number | undefined;
  /** How many engines, 1 to 64, or the speed of each: step times are divided by it, 0.01 to 100. Default 1. */
  engines?: number | readonly { speed?: number | undefined }[] | undefined;
  /** The rules of the gateway. Default: everything is taken, by each engine in turn. */
  policy?: ClosedLoopPolicy | undefined;
  /** Milliseconds within which a first token counts as good, in (0, 86,400,000]. Default 2000. */
  sloMs?: number | undefined;
  /** Factor on all step times in the second half of the arrivals' time, 0.01 to 100. Default 1. */
  slowdown?: number | undefined;
  /** What fails, by virtual seconds; docs/simulator.md describes the kinds, and each can have an `engine` here. Default: nothing. */
  faults?: readonly FaultOptions[] | undefined;
  /** Share of the requests that pass the gateway; the others go to each engine in turn without its knowledge. Default 1. */
  visible?: number | undefined;
  /** Called with what became of each request, in the order in which it was known. Default: none. */
  onOutcome?: ((outcome: ClosedLoopOutcome) => void) | undefined;
  /** Called some times a second with how far it is. Default: none. */
  onProgress?: ((progress: ClosedLoopProgress) => void) | undefined;
  /** Ends it; it then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
}

export type CheckedOptions = z.output<typeof optionsSchema>;

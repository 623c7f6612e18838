/** Options of a Fleet, and the questions that it is asked. */
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import type { EngineMonitorOptions } from '../../monitor/index.js';
import { type AdmissionMode, admissionModes } from './fleet-outlook.js';

export const outlookOptionsSchema = z.object({
  admission: z.enum(admissionModes).default('advisory').describe("'advisory' or 'active'"),
  slots: z.int().min(1).max(1_000_000).nullable().default(null).describe('a whole number from 1 to 1000000, or null'),
});

export const optionsSchema = z.object({
  affinity: z.number().min(1).max(Number.MAX_VALUE).default(2).describe('a finite number, 1 or more,'),
  allowEmpty: z.boolean().default(false).describe('true or false'),
  mostPerSecond: z.number().positive().max(1_000_000).optional().describe('observations a second in (0, 1000000]'),
  monitor: z.record(z.string(), z.unknown()).default({}).describe('options of EngineMonitor'),
  outlook: z
    .union([z.boolean(), z.record(z.string(), z.unknown())])
    .default(false)
    .describe('true, false or an object { admission?, slots? }'),
  spreadFirst: z.boolean().default(false).describe('true or false'),
  clock: clockOption,
});

/** Options of the outlook of a Fleet. */
export interface OutlookOptions {
  /** 'advisory': admission refuses nothing and says what it would have refused; 'active': it refuses. Default 'advisory'. */
  admission?: AdmissionMode | undefined;
  /** Requests that an engine runs at the same time (max_num_seqs), 1 to 1,000,000; null where it is not known. Default null. */
  slots?: number | null | undefined;
}

/** Options of Fleet: its rule of choice, and the monitors of its engines. */
export interface FleetOptions {
  /** How many times the cheapest engine's cost that of a session's own engine may be, 1 or more. Default 2. */
  affinity?: number | undefined;
  /** Whether the fleet may have no engine: at first, or after the last one was removed. Default false. */
  allowEmpty?: boolean | undefined;
  /** Whether first observations are spread over an interval (of at most a second) too, in place of coming at once. Default false. */
  spreadFirst?: boolean | undefined;
  /**
   * Observations of all engines together in a second, in (0, 1,000,000]: with more engines the interval of each grows. Default: no
   * bound.
   */
  mostPerSecond?: number | undefined;
  /** Whether it predicts times to first token from the requests that are reported to it, and admits and picks by them. Default false. */
  outlook?: boolean | OutlookOptions | undefined;
  /** Options of the monitor of each engine. Default: those of EngineMonitor. */
  monitor?: EngineMonitorOptions | undefined;
  /** Clock of the monitors, unless `monitor` names one. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const tokens = z.int().min(0).describe('a whole number of tokens, 0 or more,');

export const sentRequestSchema = z.object({
  promptTokens: tokens,
  session: z.string().optional().describe('a string'),
});

/** A request that was sent to an engine of a fleet. */
export interface SentRequest {
  /** Tokens of its prompt. Required. */
  promptTokens: number;
  /** Requests of one session share a prefix. Default: none. */
  session?: string | undefined;
}

export const promptSchema = z.object({ promptTokens: tokens });

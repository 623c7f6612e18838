/** How many replicas will be needed when one that is started now can serve: what is asked, and what is answered. */
import { z } from 'zod';

export const hintSchema = z.object({
  startupSeconds: z.number().min(0).max(3600).default(60).describe('a number of seconds from 0 to 3600'),
  targetUse: z.number().gt(0).max(1).default(0.7).describe('a number in (0, 1]'),
});

/** Options of a scale hint: how long an engine takes to start, and how much of the engines may be in use. */
export interface ScaleHintOptions {
  /** Seconds from the start of a replica until it serves, 0 to 3600. Default 60. */
  startupSeconds?: number | undefined;
  /** Share of the capacity of the replicas that the load may take, in (0, 1]. Default 0.7. */
  targetUse?: number | undefined;
}

/** The load that is expected at one horizon, in requests a second. Null before enough was observed. */
export interface LoadForecast {
  /** How far ahead. */
  horizonSeconds: number;
  /** Mean of the step of 10 s that ends then. */
  requestsPerSecond: number | null;
  /** Quantiles 0.1, 0.5 and 0.9 of the same. */
  p10: number | null;
  p50: number | null;
  p90: number | null;
  /** Share of past steps that came out at most p10, p50 and p90 as it was given then; null before the first 30. */
  coverage: { p10: number; p50: number; p90: number } | null;
  /** `learned`, or `ewma` while too few outcomes are known or the learned forecast errs more. */
  basis: 'learned' | 'ewma';
  /** Outcomes that were learned from. */
  samples: number;
}

/** How many replicas will be needed. */
export interface ScaleHint {
  /** Replicas to have; at least 1. Null while the capacity of a replica or the load is unknown: `unknown` says which. */
  replicas: number | null;
  /** Load expected after `startupSeconds`, in replicas at full use; never below the moving average of 30 s. */
  forecast: number | null;
  /** Load of the last step of 10 s, in replicas at full use: the forecast that nothing changes. */
  persistence: number | null;
  /** Quantiles 0.1 and 0.9 of the load after `startupSeconds`, in replicas at full use. */
  interval: [number, number] | null;
  /** Requests a second that one replica serves at full use. */
  capacity: number | null;
  /** Forecasts 10 s, 1, 5 and 10 min ahead. */
  horizons: LoadForecast[];
  /** What is not known: `load`, `capacity`. */
  unknown: ('load' | 'capacity')[];
}

/** What one look at the engines tells. */
export interface LoadObservation {
  /** UTC, seconds since 1970: the time of day is taken from it. Must not step back. */
  timeSeconds: number;
  /** Requests that came a second, to all engines together, since the last observation; null where it is not known. */
  requestsPerSecond: number | null;
  /** Requests a second that one replica serves at full use with the present mix; null where it is not known: the last known holds. */
  capacity: number | null;
}

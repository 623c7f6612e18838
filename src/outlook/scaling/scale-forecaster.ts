/** The load of the next minutes from a bank of moving averages and the time of day, and the replicas that it needs. */
import type { LoadForecast, LoadObservation, ScaleHint, ScaleHintOptions } from './scale-hint.js';

/** Options of ScaleForecaster. */
export interface ScaleForecasterOptions {
  /** Period of the pattern of a day; shorter for replays of a day in less time. Default 86400. */
  daySeconds?: number | undefined;
}

/** What a ScaleForecaster has learned: plain JSON. */
export type ScaleForecasterSnapshot = { version: 1 } & Record<string, unknown>;

/** Interface of the first commit; the law follows. */
export declare class ScaleForecaster {
  constructor(options?: ScaleForecasterOptions);
  observe(observation: LoadObservation): void;
  /** Forecasts at 10 s, 1, 5 and 10 min. */
  forecasts(): LoadForecast[];
  hint(options?: ScaleHintOptions): ScaleHint;
  snapshot(): ScaleForecasterSnapshot;
  restore(snapshot: ScaleForecasterSnapshot): void;
}

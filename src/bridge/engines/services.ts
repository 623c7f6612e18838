/** What the engines need of the bridge's log and metrics; src/bridge/logs and src/bridge/metrics fulfil it. */

export interface EngineLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

type Labels = Record<string, string>;

export interface EngineCounter {
  inc(labels?: Labels, by?: number): void;
  remove(labels: Labels): void;
}

export interface EngineGauge {
  set(labels: Labels, value: number): void;
  remove(labels: Labels): void;
}

export interface EngineHistogram {
  observe(labels: Labels, value: number): void;
  remove(labels: Labels): void;
}

export interface EngineMetricsRegistry {
  counter(name: string, help: string, labels?: readonly string[]): EngineCounter;
  gauge(name: string, help: string, labels?: readonly string[]): EngineGauge;
  histogram(name: string, help: string, bounds: readonly number[], labels?: readonly string[]): EngineHistogram;
  /** Runs before each scrape. */
  collect(update: () => void): void;
}

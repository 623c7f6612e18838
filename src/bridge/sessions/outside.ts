/** What the session service needs of the rooms beside it: the log and the metrics. */

export interface SessionLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

type Labels = Record<string, string>;

export interface SessionMetrics {
  counter(name: string, help: string, labels?: string[]): { inc(labels?: Labels, by?: number): void };
  gauge(name: string, help: string, labels?: string[]): { set(labels: Labels, value: number): void };
  histogram(
    name: string,
    help: string,
    bounds: number[],
    labels?: string[],
  ): { observe(labels: Labels, value: number): void };
  collect(call: () => void): void;
}

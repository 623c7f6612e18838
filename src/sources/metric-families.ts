/** Metrics as they were exposed: samples by family, of no meaning yet. */
export type MetricType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'summary'
  | 'untyped'
  | 'unknown'
  | 'info'
  | 'stateset'
  | 'gaugehistogram';

export interface Sample {
  /** With its suffix: x_bucket, x_sum, x_total. */
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
  /** As written (milliseconds in Prometheus text, seconds in OpenMetrics). */
  timestamp: number | null;
}

export interface MetricFamily {
  name: string;
  type: MetricType;
  help: string | null;
  samples: Sample[];
}

export type MetricFamilies = ReadonlyMap<string, MetricFamily>;

/** What this folder needs of the registry of metrics: families made by name, and a call before each scrape. */
export interface MetricsFamilies {
  counter(name: string, help: string, labels?: readonly string[]): { inc(labels?: Record<string, string>): void };
  gauge(
    name: string,
    help: string,
    labels?: readonly string[],
  ): { set(labels: Record<string, string>, value: number): void };
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    labels?: readonly string[],
  ): { observe(labels: Record<string, string>, value: number): void };
  collect(call: () => void): void;
}

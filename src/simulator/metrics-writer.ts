/**
 * Prometheus text as the Python client writes it, in its two forms.
 *
 * - single process: families in the order they were made; histograms as buckets, count, sum for one child after the
 *   other; a `_created` gauge behind each counter and histogram
 * - multi-process (PROMETHEUS_MULTIPROC_DIR): families by type (its files are one a type), no `_created`, and a
 *   histogram's sums of all children before the buckets and count of the first
 *
 * Law: labels stand in alphabetical order, numbers are floats in Go's form (19.0, 1.7953796409e+09).
 * Source: prometheus_client 0.16, exposition.py and multiprocess.py, run on the same declarations.
 */
import { labelText } from '../engine/index.js';
import type { Histogram } from './histogram.js';

export type MetricsForm = 'single-process' | 'multi-process';
export type Labels = Record<string, string>;
/** A label set beside those of the family, and its value. */
export type Sample = [Labels, number];

type Family = 'counter' | 'histogram' | 'gauge';

export class MetricsWriter {
  /** The multi-process form collects by type: the order in which its files were read where this was run. */
  private readonly lines: Record<Family, string[]> = { counter: [], histogram: [], gauge: [] };

  constructor(
    private readonly form: MetricsForm,
    /** Unix time at which the children were made, seconds. */
    private readonly created: number,
  ) {}

  gauge(name: string, help: string, samples: readonly Sample[]): void {
    this.family('gauge', name, help);
    for (const [labels, value] of samples) this.sample('gauge', name, labels, value);
  }

  counter(name: string, help: string, samples: readonly Sample[]): void {
    this.family('counter', `${name}_total`, help);
    for (const [labels, value] of samples) this.sample('counter', `${name}_total`, labels, value);
    this.createdGauge(
      name,
      help,
      samples.map(([labels]) => labels),
    );
  }

  histogram(name: string, help: string, children: readonly [Labels, Histogram][]): void {
    this.family('histogram', name, help);
    const sums = () => {
      for (const [labels, { sum }] of children) this.sample('histogram', `${name}_sum`, labels, sum);
    };
    if (this.form === 'multi-process') sums();
    for (const [labels, histogram] of children) {
      this.buckets(name, labels, histogram);
      this.sample('histogram', `${name}_count`, labels, histogram.count);
      if (this.form === 'single-process') this.sample('histogram', `${name}_sum`, labels, histogram.sum);
    }
    this.createdGauge(
      name,
      help,
      children.map(([labels]) => labels),
    );
  }

  /** A counter of another exporter: no `_created` beside it. */
  plainCounter(name: string, help: string, samples: readonly Sample[]): void {
    this.family('counter', name, help);
    for (const [labels, value] of samples) this.sample('counter', name, labels, value);
  }

  text(): string {
    const { counter, histogram, gauge } = this.lines;
    return `${[...counter, ...histogram, ...gauge].join('\n')}\n`;
  }

  private buckets(name: string, labels: Labels, { bounds, counts }: Histogram): void {
    let cumulative = 0;
    counts.forEach((inBucket, i) => {
      cumulative += inBucket;
      const le = i < bounds.length ? formatNumber(bounds[i]!) : '+Inf';
      this.sample('histogram', `${name}_bucket`, { ...labels, le }, cumulative);
    });
  }

  private createdGauge(name: string, help: string, children: readonly Labels[]): void {
    if (this.form === 'multi-process') return;
    this.family('gauge', `${name}_created`, help);
    for (const labels of children) this.sample('gauge', `${name}_created`, labels, this.created);
  }

  private family(type: Family, name: string, help: string): void {
    this.linesOf(type).push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  private sample(type: Family, name: string, labels: Labels, value: number): void {
    this.linesOf(type).push(`${name}${labelText(labels)} ${formatNumber(value)}`);
  }

  /** The single-process form keeps the order of the families: all lines in one list. */
  private linesOf(type: Family): string[] {
    return this.lines[this.form === 'multi-process' ? type : 'counter'];
  }
}

/** Integers with `.0`, and an exponent from a million on: 19 -> 19.0, 1795379640.9 -> 1.7953796409e+09. */
function formatNumber(value: number): string {
  if (value >= 1e6) {
    const [mantissa, exponent] = value.toExponential().split('e+') as [string, string];
    return `${mantissa}e+${exponent.padStart(2, '0')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/**
 * The metrics of a bridge: families in the order of their making, written in Prometheus' text format 0.0.4.
 *
 * Laws: a name made twice with the same type, help, labels and bounds is the same family, so two services may share one; with
 * others it is an error. A counter's name ends in `_total`, no other's does. Units are base units: seconds, bytes, ratios.
 * A counter or histogram without labels is 0 from the start, so its first increase is seen; where the label sets are known before,
 * their makers `begin` them. A family without a series shows its help and its type. At most MAX_SERIES label sets a family: `dtesn_metrics_dropped_updates_total{family}` counts the updates beyond them.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { checkWhole, DtesnError, rangeError } from '../../errors/index.js';
import { Counter } from './counter.js';
import type { Family, FamilyShape, FamilyType } from './family.js';
import { Gauge } from './gauge.js';
import { Histogram } from './histogram.js';

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Room for 256 engines in each of eight states. */
const MAX_SERIES = 2048;

/** A family, whatever its series hold. */
type AnyFamily = Pick<Family<unknown>, 'type' | 'shape' | 'begin' | 'write'>;

export class MetricsRegistry {
  readonly #families = new Map<string, AnyFamily>();
  readonly #collectors = new Set<() => void>();
  readonly #maxSeries: number;

  constructor({ maxSeries = MAX_SERIES }: { maxSeries?: number | undefined } = {}) {
    this.#maxSeries = checkWhole(maxSeries, 'maxSeries', 1);
  }

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return this.#family('counter', name, help, labels, (shape) => new Counter(shape));
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return this.#family('gauge', name, help, labels, (shape) => new Gauge(shape));
  }

  histogram(name: string, help: string, bounds: readonly number[], labels: readonly string[] = []): Histogram {
    const increasing = bounds.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > bounds[i - 1]!));
    if (bounds.length === 0 || !increasing) throw rangeError('increasing finite numbers', `bounds of ${name}`, bounds);
    const family = this.#family('histogram', name, help, labels, (shape) => new Histogram(shape, [...bounds]));
    if (family.bounds.join() !== bounds.join()) throw otherShape(name, 'bounds');
    return family;
  }

  /** Runs before each page, to set what is cheaper to read than to keep. Returns what ends it. */
  collect(read: () => void): () => void {
    this.#collectors.add(read);
    return () => this.#collectors.delete(read);
  }

  /** The page. A collector that throws does not hide what the others say: its error is counted. */
  text(): string {
    for (const read of this.#collectors) {
      try {
        read();
      } catch {
        this.counter('dtesn_metrics_collect_errors_total', 'Readings of metrics that failed.').inc();
      }
    }
    const lines: string[] = [];
    for (const family of this.#families.values()) family.write(lines);
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }

  #family<F extends AnyFamily>(
    type: FamilyType,
    name: string,
    help: string,
    labels: readonly string[],
    make: (shape: FamilyShape) => F,
  ): F {
    const labelNames = [...labels].sort();
    const present = this.#families.get(name);
    if (present !== undefined) {
      if (present.type !== type) throw otherShape(name, 'type');
      if (present.shape.help !== help) throw otherShape(name, 'help');
      if (present.shape.labelNames.join() !== labelNames.join()) throw otherShape(name, 'labels');
      return present as F;
    }
    checkNames(type, name, help, labelNames);
    const family = make({ name, help, labelNames, maxSeries: this.#maxSeries, dropped: this.#dropped });
    this.#families.set(name, family);
    if (type !== 'gauge' && labelNames.length === 0) family.begin();
    return family;
  }

  readonly #dropped = (family: string): void => {
    if (family === DROPPED) return;
    this.counter(DROPPED, 'Updates of label sets beyond the bound of their family.', ['family']).inc({ family });
  };
}

const DROPPED = 'dtesn_metrics_dropped_updates_total';

function checkNames(type: FamilyType, name: string, help: string, labelNames: readonly string[]): void {
  if (!/^[a-z][a-z0-9_]*$/.test(name))
    throw rangeError('lower-case letters, digits and _', 'the name of a metric', name);
  if (help === '') throw rangeError('a help text', name, help);
  if ((type === 'counter') !== name.endsWith('_total')) {
    throw rangeError(`a name ${type === 'counter' ? 'that ends in' : 'without'} _total`, `the ${type}`, name);
  }
  for (const [i, label] of labelNames.entries()) {
    if (!/^[a-z][a-z0-9_]*$/.test(label) || label === 'le' || label === 'quantile' || label === labelNames[i - 1]) {
      throw rangeError('label names in lower case, none twice, none le or quantile,', name, label);
    }
  }
}

function otherShape(name: string, what: string): DtesnError {
  return new DtesnError('ERR_DTESN_STATE', `The metric ${name} exists with other ${what}`);
}

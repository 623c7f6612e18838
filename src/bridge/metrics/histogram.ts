/**
 * Counts of observations by size: a cumulative bucket for each upper bound and one for all, their sum and their count.
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT for an observation that is not finite.
 */
import { labelText } from '../../engine/index.js';
import { rangeError } from '../../errors/index.js';
import { Family, type FamilyShape, type MetricLabels, numberText } from './family.js';

interface Distribution {
  /** Observations of each bucket alone, the last one above every bound. */
  counts: Float64Array;
  sum: number;
  /** The labels of each bucket as text, with its bound. */
  bucketTexts: readonly string[];
}

export class Histogram extends Family<Distribution> {
  override readonly type = 'histogram';

  constructor(
    shape: FamilyShape,
    /** Upper bounds in base units, increasing, without +Inf. */
    readonly bounds: readonly number[],
  ) {
    super(shape);
  }

  observe(labels: MetricLabels, value: number): void {
    if (!Number.isFinite(value)) throw rangeError('a finite number', this.shape.name, value);
    const distribution = this.child(labels);
    if (distribution === undefined) return;
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    distribution.counts[bucket]!++;
    distribution.sum += value;
  }

  /** Observations of a series; 0 where there were none. */
  count(labels: MetricLabels = {}): number {
    return this.existing(labels)?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  }

  protected override start(labels: MetricLabels): Distribution {
    const names = [...this.shape.labelNames, 'le'];
    const bucketTexts = [...this.bounds, Number.POSITIVE_INFINITY].map((bound) =>
      labelText({ ...labels, le: numberText(bound) }, names),
    );
    return { counts: new Float64Array(bucketTexts.length), sum: 0, bucketTexts };
  }

  protected override writeSeries(lines: string[], text: string, _: MetricLabels, state: Distribution): void {
    const { name } = this.shape;
    let cumulative = 0;
    state.bucketTexts.forEach((bucketText, bucket) => {
      cumulative += state.counts[bucket]!;
      lines.push(`${name}_bucket${bucketText} ${cumulative}`);
    });
    lines.push(`${name}_sum${text} ${numberText(state.sum)}`, `${name}_count${text} ${cumulative}`);
  }
}

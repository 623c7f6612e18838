/**
 * A count that only grows. `inc` adds to it; `setTotal` takes a total that is kept elsewhere, such as in shared memory.
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT for a count that is negative or not finite, and for a total that falls.
 */
import { rangeError } from '../../errors/index.js';
import { Family, type MetricLabels, numberText } from './family.js';

export class Counter extends Family<{ total: number }> {
  override readonly type = 'counter';

  inc(labels: MetricLabels = {}, by = 1): void {
    if (!(by >= 0 && Number.isFinite(by))) throw rangeError('a finite number, 0 or more,', this.shape.name, by);
    const child = this.child(labels);
    if (child !== undefined) child.total += by;
  }

  setTotal(labels: MetricLabels, total: number): void {
    const child = this.child(labels);
    if (child === undefined) return;
    if (!(total >= child.total && Number.isFinite(total))) {
      throw rangeError(`a finite number, ${child.total} or more,`, this.shape.name, total);
    }
    child.total = total;
  }

  /** 0 where nothing was counted. */
  value(labels: MetricLabels = {}): number {
    return this.existing(labels)?.total ?? 0;
  }

  protected override start(): { total: number } {
    return { total: 0 };
  }

  protected override writeSeries(lines: string[], text: string, _: MetricLabels, { total }: { total: number }): void {
    lines.push(`${this.shape.name}${text} ${numberText(total)}`);
  }
}

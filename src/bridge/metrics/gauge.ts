/** A figure that goes up and down. NaN and the infinities are figures too. */
import { Family, type MetricLabels, numberText } from './family.js';

export class Gauge extends Family<{ value: number }> {
  override readonly type = 'gauge';

  set(labels: MetricLabels, value: number): void {
    const child = this.child(labels);
    if (child !== undefined) child.value = value;
  }

  /** Adds to the figure, which begins at 0; a negative number takes from it. */
  add(labels: MetricLabels, by: number): void {
    const child = this.child(labels);
    if (child !== undefined) child.value += by;
  }

  /** Undefined where no such series was set. */
  value(labels: MetricLabels = {}): number | undefined {
    return this.existing(labels)?.value;
  }

  protected override start(): { value: number } {
    return { value: 0 };
  }

  protected override writeSeries(lines: string[], text: string, _: MetricLabels, { value }: { value: number }): void {
    lines.push(`${this.shape.name}${text} ${numberText(value)}`);
  }
}

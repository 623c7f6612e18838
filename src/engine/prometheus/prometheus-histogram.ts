/**
 * The laws of a histogram, checked for each set of labels:
 *
 *     the counts of the buckets do not decrease with le;  the bucket le="+Inf" equals _count, where both are there
 *
 * A body that breaks one is torn or mixed from two scrapes. Errors: DtesnError ERR_DTESN_METRICS.
 */
import { DtesnError } from '../../errors/index.js';
import type { FamilyDraft } from './metric-families.js';
import { readLabels, sameLabels } from './prometheus-labels.js';
import type { ColumnWriter } from './sample-columns.js';
import { SeriesIndex } from './series-index.js';

export class HistogramCheck {
  readonly #family: FamilyDraft;
  readonly #body: Buffer;
  readonly #columns: ColumnWriter;
  /** The name id of _count. */
  readonly #countId: number;
  readonly #owners: Uint32Array;
  /** In which its buckets are checked; null for the order of the body. */
  #order: Uint32Array | null = null;
  #values: Float64Array;

  constructor(family: FamilyDraft, body: Buffer, columns: ColumnWriter, countId: number) {
    this.#family = family;
    this.#body = body;
    this.#columns = columns;
    this.#countId = countId;
    this.#values = columns.values;
    this.#owners = this.#findOwners();
  }

  /** Checks the values of the columns, or those of a body with the same series. */
  run(values: Float64Array = this.#columns.values): void {
    this.#values = values;
    if (this.#checkBuckets()) return;
    this.#order = this.#byBound();
    this.#checkBuckets();
  }

  /** For each bucket and count, the first sample with its labels: all samples of a histogram have the same. */
  #findOwners(): Uint32Array {
    const { first, length } = this.#family;
    const { groups, labelsAt, continues } = this.#columns;
    const same = (a: number, b: number) => sameLabels(this.#body, labelsAt[a]!, labelsAt[b]!, true);
    const index = new SeriesIndex(64, same);
    const owners = new Uint32Array(length);
    let bucketOwner = 0;
    for (let i = first; i < first + length; i++) {
      const isBucket = this.#isBucket(i);
      if (!isBucket && !this.#isCount(i)) continue;
      const owner = continues[i] === 1 && i > first ? bucketOwner : index.put(groups[i]!, i);
      if (isBucket) bucketOwner = owner;
      owners[i - first] = owner - first;
    }
    return owners;
  }

  /** False when a bucket comes after a higher one. */
  #checkBuckets(): boolean {
    const { first, length } = this.#family;
    const { bounds } = this.#columns;
    const [values, owners, order] = [this.#values, this.#owners, this.#order];
    const highest = new Float64Array(length).fill(Number.NaN);
    const below = new Float64Array(length);
    const counts = new Uint32Array(length); // sample + 1
    for (let k = 0; k < length; k++) {
      const i = order === null ? first + k : order[k]!;
      const owner = owners[i - first]!;
      if (this.#isCount(i)) counts[owner] = i + 1;
      if (!this.#isBucket(i)) continue;
      const bound = bounds[i]!;
      if (bound < highest[owner]!) return false;
      if (bound === highest[owner]) throw this.#fault(i, `has two buckets le=${bound}`);
      // Written so that NaN fails too.
      if (!(values[i]! >= below[owner]!)) {
        throw this.#fault(i, `has ${values[i]} in the bucket le=${bound} after ${below[owner]}`);
      }
      highest[owner] = bound;
      below[owner] = values[i]!;
    }
    for (let owner = 0; owner < length; owner++) {
      const count = counts[owner]! - 1;
      if (count < 0 || highest[owner] !== Number.POSITIVE_INFINITY || values[count] === below[owner]) continue;
      throw this.#fault(count, `counts ${values[count]} but its bucket le=+Inf has ${below[owner]}`);
    }
    return true;
  }

  #byBound(): Uint32Array {
    const { first, length } = this.#family;
    const { bounds } = this.#columns;
    // Samples that are no bucket have no bound: they go last.
    const bound = (i: number) => (this.#isBucket(i) ? bounds[i]! : Number.POSITIVE_INFINITY);
    return Uint32Array.from({ length }, (_, k) => first + k).sort((a, b) => Math.sign(bound(a) - bound(b) || 0));
  }

  #isBucket(sample: number): boolean {
    return !Number.isNaN(this.#columns.bounds[sample]!);
  }

  #isCount(sample: number): boolean {
    return this.#columns.nameIds[sample] === this.#countId;
  }

  #fault(sample: number, why: string): DtesnError {
    const labels = Object.entries(readLabels(this.#body, this.#columns.labelsAt[sample]!));
    const others = labels.flatMap(([name, value]) => (name === 'le' ? [] : [`${name}=${JSON.stringify(value)}`]));
    const name = others.length === 0 ? this.#family.name : `${this.#family.name}{${others.join(',')}}`;
    return new DtesnError('ERR_DTESN_METRICS', `The metrics are inconsistent: ${name} ${why}`);
  }
}

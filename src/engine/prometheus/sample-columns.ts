/** The columns of a body while it is read: they double when they are full, and are put in order by family at the end. */
import type { FamilyDraft, SampleColumns } from './metric-families.js';

type Column = Uint32Array | Int32Array | Uint8Array | Float64Array;

export class ColumnWriter {
  length = 0;
  nameIds: Uint32Array;
  labelsAt: Uint32Array;
  values: Float64Array;
  bounds: Float64Array;
  /** Of the labels without `le`: tells one histogram of a family from the others. */
  groups: Int32Array;
  /** 1 for a bucket whose labels are those of the bucket before it, but for `le`. */
  continues: Uint8Array;
  #timestamps: Float64Array | null = null;

  constructor(capacity: number) {
    this.nameIds = new Uint32Array(capacity);
    this.labelsAt = new Uint32Array(capacity);
    this.values = new Float64Array(capacity);
    this.bounds = new Float64Array(capacity);
    this.groups = new Int32Array(capacity);
    this.continues = new Uint8Array(capacity);
  }

  get capacity(): number {
    return this.values.length;
  }

  add(
    nameId: number,
    labelsAt: number,
    value: number,
    bound: number,
    group: number,
    continues: boolean,
    timestamp: number,
  ): void {
    const i = this.length++;
    if (i === this.values.length) this.#grow();
    this.nameIds[i] = nameId;
    this.labelsAt[i] = labelsAt;
    this.values[i] = value;
    this.bounds[i] = bound;
    this.groups[i] = group;
    this.continues[i] = continues ? 1 : 0;
    if (Number.isNaN(timestamp)) return;
    this.#timestamps ??= new Float64Array(this.values.length).fill(Number.NaN);
    this.#timestamps[i] = timestamp;
  }

  /** The columns; OpenMetrics writes seconds, Prometheus text milliseconds. */
  finish(body: Buffer, names: readonly string[], openMetrics: boolean): SampleColumns {
    const { nameIds, labelsAt, values, bounds } = this;
    const timestamps = this.#timestamps && openMetrics ? this.#timestamps.map((time) => time * 1000) : this.#timestamps;
    return { body, names, nameIds, labelsAt, values, bounds, timestamps };
  }

  /** Brings the samples of each family side by side, in the order they had; `familyOf` tells a sample's family. */
  sort(families: FamilyDraft[], familyOf: (sample: number) => number): void {
    let first = 0;
    for (const family of families) {
      family.first = first;
      first += family.length;
    }
    const next = families.map((family) => family.first);
    const order = new Uint32Array(this.length);
    for (let i = 0; i < this.length; i++) order[next[familyOf(i)]!++] = i;
    const ordered = <T extends Column>(column: T): T =>
      column.map((_, i) => (i < order.length ? column[order[i]!]! : 0)) as T;
    this.nameIds = ordered(this.nameIds);
    this.labelsAt = ordered(this.labelsAt);
    this.values = ordered(this.values);
    this.bounds = ordered(this.bounds);
    this.groups = ordered(this.groups);
    this.continues = new Uint8Array(this.capacity); // the bucket before may be another now
    if (this.#timestamps) this.#timestamps = ordered(this.#timestamps);
  }

  #grow(): void {
    const capacity = 2 * this.values.length;
    const grown = <T extends Column>(column: T, larger: T): T => {
      larger.set(column);
      return larger;
    };
    this.nameIds = grown(this.nameIds, new Uint32Array(capacity));
    this.labelsAt = grown(this.labelsAt, new Uint32Array(capacity));
    this.values = grown(this.values, new Float64Array(capacity));
    this.bounds = grown(this.bounds, new Float64Array(capacity));
    this.groups = grown(this.groups, new Int32Array(capacity));
    this.continues = grown(this.continues, new Uint8Array(capacity));
    if (this.#timestamps) this.#timestamps = grown(this.#timestamps, new Float64Array(capacity).fill(Number.NaN));
  }
}

/**
 * Metrics as they were exposed, of no meaning yet: series by family, in columns.
 *
 * A family holds no object a sample: values are a Float64Array, labels stay bytes of the body until they are asked for.
 * So the body belongs to the families: whoever gave it must not write into it while they are in use.
 */
import { rangeError } from '../errors/index.js';
import { findLabel, type Labels, readLabels } from './prometheus-labels.js';

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
  labels: Labels;
  value: number;
  /** Milliseconds since 1970, where the body has one. */
  timestamp: number | null;
}

/** What all families of a body share. One entry a sample, samples of a family side by side. */
export interface SampleColumns {
  readonly body: Buffer;
  readonly names: readonly string[];
  readonly nameIds: Uint32Array;
  /** Where the labels begin in the body, behind the brace; 0 where there are none. */
  readonly labelsAt: Uint32Array;
  readonly values: Float64Array;
  /** Upper bounds of buckets; NaN elsewhere. */
  readonly bounds: Float64Array;
  /** Milliseconds since 1970, NaN where there is none; null when no sample has one. */
  readonly timestamps: Float64Array | null;
}

/** A family while the body is read. */
export interface FamilyDraft {
  name: string;
  type: MetricType;
  help: string | null;
  /** Of its samples in the columns: the first, and how many. */
  first: number;
  length: number;
}

export class MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string | null;
  /** Series of the family. */
  readonly length: number;
  /** The value of each series. */
  readonly values: Float64Array;
  /** Of a histogram: the bound `le` of each bucket, NaN for its other series. */
  readonly bounds: Float64Array;
  readonly #columns: SampleColumns;
  readonly #first: number;
  #samples: Sample[] | undefined;

  constructor({ name, type, help, first, length }: FamilyDraft, columns: SampleColumns) {
    this.name = name;
    this.type = type;
    this.help = help;
    this.length = length;
    this.values = columns.values.subarray(first, first + length);
    this.bounds = columns.bounds.subarray(first, first + length);
    this.#columns = columns;
    this.#first = first;
  }

  /** The name of a series with its suffix. */
  sampleName(index: number): string {
    const { names, nameIds } = this.#columns;
    return names[nameIds[this.#at(index)]!]!;
  }

  labels(index: number): Labels {
    const { body, labelsAt } = this.#columns;
    return readLabels(body, labelsAt[this.#at(index)]!);
  }

  /** One label of a series; undefined where it has none of that name. */
  label(index: number, name: string): string | undefined {
    const { body, labelsAt } = this.#columns;
    return findLabel(body, labelsAt[this.#at(index)]!, name);
  }

  /** Milliseconds since 1970, where the body has one. */
  timestamp(index: number): number | null {
    const time = this.#columns.timestamps?.[this.#at(index)];
    return time === undefined || Number.isNaN(time) ? null : time;
  }

  /** Every series as an object, made when first asked for: for a family of millions read the columns instead. */
  get samples(): readonly Sample[] {
    this.#samples ??= Array.from({ length: this.length }, (_, i) => ({
      name: this.sampleName(i),
      labels: this.labels(i),
      value: this.values[i]!,
      timestamp: this.timestamp(i),
    }));
    return this.#samples;
  }

  #at(index: number): number {
    if (!(index >= 0 && index < this.length)) {
      throw rangeError(`a series of ${this.name} from 0 to ${this.length - 1}`, 'index', index);
    }
    return this.#first + index;
  }
}

export type MetricFamilies = ReadonlyMap<string, MetricFamily>;

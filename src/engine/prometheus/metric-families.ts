/**
 * Metrics as they were exposed, of no meaning yet: series by family, in columns.
 *
 * A family holds no object a sample: values are a Float64Array, labels stay bytes of the body until they are asked for.
 * So the body belongs to the families: whoever gave it must not write into it while they are in use.
 */
import { rangeError } from '../../errors/index.js';
import { findLabel, type Labels, readLabels } from './prometheus-labels.js';

/** Type of a metric family: those of Prometheus and of OpenMetrics; `untyped` where none is declared. */
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

/** One sample of a metric family as an object. */
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
  /** Where its help stands in the body; 0 where there is none. */
  helpStart: number;
  helpEnd: number;
  /** Of its samples in the columns: the first, and how many. */
  first: number;
  length: number;
}

/**
 * One metric family: its name, type, help and samples, whose values are a Float64Array and whose labels are read from
 * the body when asked for.
 */
export class MetricFamily {
  /** Name of the family, without the suffixes of its samples. */
  readonly name: string;
  /** Declared type of the family. */
  readonly type: MetricType;
  /** Series of the family. */
  readonly length: number;
  readonly #columns: SampleColumns;
  readonly #draft: FamilyDraft;
  #values: Float64Array | undefined;
  #bounds: Float64Array | undefined;
  #samples: Sample[] | undefined;

  /** @internal */
  constructor(draft: FamilyDraft, columns: SampleColumns) {
    this.name = draft.name;
    this.type = draft.type;
    this.length = draft.length;
    this.#draft = draft;
    this.#columns = columns;
  }

  /** The same object in families of one source whose series are the same, in the same order. */
  get layout(): object {
    return this.#draft;
  }

  /** Text of the line HELP with escapes undone; null where there is none. */
  get help(): string | null {
    const { helpStart, helpEnd } = this.#draft;
    if (helpStart === 0) return null;
    const text = this.#columns.body.toString('utf8', helpStart, helpEnd);
    return text.includes('\\') ? text.replace(/\\([\\n])/g, (_, of) => (of === 'n' ? '\n' : '\\')) : text;
  }

  /** The value of each series. */
  get values(): Float64Array {
    this.#values ??= this.#columns.values.subarray(this.#draft.first, this.#draft.first + this.length);
    return this.#values;
  }

  /** Of a histogram: the bound `le` of each bucket, NaN for its other series. */
  get bounds(): Float64Array {
    this.#bounds ??= this.#columns.bounds.subarray(this.#draft.first, this.#draft.first + this.length);
    return this.#bounds;
  }

  /** The name of a series with its suffix. */
  sampleName(index: number): string {
    const { names, nameIds } = this.#columns;
    return names[nameIds[this.#at(index)]!]!;
  }

  /** Labels of a sample, read from the body. */
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
    return this.#draft.first + index;
  }
}

/** Metric families by their names, as parsePrometheus returns them. */
export type MetricFamilies = ReadonlyMap<string, MetricFamily>;

/**
 * A family of series: one name, one help text, a fixed set of label names, and a child for each set of their values.
 *
 * Law: at most `maxSeries` children; a label set beyond them is not kept, and `dropped` is called for each of its updates, so
 * values from outside cannot fill the memory. Errors: TypeError ERR_DTESN_ARGUMENT for labels that are not those of the family.
 */
import { labelText } from '../../engine/index.js';
import { argumentError } from '../../errors/index.js';

export type MetricLabels = Readonly<Record<string, string>>;

export type FamilyType = 'counter' | 'gauge' | 'histogram';

export interface FamilyShape {
  name: string;
  help: string;
  /** In the order of the text: alphabetical. */
  labelNames: readonly string[];
  maxSeries: number;
  /** Called with the family's name for an update that found no room. */
  dropped: (family: string) => void;
}

interface Child<State> {
  labels: MetricLabels;
  state: State;
}

export abstract class Family<State> {
  abstract readonly type: FamilyType;
  readonly shape: FamilyShape;
  /** By the text of their labels. */
  readonly #children = new Map<string, Child<State>>();

  constructor(shape: FamilyShape) {
    this.shape = shape;
  }

  /** Makes a series before anything is counted, so that its first increase is seen. */
  begin(labels: MetricLabels = {}): void {
    this.child(labels);
  }

  /** Removes each series that has all of these labels: `remove({ engine })` takes every state of that engine. */
  remove(labels: MetricLabels): void {
    const wanted = Object.entries(labels);
    for (const name of Object.keys(labels)) {
      if (!this.shape.labelNames.includes(name)) throw this.#wrongLabels(labels);
    }
    for (const [text, child] of this.#children) {
      if (wanted.every(([name, value]) => child.labels[name] === value)) this.#children.delete(text);
    }
  }

  /** The family's lines; its help and type alone where it has no series yet. */
  write(lines: string[]): void {
    const { name, help } = this.shape;
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${this.type}`);
    for (const [text, { labels, state }] of this.#children) this.writeSeries(lines, text, labels, state);
  }

  protected abstract start(labels: MetricLabels): State;
  protected abstract writeSeries(lines: string[], text: string, labels: MetricLabels, state: State): void;

  /** The child of these labels, made when it is first needed; undefined where the family is full. */
  protected child(labels: MetricLabels): State | undefined {
    const text = this.#textOf(labels);
    const child = this.#children.get(text);
    if (child !== undefined) return child.state;
    const { name, maxSeries, dropped } = this.shape;
    if (this.#children.size >= maxSeries) {
      dropped(name);
      return undefined;
    }
    const state = this.start(labels);
    this.#children.set(text, { labels: { ...labels }, state });
    return state;
  }

  /** The child of these labels, where there is one. */
  protected existing(labels: MetricLabels): State | undefined {
    return this.#children.get(this.#textOf(labels))?.state;
  }

  #textOf(labels: MetricLabels): string {
    const { labelNames } = this.shape;
    if (Object.keys(labels).length !== labelNames.length) throw this.#wrongLabels(labels);
    for (const name of labelNames) if (typeof labels[name] !== 'string') throw this.#wrongLabels(labels);
    return labelText(labels, labelNames);
  }

  #wrongLabels(labels: MetricLabels): Error {
    const { name, labelNames } = this.shape;
    const expected = labelNames.length === 0 ? 'no labels' : `strings for the labels ${labelNames.join(', ')}`;
    return argumentError(expected, name, Object.keys(labels).join(', '));
  }
}

/** A number as Go reads it. */
export function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

function escapeHelp(help: string): string {
  return help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

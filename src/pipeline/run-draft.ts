/**
 * The program of a draft run on a series, and the effect of each entry.
 *
 * One native call, or several where an entry needs the values in between: a clip after others changed values (it counts
 * what it changes), and the embeddings of a host, which fail on what is no token id. Those are undone as a whole where they fail, so that the
 * series never stays half transformed.
 */
import { shapeError } from '../errors/index.js';
import { type AppliedTransformation, type Draft, type Effect, isEmbedding } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import { failedEntry } from './failure.js';
import { stepsAfter } from './fit.js';
import { type ProgramSeries, programShape, runProgram, type SeriesShape, type TransformOp } from './program.js';

export function runDraft(
  { applied, program }: Draft,
  series: ProgramSeries,
  data: MultiSourceData,
): SeriesShape & { applied: AppliedTransformation[] } {
  const values = new PendingSeries(series, program);
  const entries = applied.map((entry) => {
    if (entry.kind !== 'data' || !entry.applied) return entry;
    if (!mayFail(entry)) return { ...entry, effect: values.add(entry.operations) };
    values.runBetween();
    try {
      return { ...entry, effect: values.runAll(entry.operations) };
    } catch (error) {
      return failedEntry(entry, error, data);
    }
  });
  return { ...values.run(), applied: entries };
}

/** The embedding of the plan itself cannot be left out: where it fails, the series is refused. */
function mayFail(entry: AppliedTransformation): boolean {
  return !isEmbedding(entry) && entry.operations.some(({ op }) => op === 'embed');
}

/** A series, and the operations it still has to go through. */
class PendingSeries {
  readonly #series: ProgramSeries;
  readonly #program: readonly TransformOp[];
  readonly #data: ProgramSeries['data'];
  #roomy = false;
  /** As it lies in the buffer, and as it will be. */
  #now: SeriesShape;
  #then: SeriesShape;
  #pending: TransformOp[] = [];

  constructor(series: ProgramSeries, program: readonly TransformOp[]) {
    const { data, steps, features } = series;
    this.#series = series;
    this.#program = program;
    this.#data = data;
    this.#now = { steps, features };
    this.#then = this.#now;
  }

  add(operations: readonly TransformOp[]): Effect {
    const only = operations.length === 1 ? operations[0]! : null;
    const before = this.#then;
    let outside: number | null = null;
    if (only?.op === 'clip') {
      // Rows that are cut from the end leave the first ones where they are.
      if (!this.#pending.every((op) => op.op === 'truncate' && op.keep !== 'last')) this.runBetween();
      outside = countOutside(only, this.#data, before.steps * before.features);
    }
    this.#then = operations.reduce(shapeAfter, before);
    this.#pending.push(...operations);
    return effectOf(operations, outside, before, this.#then);
  }

  /** At once, and all of them or none. */
  runAll(operations: readonly TransformOp[]): Effect {
    const before = this.run();
    const kept = this.#data.slice(0, before.steps * before.features);
    try {
      this.#then = operations.reduce(shapeAfter, before);
      this.#pending.push(...operations);
      return effectOf(operations, null, before, this.run());
    } catch (error) {
      this.#data.set(kept as Float32Array);
      this.#pending = [];
      this.#then = before;
      throw error;
    }
  }

  /** Before the end, and so only where the buffer has room for the whole program. */
  runBetween(): void {
    if (!this.#roomy) checkCapacity(this.#program, this.#series);
    this.#roomy = true;
    this.run();
  }

  run(): SeriesShape {
    if (this.#pending.length > 0) this.#now = runProgram(this.#pending, { data: this.#data, ...this.#now });
    this.#pending = [];
    return this.#now;
  }
}

function shapeAfter({ steps, features }: SeriesShape, op: TransformOp): SeriesShape {
  return { steps: stepsAfter(op, steps), features: op.op === 'embed' ? op.features : features };
}

function effectOf(
  operations: readonly TransformOp[],
  outside: number | null,
  before: SeriesShape,
  after: SeriesShape,
): Effect {
  const [first] = operations;
  if (first?.op === 'clip' && outside !== null) {
    return { quantity: `values outside [${first.min}, ${first.max}]`, before: outside, after: 0 };
  }
  if (before.features !== after.features) {
    return { quantity: 'features', before: before.features, after: after.features };
  }
  if (operations.some(({ op }) => op === 'zscore')) {
    return { quantity: 'standardised features', before: 0, after: after.features };
  }
  const values = after.steps * after.features;
  return operations.every(changesSteps)
    ? { quantity: 'steps', before: before.steps, after: after.steps }
    : { quantity: 'transformed values', before: 0, after: values };
}

const stepOperations: readonly TransformOp['op'][] = ['truncate', 'pad', 'meanpool', 'repeat'];

function changesSteps({ op }: TransformOp): boolean {
  return stepOperations.includes(op);
}

function countOutside(
  { min, max }: { min: number; max: number },
  data: ProgramSeries['data'],
  elements: number,
): number {
  let count = 0;
  for (let i = 0; i < elements; i++) {
    const value = data[i]!;
    if (value < min || value > max) count++;
  }
  return count;
}

function checkCapacity(program: readonly TransformOp[], { data, steps, features }: ProgramSeries): void {
  const { capacity } = programShape(program, steps, features);
  if (data.length < capacity) {
    throw shapeError(`series.data with ${capacity} elements or more (the widest point of the program)`, data.length);
  }
}

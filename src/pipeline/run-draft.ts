/**
 * Runs the program of a draft on a series, entry by entry, with the effect of each entry and the time of each pipeline.
 *
 * An embedding of a host fails for a value that is not a token id. The entry is then undone as a whole, so that the
 * series is never left half transformed.
 */
import { systemClock } from '../abort/index.js';
import { shapeError } from '../errors/index.js';
import { EncodedProgram, type ProgramSeries, type SeriesShape, type TransformOp } from '../transform/index.js';
import { type AppliedTransformation, type Draft, type Effect, isEmbedding } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import { failedEntry } from './failure.js';

/**
 * A series after the program of a draft: its size, each transformation with its effect, and the time of each pipeline.
 */
export interface RunSeries extends SeriesShape {
  applied: AppliedTransformation[];
  /** Milliseconds that drafting and running took, by pipeline. */
  pipelineMs: Record<string, number>;
}

export function runDraft(
  { applied, program, draftMs }: Draft,
  series: ProgramSeries,
  data: MultiSourceData,
): RunSeries {
  checkCapacity(program, series);
  const pipelineMs = { ...draftMs };
  let shape: SeriesShape = { steps: series.steps, features: series.features };
  const entries = applied.map((entry) => {
    if (entry.kind !== 'data' || !entry.applied) return entry;
    const start = systemClock.now();
    try {
      const before = shape;
      const outside = countOutside(entry.operations, series.data, before);
      shape = mayFail(entry)
        ? runOrUndo(entry.operations, series.data, before)
        : run(entry.operations, series.data, before);
      return { ...entry, effect: effectOf(entry.operations, outside, before, shape) };
    } catch (error) {
      if (!mayFail(entry)) throw error;
      return failedEntry(entry, error, data);
    } finally {
      const { pipeline } = entry;
      if (pipeline !== null) pipelineMs[pipeline] = (pipelineMs[pipeline] ?? 0) + systemClock.now() - start;
    }
  });
  return { applied: entries, pipelineMs, ...shape };
}

/** The embedding of the plan itself cannot be left out: its failure is an error for the series. */
function mayFail(entry: AppliedTransformation): boolean {
  return !isEmbedding(entry) && entry.operations.some(({ op }) => op === 'embed');
}

function run(operations: readonly TransformOp[], data: ProgramSeries['data'], shape: SeriesShape): SeriesShape {
  return encoded(operations).run({ data, ...shape });
}

/** Applies all operations or none. */
function runOrUndo(operations: readonly TransformOp[], data: ProgramSeries['data'], shape: SeriesShape): SeriesShape {
  const kept = data.slice(0, shape.steps * shape.features);
  try {
    return run(operations, data, shape);
  } catch (error) {
    data.set(kept as Float32Array);
    throw error;
  }
}

function checkCapacity(program: readonly TransformOp[], { data, steps, features }: ProgramSeries): void {
  const { capacity } = encoded(program).shape(steps, features);
  if (data.length < capacity) {
    throw shapeError(`series.data with ${capacity} elements or more (the widest point of the program)`, data.length);
  }
}

/** Encoded once for all series of a draft, whose operations never change. */
function encoded(operations: readonly TransformOp[]): EncodedProgram {
  let program = programs.get(operations);
  if (program === undefined) {
    program = new EncodedProgram(operations);
    programs.set(operations, program);
  }
  return program;
}
const programs = new WeakMap<readonly TransformOp[], EncodedProgram>();

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

/** Number of values that a clip will change; null for other operations. */
function countOutside(
  operations: readonly TransformOp[],
  data: ProgramSeries['data'],
  { steps, features }: SeriesShape,
): number | null {
  const only = operations.length === 1 ? operations[0]! : null;
  if (only?.op !== 'clip') return null;
  let count = 0;
  for (let i = 0; i < steps * features; i++) {
    const value = data[i]!;
    if (value < only.min || value > only.max) count++;
  }
  return count;
}

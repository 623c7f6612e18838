/** What `dtesn fit`, `predict`, `forecast`, `classify` and `search` share: options of a network, columns, and what is written. */
import { writeFile } from 'node:fs/promises';
import type { EsnOptions } from '../esn/index.js';
import { type Matrix, matrix } from '../numeric/index.js';
import type { CommandName } from './commands.js';
import { note } from './output.js';
import type { NamedSeries } from './series-file.js';
import type { Paint } from './terminal.js';
import { UsageError } from './usage-error.js';

export type ModelCommand = Extract<CommandName, 'fit' | 'predict' | 'forecast' | 'classify' | 'search'>;

export interface NetworkValues {
  units?: string;
  leak?: string;
  'spectral-radius'?: string;
  'input-scaling'?: string;
  seed?: string;
  washout?: string;
  ridge?: string;
}

const defaults = { units: '300', leak: '0.3', 'spectral-radius': '0.9', 'input-scaling': '0.3', seed: '0' };

/** Options of a model for series of so many inputs and at least so many steps. */
export function modelOptions(values: NetworkValues, inputs: number, steps: number, command: ModelCommand) {
  const given = { ...defaults, ...values };
  const number = (name: keyof typeof given) => numberOf(name, given[name] ?? '', command);
  const inputScaling = number('input-scaling');
  const network = {
    ...{ units: number('units'), inputs, leak: number('leak'), seed: number('seed') },
    ...{ spectralRadius: number('spectral-radius'), inputScaling, biasScaling: inputScaling },
  };
  return {
    network,
    washout: washoutOf(values.washout, steps, command),
    scale: 'standard',
    ...(values.ridge !== undefined && { readout: { ridge: number('ridge') } }),
  } satisfies EsnOptions;
}

export function washoutOf(text: string | undefined, steps: number, command: ModelCommand): number {
  return text === undefined ? Math.min(100, Math.floor(steps / 10)) : numberOf('washout', text, command);
}

export function numberOf(name: string, text: string, command: ModelCommand): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new UsageError(`Expected a number for --${name} but received ${JSON.stringify(text)}`, command);
}

export function wholeOf(name: string, text: string, command: ModelCommand): number {
  const value = numberOf(name, text, command);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`Expected a whole number, 1 or more, for --${name} but received ${text}`, command);
}

export function fileOf(positionals: readonly string[], command: ModelCommand): string {
  const [file] = positionals;
  if (file === undefined) throw new UsageError('Expected a file', command);
  return file;
}

/** What an option's wrong value threw, as wrong usage. */
export function asUsage<R>(command: ModelCommand, make: () => R): R {
  try {
    return make();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw code === 'ERR_DTESN_ARGUMENT' ? new UsageError(message, command, { cause: error }) : error;
  }
}

/** A series whose columns are inputs or targets; null where no column is a target. */
export function splitColumns({ names, series }: NamedSeries, target: string | undefined, command: ModelCommand) {
  if (target === undefined) return { inputs: { names, series }, targets: null };
  const wanted = target.split(',').map((name) => {
    const at = names.indexOf(name.trim());
    if (at < 0) throw new UsageError(`Unknown column ${name} for --target; there are ${names.join(', ')}`, command);
    return at;
  });
  const others = names.map((_, i) => i).filter((i) => !wanted.includes(i));
  if (others.length === 0) throw new UsageError('Expected a column that is no --target, to predict from', command);
  const part = (columns: number[]): NamedSeries => ({
    names: columns.map((i) => names[i]!),
    series: columnsOf(series, columns),
  });
  return { inputs: part(others), targets: part(wanted) };
}

function columnsOf({ rows, cols, data }: Matrix, columns: readonly number[]): Matrix {
  const width = columns.length;
  const part = new Float64Array(rows * width);
  for (let t = 0; t < rows; t++) {
    columns.forEach((column, k) => {
      part[t * width + k] = data[t * cols + column]!;
    });
  }
  return matrix(rows, width, part);
}

export function rowsOf({ cols, data }: Matrix, from: number, to: number): Matrix {
  return matrix(to - from, cols, data.subarray(from * cols, to * cols));
}

/** Rows as CSV, to a file or to standard output. */
export async function writeRows(
  names: readonly string[],
  { rows, cols, data }: Matrix,
  out: string | undefined,
): Promise<void> {
  const quoted = names.map((name) => (/[",;\t]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name));
  const lines = Array.from({ length: rows }, (_, t) => data.subarray(t * cols, (t + 1) * cols).join(','));
  await writeText(`${[quoted.join(','), ...lines].join('\n')}\n`, out);
}

export async function writeText(text: string, out: string | undefined): Promise<void> {
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  await writeFile(out, text);
  note(`${out} is written`);
}

/** What the pages of `fit` and `search` say of the series and the model. */
export interface ModelAnswer {
  file: string;
  steps: number;
  inputs: string[];
  outputs: string[];
  seconds: number;
  model: string | null;
}

/** Lines of a page: `fact` beside the steps, and `score`, its name in 8 columns, above the model. */
export function modelLines(
  answer: ModelAnswer,
  paint: Paint,
  { fact, score }: { fact: string; score: string },
): string[] {
  const { file, steps, inputs, outputs, seconds, model } = answer;
  return [
    `${paint.bold(file)}  ${steps} steps, ${fact}, ${seconds.toFixed(1)} s`,
    `  inputs   ${inputs.join(', ')}`,
    `  outputs  ${outputs.join(', ')}`,
    `  ${score}`,
    `  model    ${model ?? 'not saved: --save MODEL'}`,
  ];
}

/** `dtesn search`: draws options of an Esn, scores them on the series of a file, and saves the best as a model. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { Esn, type EsnOptions } from '../esn/index.js';
import type { Matrix } from '../numeric/index.js';
import { plotSearch } from '../plots/index.js';
import { type EsnSearchResult, type SearchRow, search } from '../search/index.js';
import { argumentsOf } from './arguments.js';
import { asUsage, fileOf, type ModelAnswer, modelLines, numberOf, splitColumns, wholeOf, writeText } from './models.js';
import { note, printJson, printPage } from './output.js';
import { printable } from './printable.js';
import { ProgressLine } from './progress.js';
import { type SpaceValues, spaceOf } from './search-space.js';
import { dataError, readNamedSeries } from './series-file.js';
import { columns, milliseconds, Paint } from './terminal.js';
import { UsageError } from './usage-error.js';

const LEAST_STEPS = 40;
/** Candidates that the page lists. */
const LISTED = 10;

type Candidate = Readonly<Record<string, unknown>>;

interface Values extends SpaceValues {
  budget?: string;
  seeds?: string;
  seed?: string;
  horizon?: string;
  file?: string;
}

export async function searchModel(args: string[]): Promise<number> {
  const { values, positionals } = argumentsOf('search', args);
  const file = fileOf(positionals, 'search');
  const { inputs, targets } = splitColumns(await readNamedSeries(file), values.target, 'search');
  const { rows } = inputs.series;
  if (rows < LEAST_STEPS) throw dataError(file, `has ${rows} steps, and a search needs ${LEAST_STEPS}`);
  for (const name of ['save', 'plot', 'file'] as const) checkFolder(name, values[name]);
  const line = new ProgressLine();
  const data = { x: inputs.series, y: targets?.series };
  const started = performance.now();
  const { best, table } = await found(data, values, line).finally(() => line.end());
  if (best === null) throw dataError(file, `suits no candidate: ${table.find(({ error }) => error !== null)?.error}`);
  const isAhead = targets === null && (values.horizon === undefined || Number(values.horizon) !== 1);
  const score = isAhead ? 'NRMSE' : 'MSE / variance';
  // What was found is printed also where it cannot be written.
  const written = await Promise.allSettled([
    values.save !== undefined && saveBest(best.options, data, values.save, line).finally(() => line.end()),
    values.plot !== undefined && plotSearch(table, { scoreLabel: score }).then((plot) => writeText(plot, values.plot)),
  ]);
  const model = written[0].status === 'fulfilled' ? (values.save ?? null) : null;
  const answer = {
    ...{ file, steps: rows, inputs: inputs.names, outputs: (targets ?? inputs).names, scoreIs: score },
    ...{ seconds: (performance.now() - started) / 1000, best, table, model },
  };
  if (values.json) printJson(answer);
  else printPage(page(printable(answer), new Paint(process.stdout)));
  const failed = written.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  for (const { message } of failed) note(message);
  return failed.length === 0 ? 0 : 1;
}

function isFolder(at: string): boolean {
  try {
    return statSync(at).isDirectory();
  } catch {
    return false;
  }
}

/** Checked before the search, which may take hours. Errors: UsageError for a file that could not be written. */
function checkFolder(name: string, file: string | undefined): void {
  if (file === undefined) return;
  const folder = path.dirname(path.resolve(file));
  if (!isFolder(folder))
    throw new UsageError(`Expected a file in a folder that exists for --${name}: ${file}`, 'search');
  if (isFolder(file)) throw new UsageError(`Expected a file for --${name} but ${file} is a folder`, 'search');
}

interface Data {
  x: Matrix;
  y: Matrix | undefined;
}

async function found(data: Data, values: Values, line: ProgressLine): Promise<EsnSearchResult<Candidate>> {
  const whole = (name: 'budget' | 'seeds' | 'horizon', text: string) => wholeOf(name, text, 'search');
  const { file } = values;
  const options = {
    ...{ budget: whole('budget', values.budget ?? '40'), seeds: whole('seeds', values.seeds ?? '1'), file },
    seed: numberOf('seed', values.seed ?? '0', 'search'),
    horizon: values.horizon === undefined ? undefined : whole('horizon', values.horizon),
    onProgress: (progress: Parameters<ProgressLine['show']>[0]) => line.show(progress),
  };
  const space = spaceOf(values, data.x.rows);
  const remind = (code: number) => {
    if (code !== 0 && file !== undefined) note(`${file} has what was scored; the same command goes on with it`);
  };
  line.show({ stage: 'search', done: 0, total: options.budget * options.seeds });
  process.once('exit', remind);
  return search(space, data, options)
    .catch((error: unknown) =>
      asUsage('search', () => {
        throw error;
      }),
    )
    .finally(() => process.off('exit', remind));
}

async function saveBest(options: EsnOptions, { x, y }: Data, model: string, line: ProgressLine): Promise<void> {
  const esn = new Esn(options);
  try {
    await esn.fitAsync(x, y, { onProgress: (progress) => line.show(progress) });
    await esn.save(model);
  } finally {
    esn.close();
  }
}

interface Answer extends ModelAnswer {
  scoreIs: string;
  table: readonly SearchRow<Candidate>[];
}

function page(answer: Answer, paint: Paint): string {
  const { scoreIs, table } = answer;
  const scored = table.filter(({ score }) => score !== null).sort((a, b) => a.score! - b.score!);
  const names = ['units', 'leak', 'spectralRadius', 'inputScaling', 'biasScaling', 'ridge'];
  const short = (value: unknown) => String(typeof value === 'number' ? Number(value.toPrecision(3)) : value);
  const best = scored
    .slice(0, LISTED)
    .map(({ score, candidate, milliseconds: time }) => [
      ...[score!.toPrecision(4), ...names.map((name) => short(candidate[name]))],
      milliseconds(time),
    ]);
  const failed = table.length - scored.length;
  const score = `score    ${scoreIs}, less is better${failed > 0 ? `; ${failed} candidates failed` : ''}`;
  return [
    ...modelLines(answer, paint, { fact: `${table.length} candidates`, score }),
    '',
    ...columns([['score', ...names, 'time'], ...best], [0, 1, 2, 3, 4, 5, 6, 7]),
  ].join('\n');
}

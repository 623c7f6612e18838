/** `dtesn fit`: trains an Esn on the series of a file, scores it on the last fifth, and saves it. */
import { Esn } from '../esn/index.js';
import { argumentsOf } from './arguments.js';
import { asUsage, fileOf, type ModelAnswer, modelLines, modelOptions, rowsOf, splitColumns } from './models.js';
import { printJson, printPage } from './output.js';
import { printable } from './printable.js';
import { ProgressLine } from './progress.js';
import { dataError, type NamedSeries, readNamedSeries } from './series-file.js';
import { Paint } from './terminal.js';

const LEAST_STEPS = 20;

export async function fitModel(args: string[]): Promise<number> {
  const { values, positionals } = argumentsOf('fit', args);
  const file = fileOf(positionals, 'fit');
  const { inputs, targets } = splitColumns(await readNamedSeries(file), values.target, 'fit');
  const { rows } = inputs.series;
  if (rows < LEAST_STEPS) throw dataError(file, `has ${rows} steps, and a fit needs ${LEAST_STEPS}`);
  const options = modelOptions(values, inputs.series.cols, rows, 'fit');
  const line = new ProgressLine();
  const started = performance.now();
  const score = await scoreOf(() => asUsage('fit', () => new Esn(options)), inputs, targets, line);
  const esn = new Esn(options);
  try {
    await esn.fitAsync(inputs.series, targets?.series, { onProgress: (progress) => line.show(progress) });
    line.end();
    const answer = {
      ...{ file, steps: rows, inputs: inputs.names, outputs: (targets ?? inputs).names },
      ...{ units: options.network.units, washout: options.washout, scoreOfLastFifth: score },
      ...{ seconds: (performance.now() - started) / 1000, model: values.save ?? null },
    };
    if (values.save !== undefined) await esn.save(values.save);
    if (values.json) printJson(answer);
    else printPage(page(printable(answer), new Paint(process.stdout)));
    return 0;
  } finally {
    line.end();
    esn.close();
  }
}

/** R² of the last fifth of the steps, after a fit to the others. */
async function scoreOf(
  make: () => Esn,
  inputs: NamedSeries,
  targets: NamedSeries | null,
  line: ProgressLine,
): Promise<number> {
  const { rows } = inputs.series;
  const end = Math.floor((4 * rows) / 5);
  const esn = make();
  const part = (named: NamedSeries, from: number, to: number) => rowsOf(named.series, from, to);
  const onProgress = (progress: Parameters<ProgressLine['show']>[0]) => line.show({ ...progress, stage: 'score' });
  try {
    await esn.fitAsync(part(inputs, 0, end), targets ? part(targets, 0, end) : undefined, { onProgress });
    return esn.score(part(inputs, end, rows), targets ? part(targets, end, rows) : undefined);
  } finally {
    esn.close();
  }
}

interface Answer extends ModelAnswer {
  units: number;
  scoreOfLastFifth: number;
}

function page(answer: Answer, paint: Paint): string {
  const { units, scoreOfLastFifth } = answer;
  const score = `R²       ${scoreOfLastFifth.toFixed(4)}  of the last fifth of the steps, after a fit to the others`;
  return modelLines(answer, paint, { fact: `${units} units`, score }).join('\n');
}

/** `dtesn predict`: the outputs of a saved Esn for every row of a file. */
import { Esn } from '../esn/index.js';
import { plotForecast } from '../plots/index.js';
import { argumentsOf } from './arguments.js';
import { fileOf, splitColumns, writeRows, writeText } from './models.js';
import { printJson } from './output.js';
import { ProgressLine } from './progress.js';
import { dataError, readNamedSeries } from './series-file.js';
import { UsageError } from './usage-error.js';

export async function predictSeries(args: string[]): Promise<number> {
  const { values, positionals } = argumentsOf('predict', args);
  const file = fileOf(positionals, 'predict');
  if (values.model === undefined)
    throw new UsageError('Expected --model MODEL (dtesn fit FILE --save MODEL)', 'predict');
  const { inputs, targets } = splitColumns(await readNamedSeries(file), values.target, 'predict');
  const esn = await Esn.load(values.model);
  const wanted = esn.network.inputs;
  if (inputs.series.cols !== wanted) {
    throw dataError(file, `has ${inputs.series.cols} columns of inputs, and the model reads ${wanted} (see --target)`);
  }
  const line = new ProgressLine();
  esn.reset();
  const predicted = await esn
    .predictAsync(inputs.series, { onProgress: (progress) => line.show(progress) })
    .finally(() => line.end());
  const known = targets?.names ?? (predicted.cols === inputs.names.length ? inputs.names : []);
  const names = Array.from({ length: predicted.cols }, (_, i) => known[i] ?? `output ${i}`);
  if (values.plot !== undefined) {
    const beside = targets?.series.cols === predicted.cols ? targets.series : null;
    await writeText(await plotForecast(beside, predicted, { names }), values.plot);
  }
  if (values.json) printJson({ file, columns: names, rows: rowsAsLists(predicted) });
  else await writeRows(names, predicted, values.out);
  return 0;
}

export function rowsAsLists({ rows, cols, data }: { rows: number; cols: number; data: Float32Array | Float64Array }) {
  return Array.from({ length: rows }, (_, t) => [...data.subarray(t * cols, (t + 1) * cols)]);
}

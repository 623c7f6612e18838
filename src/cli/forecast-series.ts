/** `dtesn forecast`: the steps after the end of a series, by a saved Esn or by one that is trained on the series. */
import { Esn } from '../esn/index.js';
import { plotForecast } from '../plots/index.js';
import { argumentsOf } from './arguments.js';
import { asUsage, fileOf, modelOptions, rowsOf, wholeOf, writeRows, writeText } from './models.js';
import { printJson } from './output.js';
import { rowsAsLists } from './predict-series.js';
import { ProgressLine } from './progress.js';
import { dataError, type NamedSeries, readNamedSeries } from './series-file.js';

export async function forecastSeries(args: string[]): Promise<number> {
  const { values, positionals } = argumentsOf('forecast', args);
  const file = fileOf(positionals, 'forecast');
  const steps = wholeOf('steps', values.steps ?? '100', 'forecast');
  const named = await readNamedSeries(file);
  const line = new ProgressLine();
  const esn = await modelOf(file, named, values, line).finally(() => line.end());
  const forecast = esn.forecast({ steps });
  const { names, series } = named;
  if (values.plot !== undefined) {
    const past = rowsOf(series, Math.max(0, series.rows - 2 * steps), series.rows);
    await writeText(await plotForecast(null, forecast, { past, names }), values.plot);
  }
  if (values.json) printJson({ file, columns: names, rows: rowsAsLists(forecast) });
  else await writeRows(names, forecast, values.out);
  return 0;
}

/** The model, at the end of the series. */
async function modelOf(
  file: string,
  { series }: NamedSeries,
  values: { model?: string } & Parameters<typeof modelOptions>[0],
  line: ProgressLine,
): Promise<Esn> {
  const onProgress = (progress: Parameters<ProgressLine['show']>[0]) => line.show(progress);
  if (values.model === undefined) {
    const esn = asUsage('forecast', () => new Esn(modelOptions(values, series.cols, series.rows, 'forecast')));
    return esn.fitAsync(series, undefined, { onProgress });
  }
  const esn = await Esn.load(values.model);
  const { inputs } = esn.network;
  if (inputs !== series.cols || esn.readout.outputs !== inputs) {
    throw dataError(
      file,
      `has ${series.cols} columns, and the model reads ${inputs} and gives ${esn.readout.outputs}: a forecast needs as many outputs as columns`,
    );
  }
  esn.reset();
  await esn.predictAsync(series, { onProgress });
  return esn;
}

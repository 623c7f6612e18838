/** `dtesn classify`: labels of the series of a file, by a saved EsnClassifier or by one that is trained on other series. */
import { EsnClassifier } from '../esn/index.js';
import type { Matrix } from '../numeric/index.js';
import { plotConfusion } from '../plots/index.js';
import { confusion } from '../scores/index.js';
import { argumentsOf } from './arguments.js';
import { asUsage, fileOf, modelOptions, writeText } from './models.js';
import { note, printJson } from './output.js';
import { ProgressLine } from './progress.js';
import { type ClassifiedSeries, dataError, readClassifiedSeries } from './series-file.js';
import { UsageError } from './usage-error.js';

/** Every so many series is tested where no file of tests is given. */
const TESTED = 5;

export async function classifySeries(args: string[]): Promise<number> {
  const { values, positionals } = argumentsOf('classify', args);
  const file = fileOf(positionals, 'classify');
  if (values.model !== undefined && (values.save ?? values.test) !== undefined) {
    throw new UsageError('Expected --model, or --test and --save, not both', 'classify');
  }
  const all = await readClassifiedSeries(file);
  const { learned, tested } =
    values.model === undefined ? await partsOf(all, values.test) : { learned: null, tested: all };
  const line = new ProgressLine();
  const classifier = await modelOf(file, learned, values, line).finally(() => line.end());
  const inputs = classifier.network.inputs;
  const other = tested.series.findIndex(({ cols }) => cols !== inputs);
  if (other >= 0)
    throw dataError(
      values.test ?? file,
      `has ${tested.series[other]!.cols} columns in series ${other + 1}, and the model reads ${inputs}`,
    );
  const predicted = classifier.predict(tested.series).map(String);
  const right = predicted.filter((label, i) => label === tested.labels[i]).length;
  if (values.save !== undefined) await classifier.save(values.save);
  if (values.plot !== undefined) await writeText(await plotConfusion(confusion(tested.labels, predicted)), values.plot);
  const accuracy = right / predicted.length;
  if (values.json) printJson({ file, accuracy, labels: tested.labels, predicted, model: values.save ?? null });
  else {
    const lines = predicted.map((label, i) => `${tested.labels[i]},${label}`);
    await writeText(`${['label,predicted', ...lines].join('\n')}\n`, values.out);
    note(`${right} of ${predicted.length} labels are right (accuracy ${accuracy.toFixed(4)})`);
  }
  return 0;
}

async function partsOf(all: ClassifiedSeries, test: string | undefined) {
  if (test !== undefined) return { learned: all, tested: await readClassifiedSeries(test) };
  const part = (isTested: boolean): ClassifiedSeries => {
    const isIn = (_: unknown, i: number) => (i % TESTED === TESTED - 1) === isTested;
    return { series: all.series.filter(isIn), labels: all.labels.filter(isIn) };
  };
  return { learned: part(false), tested: part(true) };
}

async function modelOf(
  file: string,
  learned: ClassifiedSeries | null,
  values: { model?: string } & Parameters<typeof modelOptions>[0],
  line: ProgressLine,
): Promise<EsnClassifier> {
  if (learned === null) return EsnClassifier.load(values.model!);
  const { series, labels } = learned;
  const inputs = (series[0] as Matrix | undefined)?.cols ?? 1;
  const other = series.findIndex(({ cols }) => cols !== inputs);
  if (other >= 0)
    throw dataError(file, `has ${series[other]!.cols} columns in series ${other + 1}, and ${inputs} in the first`);
  if (series.length < 2 || new Set(labels).size < 2) throw dataError(file, 'has fewer than two classes to learn');
  const options = modelOptions(values, inputs, Math.min(...series.map(({ rows }) => rows)), 'classify');
  const made = { ...options, washout: values.washout === undefined ? 0 : options.washout, features: { snapshots: 3 } };
  const classifier = asUsage('classify', () => new EsnClassifier(made));
  return classifier.fitAsync(series, labels, { onProgress: (progress) => line.show(progress) });
}

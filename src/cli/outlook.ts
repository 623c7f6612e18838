/**
 * `dtesn outlook`: forecasts of load, evaluated walk-forward on a trace or on an engine that is watched for a while.
 *
 * The table, or the report and the next forecasts as one JSON object, go to stdout; --plot writes a picture.
 */
import { writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { HttpEngine, TelemetryRing } from '../engine/index.js';
import { Outlook, type OutlookForecast, type OutlookReport, type OutlookSeries } from '../learning/index.js';
import { EngineMonitor } from '../monitor/index.js';
import { Reservoir } from '../network/index.js';
import { outlookPlot } from '../plots/index.js';
import { telemetryOf } from '../simulator/index.js';
import { argumentsOf } from './arguments.js';
import { readText } from './files.js';
import { note, printJson, printPage } from './output.js';
import { printable } from './printable.js';
import { ProgressLine } from './progress.js';
import { UsageError } from './usage-error.js';

const TARGETS = ['arrivalsPerSecond', 'promptTokensPerSecond', 'generationTokensPerSecond'];
/** Each target, sine and cosine of the time of day. */
const NETWORK_INPUTS = TARGETS.length + 2;

type Values = ReturnType<typeof argumentsOf<'outlook'>>['values'];

export async function showOutlook(args: string[]): Promise<number> {
  const { values, positionals } = argumentsOf('outlook', args);
  const source = sourceOf(positionals[0], values);
  const outlook = outlookOf(source, values);
  const progress = new ProgressLine();
  const series = 'trace' in source ? await readTrace(source.trace, values) : await watch(source, values, progress);
  const report = await trained(outlook, series, progress);
  if (values.plot !== undefined) await draw(outlook, report, values.plot);
  const forecasts = outlook.forecast(series);
  if (values.json) printJson({ ...report, forecasts });
  else printPage([String(report), '', ...forecastLines(forecasts)].join('\n'));
  return 0;
}

type Source = { trace: string } | { url: string; seconds: number };

function sourceOf(trace: string | undefined, values: Values): Source {
  const url = values.engine ?? (trace === undefined ? process.env['DTESN_ENGINE_URL'] : undefined);
  if (trace !== undefined && url !== undefined)
    throw new UsageError('Expected a trace or --engine, not both', 'outlook');
  if (url) return { url, seconds: numberOf(values.seconds ?? '600', '--seconds', 60, 86_400) };
  if (trace === undefined) throw new UsageError('Expected a trace, or --engine URL', 'outlook');
  for (const flag of ['seconds', 'api-key'] as const) {
    if (values[flag] !== undefined) throw new UsageError(`Expected --engine URL with --${flag}`, 'outlook');
  }
  return { trace };
}

function stepOf(source: Source, { step }: Values): number {
  return numberOf(step ?? ('trace' in source ? '10' : '1'), '--step', 0.1, 3600);
}

function outlookOf(source: Source, values: Values): Outlook {
  const units = numberOf(values.units ?? '100', '--units', 0, 2000);
  if (!Number.isInteger(units))
    throw new UsageError(`Expected a whole number for --units but received ${units}`, 'outlook');
  const standard = 'trace' in source ? ['10', '60', '300', '600'] : ['1', '10', '30', '60'];
  const horizonsSeconds = (values.horizon ?? standard).map((text) => numberOf(text, '--horizon', 0.1, 86_400));
  const network = units === 0 ? null : new Reservoir({ units, inputs: NETWORK_INPUTS, leak: 0.3, seed: 1 });
  try {
    return new Outlook({ targets: TARGETS, horizonsSeconds, stepSeconds: stepOf(source, values), network });
  } catch (error) {
    throw usage(error);
  }
}

function numberOf(text: string, flag: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new UsageError(
    `Expected a number in [${least}, ${most}] for ${flag} but received ${JSON.stringify(text)}`,
    'outlook',
  );
}

/** A wrong combination of flags is a wrong usage. */
function usage(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string };
  return code === 'ERR_DTESN_ARGUMENT' ? new UsageError(message, 'outlook', { cause: error }) : error;
}

async function readTrace(file: string, values: Values): Promise<OutlookSeries> {
  const text = await readText(file, 'the trace');
  return telemetryOf(text, { name: file, stepSeconds: stepOf({ trace: file }, values) });
}

async function watch(
  { url, seconds }: { url: string; seconds: number },
  values: Values,
  progress: ProgressLine,
): Promise<OutlookSeries> {
  const apiKey = values['api-key'] ?? process.env['DTESN_API_KEY'];
  const engine = new HttpEngine(url, apiKey === undefined ? {} : { apiKey });
  const monitor = new EngineMonitor(engine);
  const ring = new TelemetryRing({ capacity: Math.ceil(2 * seconds) });
  const now = () => Date.now() / 1000;
  // The wall clock may step back; a sample of then is left out.
  let last = 0;
  monitor.on('observation', (_, figures) => {
    if (now() < last) return;
    last = now();
    ring.add(last, figures, figures === null ? null : monitor.rates);
  });
  monitor.on('restart', () => ring.markRestart(Math.max(last, now())));
  try {
    for (let done = 0; done < seconds; done++) {
      progress.show({ stage: `watching ${printable(engine.label)}`, done, total: seconds });
      await pause(1000);
    }
  } finally {
    progress.end();
    await monitor.close();
    await engine.close();
  }
  return ring.since();
}

async function trained(outlook: Outlook, series: OutlookSeries, progress: ProgressLine): Promise<OutlookReport> {
  try {
    const onProgress = (state: { done: number; total: number; stage: string }) => progress.show(state);
    return await outlook.train(series, { onProgress });
  } finally {
    progress.end();
  }
}

async function draw(outlook: Outlook, { scores }: OutlookReport, file: string): Promise<void> {
  const horizons = [...new Set(scores.map(({ horizonSeconds }) => horizonSeconds))];
  const horizon = horizons[1] ?? horizons[0]!;
  const { model, ...series } = outlook.replay(TARGETS[0]!, horizon);
  await writeFile(file, outlookPlot({ ...series, title: `${model}, ${horizon} s ahead`, label: 'requests a second' }));
  note(`written to ${file}`);
}

function forecastLines(forecasts: readonly OutlookForecast[]): string[] {
  const lines = forecasts.map(({ target, horizonSeconds, value, p10, p90, model }) => [
    target,
    `in ${horizonSeconds} s`,
    value.toPrecision(4),
    `${p10.toPrecision(3)} .. ${p90.toPrecision(3)}`,
    model,
  ]);
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return [
    'after the last step',
    ...lines.map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    ),
  ];
}

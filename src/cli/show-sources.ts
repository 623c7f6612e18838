/**
 * `dtesn sources`: the sources, their quality, and the plan they lead to.
 *
 * With --watch they and what they cost are fetched and shown again every `--interval` seconds until a signal. On a terminal each page
 * takes the place of the one before it; elsewhere they follow each other. With --json each turn is one line: { data, metrics }.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DtesnProcessor } from '../processor/index.js';
import { argumentsOf } from './arguments.js';
import { aggregationLines, engineLines, planLines, sourcesLines } from './context-page.js';
import { metricsLines } from './metrics-page.js';
import { judgeEngine, openProcessor } from './open-processor.js';
import { printJson, printPage } from './output.js';
import { printable } from './printable.js';
import { ProgressLine } from './progress.js';
import { Paint } from './terminal.js';
import { UsageError } from './usage-error.js';

const CLEAR = '\u001b[H\u001b[2J';

interface Shown {
  json?: boolean | undefined;
  strict?: boolean | undefined;
}

export async function showSources(args: string[]): Promise<number> {
  const { values } = argumentsOf('sources', args);
  const intervalMs = intervalOf(values.interval ?? '1');
  const progress = new ProgressLine();
  const processor = await openProcessor(values, 'sources', progress);
  try {
    progress.end();
    if (values.watch) await watch(processor, intervalMs, values);
    else await showOnce(processor, values);
    return 0;
  } finally {
    await processor.close();
  }
}

function intervalOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= 0.1 && seconds <= 3600) return 1000 * seconds;
  const received = JSON.stringify(text);
  throw new UsageError(`Expected seconds in [0.1, 3600] for --interval but received ${received}`, 'sources');
}

async function showOnce(processor: DtesnProcessor, { json, strict }: Shown): Promise<void> {
  const fetched = await processor.fetchMultiSourceData();
  judgeEngine(processor, fetched, strict);
  if (json) return printJson(fetched);
  const paint = new Paint(process.stdout);
  const data = printable(fetched);
  const { simulated } = processor.engine!;
  const label = printable(processor.engine!.label);
  const lines = [
    `${paint.bold('Engine')}  ${label}${simulated ? paint.warn('  (a simulation: no model is running)') : ''}`,
    ...engineLines(data, paint),
    '',
    ...sourcesLines(data, paint),
    '',
    ...aggregationLines(data, paint),
    '',
    ...planLines(data, paint),
  ];
  printPage(lines.join('\n'));
}

/** Until the process ends. */
async function watch(processor: DtesnProcessor, intervalMs: number, { json, strict }: Shown): Promise<never> {
  const paint = new Paint(process.stdout);
  for (let turn = 0; ; turn++) {
    const start = performance.now();
    const data = await processor.fetchMultiSourceData();
    if (turn === 0 || strict) judgeEngine(processor, data, strict);
    const metrics = processor.metrics();
    if (json) {
      printJson({ data, metrics });
    } else {
      const [shown, figures] = [printable(data), printable(metrics)];
      if (process.stdout.isTTY) process.stdout.write(CLEAR);
      printPage([...sourcesLines(shown, paint), '', ...metricsLines(figures, paint), '', ''].join('\n'));
    }
    await pause(Math.max(0, intervalMs - (performance.now() - start)));
  }
}

/**
 * `dtesn sources --watch`: the sources and what they cost, fetched and shown again every `--interval` seconds until a signal.
 *
 * On a terminal each page takes the place of the one before it; elsewhere they follow each other. With --json each turn is one
 * line: { data, metrics }.
 */
import type { DtesnProcessor } from '../processor/index.js';
import { sourcesLines } from './context-page.js';
import { metricsLines } from './metrics-page.js';
import { json, printable } from './printable.js';
import type { Paint } from './terminal.js';

const CLEAR = '\u001b[H\u001b[2J';

export interface WatchOptions {
  intervalMs: number;
  json: boolean;
  paint: Paint;
}

/** Returns when a SIGINT or SIGTERM comes. */
export async function watchSources(processor: DtesnProcessor, options: WatchOptions): Promise<void> {
  const { stdout } = process;
  const ended = new AbortController();
  const end = () => ended.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, end);
  while (!ended.signal.aborted) {
    const start = performance.now();
    const data = await processor.fetchMultiSourceData();
    const metrics = processor.metrics();
    if (options.json) {
      stdout.write(`${json({ data, metrics })}\n`);
    } else {
      const [shown, figures] = [printable(data), printable(metrics)];
      const lines = [...sourcesLines(shown, options.paint), '', ...metricsLines(figures, options.paint), ''];
      stdout.write(`${stdout.isTTY ? CLEAR : ''}${lines.join('\n')}\n`);
    }
    await untilNext(options.intervalMs - (performance.now() - start), ended.signal);
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, end);
}

function untilNext(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.max(0, ms));
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
    signal.addEventListener('abort', done, { once: true });
  });
}

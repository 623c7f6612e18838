/** What a processor did so far as lines: sources, stages, pipelines, caches and quality. Unknown figures are a dash. */
import type { MetricsOfProcessor } from '../processor/index.js';
import { columns, grouped, milliseconds, type Paint } from './terminal.js';

const time = (ms: number | null) => (ms === null ? '-' : milliseconds(ms));
const share = (value: number | null) => (value === null ? '-' : value.toFixed(2));

export function metricsLines(metrics: MetricsOfProcessor, paint: Paint): string[] {
  return [...sourceLines(metrics, paint), '', ...timeLines(metrics, paint), '', ...stateLines(metrics, paint)];
}

function sourceLines({ sources }: MetricsOfProcessor, paint: Paint): string[] {
  const header = ['source', 'requests', 'hits', 'stale', 'misses', 'p50', 'p99', 'failures'].map(paint.dim);
  const rows = Object.entries(sources).map(([name, { requests, hits, stale, misses, latencyMs, failures }]) => {
    const failed = Object.entries(failures).map(([code, count]) => `${code} ${count}`);
    const counts = [requests, hits, stale, misses].map(grouped);
    return [name, ...counts, time(latencyMs.p50), time(latencyMs.p99), paint.bad(failed.join(', '))];
  });
  return [paint.bold('Sources, since the start'), ...columns([header, ...rows], [1, 2, 3, 4, 5, 6])];
}

function timeLines({ stagesMs, pipelines }: MetricsOfProcessor, paint: Paint): string[] {
  const header = ['stage or pipeline', 'times', 'p50', 'p90', 'p99'].map(paint.dim);
  const timed = [
    ...Object.entries(stagesMs),
    ...Object.entries(pipelines).map(([name, { timeMs }]) => [name, timeMs] as const),
  ];
  const rows = timed.map(([name, { count, p50, p90, p99 }]) => [name, grouped(count), time(p50), time(p90), time(p99)]);
  return [paint.bold('Times'), ...columns([header, ...rows], [1, 2, 3, 4])];
}

function stateLines({ inputs, caches, quality }: MetricsOfProcessor, paint: Paint): string[] {
  const { tokens, plans } = caches;
  const failed = Object.values(inputs.failed).reduce((sum, count) => sum + count, 0);
  return [
    paint.bold('Inputs, caches, quality'),
    ...columns([
      ['inputs', `${grouped(inputs.finished)} finished, ${grouped(failed)} failed, ${grouped(inputs.steps)} steps`],
      ['sheds', grouped(inputs.sheds)],
      ['token ids', `${grouped(tokens.entries)} texts, ${grouped(tokens.hits)} hits, ${grouped(tokens.misses)} misses`],
      ['plans', `${grouped(plans.entries)} kept, ${grouped(plans.hits)} hits, ${grouped(plans.misses)} misses`],
      [
        'quality',
        `${share(quality.last)} now; last hour ${share(quality.least)} to ${share(quality.most)}, mean ${share(quality.mean)}`,
      ],
      ['threshold', share(quality.threshold)],
    ]),
  ];
}

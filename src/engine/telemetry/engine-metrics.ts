/**
 * The figures of an engine out of its metrics, for each data-parallel engine and for all of them: Aphrodite, vLLM,
 * SGLang, llama.cpp and TGI under the names of metric-names.ts.
 */
import { withOldNames } from '../../errors/index.js';
import type { EngineKind } from '../engine.js';
import type { MetricFamilies } from '../prometheus/index.js';
import { type EngineReading, readEngines, type Series } from './engine-readings.js';
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  REASON_LABEL,
  WAITING_REASON_LABEL,
} from './metric-names.js';
import { sumByLabel } from './sum-by-label.js';

/**
 * Figures of an engine from one scrape. Null, and named in `unknown`, where no series has it or one is not a finite
 * number.
 */
export interface EngineFigures {
  running: number | null;
  waiting: number | null;
  waitingByReason: Record<string, number> | null;
  /** Share of the KV cache in [0, 1]. */
  kvUsageMean: number | null;
  kvUsageMax: number | null;
  /** Finished requests since the engine started. */
  requestsByReason: Record<string, number> | null;
  requestsTotal: number | null;
  errors: number | null;
  promptTokens: number | null;
  generationTokens: number | null;
  preemptions: number | null;
  /** Seconds that finished requests ran, in all. */
  inferenceSeconds: number | null;
  /** Steps of the engine: stands still in a hung engine. */
  iterationCount: number | null;
  /** Some engine sleeps. */
  sleeping: boolean | null;
  /** Blocks of all engines, tokens a block. */
  kvBlocks: { num: number; blockSize: number } | null;
  kvTokensCapacity: number | null;
}

/** Figures of a scrape: of all data-parallel engines together, and of each. */
export interface EngineMetrics extends EngineFigures {
  /** Whose names the metrics use. */
  engineType: EngineKind | null;
  /** Since 1970. */
  processStartSeconds: number | null;
  /** @deprecated Use `processStartSeconds`. */
  readonly processStartTime?: number | null;
  /** Of each engine by its label; '' where the metrics have none. */
  engines: ({ engine: string } & EngineFigures & { unknown: string[] })[];
  unknown: string[];
}

/**
 * The figures of an engine out of its metrics, for each data-parallel engine and for all of them: Aphrodite, vLLM, SGLang,
 * llama.cpp and TGI under the names of metric-names.ts. Counts are summed, the KV usage is given as mean and maximum.
 *
 * A figure is null, and named in `unknown`, when no series has it or one of its series is not a finite number.
 */
export function engineMetrics(families: MetricFamilies): EngineMetrics {
  const { kind, processStartTime, engines } = readEngines(families);
  const together = figuresOf(engines);
  const all = { engineType: kind, ...together, processStartSeconds: processStartTime };
  return readable({
    ...all,
    engines: engines.map((reading) => {
      const figures = figuresOf([reading]);
      return { engine: reading.engine, ...figures, unknown: unknownOf(figures) };
    }),
    unknown: unknownOf(all),
  });
}

const readable = withOldNames({ processStartTime: 'processStartSeconds' }, 'engine metrics');

const known = new WeakMap<EngineReading, EngineFigures>();

/** Of several engines together; those of one are kept with its reading, and are not to be changed. */
export function figuresOf(readings: readonly EngineReading[]): EngineFigures {
  const [lone] = readings;
  if (lone === undefined || readings.length > 1) return computeFigures(readings);
  const before = known.get(lone);
  if (before !== undefined) return before;
  const figures = computeFigures(readings);
  known.set(lone, figures);
  return figures;
}

function computeFigures(readings: readonly EngineReading[]): EngineFigures {
  const series = (name: GaugeName | CounterName | 'cacheConfig') =>
    readings.length === 1
      ? (readings[0]!.series.get(name) ?? [])
      : readings.flatMap((reading) => reading.series.get(name) ?? []);
  const usages = kvUsages(readings);
  const finished = series('finished');
  const requestsByReason = byLabel(finished, REASON_LABEL);
  const kvBlocks = blocks(series('cacheConfig'));
  const histograms = (name: HistogramName) => readings.flatMap((reading) => reading.histograms.get(name) ?? []);
  return {
    running: sum(series('running')),
    waiting: sum(series('waiting')),
    waitingByReason: byLabel(series('waitingByReason'), WAITING_REASON_LABEL),
    kvUsageMean: usages === null ? null : usages.reduce((a, b) => a + b, 0) / usages.length,
    kvUsageMax: usages === null ? null : Math.max(...usages),
    requestsByReason,
    requestsTotal: sum(finished),
    errors: requestsByReason?.['error'] ?? null,
    promptTokens: sum(series('promptTokens')),
    generationTokens: sum(series('generationTokens')),
    preemptions: sum(series('preemptions')),
    inferenceSeconds: sum(histograms('inferenceTime').map((one) => ({ value: one.sum }))),
    iterationCount: sum(histograms('iterationTokens').map(({ count }) => ({ value: count }))),
    sleeping: sleeping(series('sleepState')),
    kvBlocks,
    kvTokensCapacity: kvBlocks === null ? sum(series('kvTokensCapacity')) : kvBlocks.num * kvBlocks.blockSize,
  };
}

export function unknownOf(figures: object): string[] {
  return Object.keys(figures).filter((name) => figures[name as keyof typeof figures] === null);
}

/** Of each engine: as it says, or used / capacity in tokens. */
function kvUsages(readings: readonly EngineReading[]): number[] | null {
  const usages = readings.flatMap(({ series }) => {
    const said = series.get('kvUsage');
    if (said !== undefined) return said.map(({ value }) => value);
    const used = sum(series.get('kvTokensUsed') ?? []);
    const capacity = sum(series.get('kvTokensCapacity') ?? []);
    return used === null || capacity === null ? [] : [used / capacity];
  });
  return usages.length > 0 && usages.every(Number.isFinite) ? usages : null;
}

function sum(series: readonly Pick<Series, 'value'>[]): number | null {
  const known = series.length > 0 && series.every(({ value }) => Number.isFinite(value));
  return known ? series.reduce((total, { value }) => total + value, 0) : null;
}

function byLabel(series: readonly Series[], label: string): Record<string, number> | null {
  return sum(series) === null ? null : sumByLabel(series, label);
}

function sleeping(series: readonly Series[]): boolean | null {
  const awake = series.filter(({ labels }) => labels['sleep_state'] === 'awake');
  return sum(awake) === null ? null : awake.some(({ value }) => value === 0);
}

/** Label values are text, and "None" where the engine has not counted its blocks. */
function blocks(series: readonly Series[]): EngineFigures['kvBlocks'] {
  const counts = series.map(({ labels }) => ({
    num: whole(labels['num_gpu_blocks']),
    size: whole(labels['block_size']),
  }));
  const blockSize = counts[0]?.size;
  if (!blockSize || counts.some(({ num, size }) => num === null || size !== blockSize)) return null;
  return { num: counts.reduce((total, { num }) => total + (num ?? 0), 0), blockSize };
}

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

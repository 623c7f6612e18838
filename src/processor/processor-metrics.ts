/**
 * Metrics of a processor: inputs, stages, pipelines, caches and quality, as one plain structure (metrics() of the
 * processor).
 *
 * Times are milliseconds (*Ms) of the monotonic clock; a histogram's quantiles are null while it is empty. Counters are since the
 * processor was made. Quality is kept for the last hour, one entry a minute.
 */
import { type Clock, systemClock, wallMs } from '../abort/index.js';
import { LatencyHistogram, type LatencySnapshot, type SourceMetrics } from '../sources/index.js';
import type { ProcessorParts } from './processor-options.js';
import { stageNames } from './result.js';
import type { StageClock, StageName } from './stage-clock.js';

const MINUTE_MS = 60_000;
const MINUTES = 60;

/** Figures of a cache of the processor since it was made. */
export interface CacheFigures {
  entries: number;
  bytes: number;
  hits: number;
  misses: number;
}

/** Data quality over the last hour, one entry a minute, and the threshold in force. */
export interface QualityFigures {
  /** Of the last input or fetch; null before the first. */
  last: number | null;
  /** Over the last hour; null where there is nothing in it. */
  least: number | null;
  mean: number | null;
  most: number | null;
  samples: number;
}

/** Figures of one pipeline since the processor was made: how often it ran, and its time in milliseconds. */
export interface PipelineFigures {
  /** Inputs whose plan had the pipeline. */
  runs: number;
  /** Transformations that took effect, that were left out, and that failed. */
  applied: number;
  skipped: number;
  failed: number;
  timeMs: LatencySnapshot;
}

/** started = finished + prepared + those that failed + those under way. */
export interface InputFigures {
  started: number;
  finished: number;
  /** Inputs that were only prepared, as requested. */
  prepared: number;
  /** By error code; 'aborted' for those the caller ended. */
  failed: Record<string, number>;
  /** Steps that went through the model. */
  steps: number;
  /** Inputs for which the plan switched membranes off. */
  sheds: number;
}

/** The result of metrics() of the processor. */
export interface MetricsOfProcessor {
  /** When the processor was made, seconds since 1970. */
  sinceSeconds: number;
  /** Milliseconds since then. */
  uptimeMs: number;
  /** The five and the additional sources, by name. */
  sources: Record<string, SourceMetrics>;
  inputs: InputFigures;
  /** By name, milliseconds. */
  stagesMs: Record<StageName | 'total', LatencySnapshot>;
  pipelines: Record<string, PipelineFigures>;
  caches: { tokens: CacheFigures; plans: Omit<CacheFigures, 'bytes'> };
  quality: QualityFigures & { threshold: number };
}

interface Minute {
  start: number;
  sum: number;
  least: number;
  most: number;
  samples: number;
}

export interface PipelineOutcome {
  pipeline: string | null;
  applied: boolean;
  error?: string | undefined;
}

export function metricsOf({ fetcher, metrics, tokens, planner }: ProcessorParts): MetricsOfProcessor {
  const { entries, bytes, hits, misses } = tokens;
  return {
    sinceSeconds: metrics.sinceSeconds,
    uptimeMs: metrics.uptimeMs,
    sources: fetcher.metrics(),
    inputs: structuredClone(metrics.inputs),
    stagesMs: metrics.stages(),
    pipelines: metrics.pipelines(),
    caches: {
      tokens: { entries, bytes, hits, misses },
      plans: { entries: planner.entries, hits: planner.hits, misses: planner.misses },
    },
    quality: { ...metrics.qualityOfLastHour(), threshold: planner.threshold },
  };
}

/** Inputs that started together; the end of each is counted once. */
export class InputAccount {
  readonly #metrics: ProcessorMetrics;
  #open: number;

  constructor(metrics: ProcessorMetrics, count: number) {
    this.#metrics = metrics;
    this.#open = count;
  }

  finished(clock: StageClock, steps: number, shed: boolean): void {
    this.#open--;
    this.#metrics.finished(clock, steps, shed);
  }

  failed(error: unknown): void {
    this.#open--;
    this.#metrics.failed(error, false);
  }

  /** Counts inputs still under way as only prepared. */
  prepared(): void {
    this.#metrics.inputs.prepared += this.#open;
    this.#open = 0;
  }

  /** Counts inputs still under way as ended by the given error. */
  ended(error: unknown, aborted: boolean): void {
    for (; this.#open > 0; this.#open--) this.#metrics.failed(error, aborted);
  }
}

export class ProcessorMetrics {
  readonly sinceSeconds = wallMs() / 1000;
  readonly #clock: Clock;
  readonly #started: number;
  readonly inputs: InputFigures = { started: 0, finished: 0, prepared: 0, failed: {}, steps: 0, sheds: 0 };
  readonly #stages = new Map<StageName, LatencyHistogram>(stageNames.map((name) => [name, new LatencyHistogram()]));
  readonly #total = new LatencyHistogram();
  readonly #pipelines = new Map<string, { figures: Omit<PipelineFigures, 'timeMs'>; times: LatencyHistogram }>();
  #minutes: Minute[] = [];
  #lastQuality: number | null = null;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#started = clock.now();
  }

  get uptimeMs(): number {
    return this.#clock.now() - this.#started;
  }

  /** Counts started inputs; the result counts the end of each once. */
  begin(count: number): InputAccount {
    this.inputs.started += count;
    return new InputAccount(this, count);
  }

  /** Counts the end of an input. */
  finished(clock: StageClock, steps: number, shed: boolean): void {
    this.inputs.finished++;
    this.inputs.steps += steps;
    if (shed) this.inputs.sheds++;
    for (const { name, ms } of clock.stages()) this.#stages.get(name)!.add(ms);
    this.#total.add(clock.total());
  }

  failed(error: unknown, aborted: boolean): void {
    const { code } = (error ?? {}) as { code?: unknown };
    const name = aborted ? 'aborted' : typeof code === 'string' ? code : 'unknown';
    this.inputs.failed[name] = (this.inputs.failed[name] ?? 0) + 1;
  }

  /** Counts the outcome of each transformation of one input, and the time of each pipeline. */
  transformed(outcomes: readonly PipelineOutcome[], pipelineMs: Readonly<Record<string, number>>): void {
    for (const [name, ms] of Object.entries(pipelineMs)) {
      const pipeline = this.#pipeline(name);
      pipeline.figures.runs++;
      pipeline.times.add(ms);
    }
    for (const { pipeline, applied, error } of outcomes) {
      if (pipeline === null) continue;
      const { figures } = this.#pipeline(pipeline);
      if (error !== undefined) figures.failed++;
      else if (applied) figures.applied++;
      else figures.skipped++;
    }
  }

  /** Records the quality of one fetch of the sources. */
  quality(score: number, now = this.#clock.now()): void {
    this.#lastQuality = score;
    const last = this.#minutes.at(-1);
    if (last === undefined || now - last.start >= MINUTE_MS) {
      this.#minutes.push({ start: now, sum: score, least: score, most: score, samples: 1 });
      if (this.#minutes.length > MINUTES) this.#minutes.shift();
      return;
    }
    last.sum += score;
    last.samples++;
    last.least = Math.min(last.least, score);
    last.most = Math.max(last.most, score);
  }

  stages(): Record<StageName | 'total', LatencySnapshot> {
    const stages = Object.fromEntries(Array.from(this.#stages, ([name, times]) => [name, times.snapshot()]));
    return { ...stages, total: this.#total.snapshot() } as Record<StageName | 'total', LatencySnapshot>;
  }

  pipelines(): Record<string, PipelineFigures> {
    return Object.fromEntries(
      Array.from(this.#pipelines, ([name, { figures, times }]) => [name, { ...figures, timeMs: times.snapshot() }]),
    );
  }

  qualityOfLastHour(now = this.#clock.now()): QualityFigures {
    const minutes = this.#minutes.filter(({ start }) => now - start < MINUTES * MINUTE_MS);
    const samples = minutes.reduce((sum, minute) => sum + minute.samples, 0);
    if (samples === 0) return { last: this.#lastQuality, least: null, mean: null, most: null, samples };
    return {
      last: this.#lastQuality,
      least: Math.min(...minutes.map(({ least }) => least)),
      mean: minutes.reduce((sum, minute) => sum + minute.sum, 0) / samples,
      most: Math.max(...minutes.map(({ most }) => most)),
      samples,
    };
  }

  #pipeline(name: string) {
    let pipeline = this.#pipelines.get(name);
    if (pipeline === undefined) {
      pipeline = { figures: { runs: 0, applied: 0, skipped: 0, failed: 0 }, times: new LatencyHistogram() };
      this.#pipelines.set(name, pipeline);
    }
    return pipeline;
  }
}

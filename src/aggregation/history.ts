/**
 * What earlier fetches of the same engine say of the present one: its load by learned thresholds (load.ts), and whether its
 * figures can follow those before them.
 *
 *     counters       never fall while process_start_time is known and stays (a contradiction of the restart law,
 *                    engine/telemetry/restart-law.ts); after a restart earlier figures count no more
 *     Little's law   mean running = seconds of inference finished a second, over at least WINDOW seconds and FINISHES
 *                    finishes; they differ when both more than FACTOR times and by more than SLACK requests: a gap that
 *                    large says that gauges stand still
 *
 * A sample that is seen again (an answer that was kept) is not counted again. Source: Little (1961), Operations Research 9(3).
 */
import { z } from 'zod';
import { type Clock, clockOption } from '../abort/index.js';
import { RestartDetector, type RunFigures } from '../engine/index.js';
import { brand, checkOptions } from '../errors/index.js';
import { type PerformanceSource, runOf, type Sources } from '../sources/index.js';
import { type Load, LoadDetector } from './load.js';

const WINDOW = 60;
const FINISHES = 20;
const FACTOR = 3;
const SLACK = 8;

/**
 * What a history says of one set of sources: the load of the engine, and which figures cannot follow those before them.
 */
export interface Assessment {
  load: Load;
  /** Checks of the performance source against those before it: true where passed, else what is wrong. */
  checks: (true | string)[];
}

interface Sample {
  time: number;
  source: PerformanceSource;
}

const optionsSchema = z.object({ clock: clockOption });

/** Options of SourceHistory: its clock. */
export interface SourceHistoryOptions {
  /** What `observe` dates by where it is given no time. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

/**
 * Earlier fetches of one engine: they learn the thresholds of its load, and tell figures that cannot follow those
 * before them.
 *
 *     counters       never fall while process_start_time is known and stays; after a restart earlier figures count no more
 *     Little's law   mean running = seconds of inference finished a second
 *
 * Give one to aggregateMultiSourceData for each engine. Source: Little (1961), Operations Research 9(3).
 */
export class SourceHistory {
  readonly #clock: Clock;
  readonly #detector = new LoadDetector();
  readonly #restarts = new RestartDetector();
  #samples: Sample[] = [];
  #timestamp: number | null = null;
  #assessment: Assessment | null = null;

  constructor(options: SourceHistoryOptions = {}) {
    this.#clock = checkOptions(optionsSchema, options, 'SourceHistory').clock;
  }

  /** `now` in seconds of a clock that never steps; that of the option `clock` when left out. */
  observe(sources: Sources, now = this.#clock.now() / 1000): Assessment {
    const { performance: source } = sources;
    if (this.#assessment !== null && source.fetch_timestamp === this.#timestamp) return this.#assessment;
    this.#timestamp = source.fetch_timestamp;
    const sample = { time: now - source.age_ms / 1000, source };
    const checks = source.state === 'error' ? [] : this.#check(sample);
    this.#assessment = { load: this.#detector.judge(sources, sample.time), checks };
    return this.#assessment;
  }

  #check(sample: Sample): (true | string)[] {
    const last = this.#samples.at(-1);
    const restart = this.#restarts.observe(runWithSeconds(sample.source));
    if (restart !== null) this.#samples = [];
    const checks =
      last === undefined || restart?.contradiction === false ? [] : countersRise(last.source, sample.source);
    this.#samples.push(sample);
    const law = littlesLaw(this.#samples);
    // The window slides once it is full.
    while (this.#samples.length > 2 && sample.time - this.#samples[1]!.time >= WINDOW) this.#samples.shift();
    return law === null ? checks : [...checks, law];
  }
}

export const isSourceHistory = brand(SourceHistory, 'SourceHistory');

const counters = [
  'total_requests',
  'prompt_tokens_total',
  'generation_tokens_total',
  'preemptions_total',
  'inference_seconds_total',
] as const;

/** The seconds of inference are a counter too here. */
function runWithSeconds(source: PerformanceSource): RunFigures {
  const run = runOf(source);
  return { ...run, counters: { ...run.counters, inference_seconds_total: source.inference_seconds_total } };
}

function countersRise(before: PerformanceSource, after: PerformanceSource): (true | string)[] {
  return counters.flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (old === null || now === null) return [];
    return [now >= old || `${name} fell from ${old} to ${now}`];
  });
}

/** Null where it does not apply. */
function littlesLaw(samples: Sample[]): true | string | null {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const seconds = last.time - first.time;
  const finished = difference(first, last, 'total_requests');
  const spent = difference(first, last, 'inference_seconds_total');
  if (seconds < WINDOW || finished === null || finished < FINISHES || spent === null) return null;
  let inside = 0; // request-seconds, by trapezoids
  for (let i = 1; i < samples.length; i++) {
    const [a, b] = [samples[i - 1]!, samples[i]!];
    if (a.source.running === null || b.source.running === null) return null;
    inside += ((a.source.running + b.source.running) / 2) * (b.time - a.time);
  }
  const [running, expected] = [inside / seconds, spent / seconds];
  const [less, more] = [Math.min(running, expected), Math.max(running, expected)];
  if (more <= FACTOR * less || more - less <= SLACK) return true;
  return `${running.toFixed(1)} requests run on average, but the finished ones imply ${expected.toFixed(1)} (Little's law)`;
}

function difference(a: Sample, b: Sample, name: 'total_requests' | 'inference_seconds_total'): number | null {
  const [before, after] = [a.source[name], b.source[name]];
  return before === null || after === null ? null : after - before;
}

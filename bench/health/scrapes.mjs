/** Scrapes of simulated engines without text: the figures and rates that the monitor reads, straight from the engines' counters. */
import { parts } from './load-parts.mjs';
import { parameters } from './traffic.mjs';

const { EngineCore } = parts;

/** The figures of one core, as engineMetrics gives them. */
function figuresOf(core) {
  const { statistics } = core;
  const { finished } = statistics;
  return {
    running: core.running,
    waiting: core.waiting,
    waitingByReason: null,
    kvUsageMean: core.kvUsage,
    kvUsageMax: core.kvUsage,
    requestsByReason: finished,
    requestsTotal: finished.stop + finished.length + finished.abort + finished.error + finished.repetition,
    errors: finished.error,
    promptTokens: statistics.promptTokens,
    generationTokens: statistics.generatedTokens,
    preemptions: statistics.preemptions,
    inferenceSeconds: null,
    iterationCount: statistics.histograms.iteration_tokens_total.count,
    sleeping: false,
    kvBlocks: null,
    kvTokensCapacity: parameters.kvBlocks * parameters.blockSize,
    unknown: [],
  };
}

const summed = [
  ...['running', 'waiting', 'requestsTotal', 'promptTokens'],
  ...['generationTokens', 'preemptions', 'iterationCount'],
];

/** One to many ranks of a server, the clients that it serves, and the scrapes of a monitor. */
export class Lab {
  time = 0;
  inFlight = 0;
  #before = null;
  #frozen = null;
  #upcoming;

  /** `onAnswer(time)`: a first token or an end came; `onSubmit(rank, time)`: a request was sent to a rank. */
  constructor(arrivals, { ranks = 1, onAnswer = () => {}, onSubmit = () => {} } = {}) {
    this.cores = Array.from({ length: ranks }, () => new EngineCore(parameters, 0));
    this.arrivals = arrivals;
    this.onAnswer = onAnswer;
    this.onSubmit = onSubmit;
    this.#upcoming = arrivals.next().value;
  }

  /** Moves to a time and lets the clients come. */
  advanceTo(time) {
    while (this.#upcoming.time <= time) {
      for (const core of this.cores) core.advanceTo(this.#upcoming.time);
      this.#submit(this.#upcoming);
      this.#upcoming = this.arrivals.next().value;
    }
    for (const core of this.cores) core.advanceTo(time);
    this.time = time;
  }

  /** Metrics stand still from now on. */
  freeze() {
    this.#frozen = this.#read();
  }

  /** What a scrape says now: figures, and rates since the last call. */
  scrape() {
    const now = this.#frozen ?? this.#read();
    const before = this.#before;
    this.#before = { ...now, time: this.time };
    const seconds = before === null ? 0 : this.time - before.time;
    return { figures: now.figures, rates: before === null ? null : ratesOf(before, now, seconds), seconds };
  }

  #submit(request) {
    const core = this.cores.reduce((least, one) => (loadOf(one) < loadOf(least) ? one : least));
    this.inFlight++;
    this.onSubmit(this.cores.indexOf(core), request.time);
    let tokens = 0;
    core.submit(request, {
      token: () => {
        if (tokens++ === 0) this.onAnswer(core.clock);
      },
      end: () => {
        this.inFlight--;
        this.onAnswer(core.clock);
      },
    });
  }

  #read() {
    const engines = this.cores.map((core, i) => ({ engine: String(i), ...figuresOf(core) }));
    const latencies = this.cores.map(({ statistics }) => statistics.histograms.inter_token_latency_seconds);
    const sum = (values) => values.reduce((total, value) => total + value, 0);
    const kvUsageMean = sum(engines.map((one) => one.kvUsageMean)) / engines.length;
    const totals = Object.fromEntries(summed.map((name) => [name, sum(engines.map((one) => one[name]))]));
    const kvUsageMax = Math.max(...engines.map((one) => one.kvUsageMax));
    return {
      figures: {
        ...engines[0],
        ...totals,
        kvUsageMean,
        kvUsageMax,
        engineType: 'vllm',
        processStartSeconds: 1,
        engines,
      },
      latency: { sum: sum(latencies.map((one) => one.sum)), count: sum(latencies.map((one) => one.count)) },
    };
  }
}

const loadOf = (core) => 4 * core.waiting + core.running;

function ratesOf(before, now, seconds) {
  const delta = (name) => now.figures[name] - before.figures[name];
  const count = now.latency.count - before.latency.count;
  const mean = count > 0 ? (now.latency.sum - before.latency.sum) / count : null;
  const finished = delta('requestsTotal');
  return {
    arrivalsPerSecond: Math.max(0, finished + delta('running') + delta('waiting')) / seconds,
    finishesPerSecond: finished / seconds,
    promptTokensPerSecond: delta('promptTokens') / seconds,
    generationTokensPerSecond: delta('generationTokens') / seconds,
    preemptionsPerSecond: delta('preemptions') / seconds,
    interTokenSeconds: { mean },
  };
}

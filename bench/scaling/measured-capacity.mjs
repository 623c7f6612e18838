/** Requests a second that a replica serves at full use, measured from the counters of those that serve; a guess before any is known. */
import { ReplicaCapacity } from './sources.mjs';

export class MeasuredCapacity {
  meters = new Map();

  constructor(guess) {
    this.value = guess;
  }

  /** A scrape of each replica. */
  observe(time, replicas) {
    for (const { core } of replicas) {
      if (!this.meters.has(core)) this.meters.set(core, new ReplicaCapacity({ slots: core.parameters.maxNumSeqs }));
      this.meters.get(core).observe(figuresOf(core), time);
    }
    const cores = replicas.map(({ core }) => core);
    const known = cores.flatMap((core) => this.meters.get(core).requestsPerSecond ?? []);
    if (known.length > 0) this.value = known.reduce((a, b) => a + b, 0) / known.length;
    for (const core of this.meters.keys()) if (!cores.includes(core)) this.meters.delete(core);
  }
}

function figuresOf({ running, waiting, kvUsage, statistics, parameters }) {
  const { finished, histograms, generatedTokens, promptTokens } = statistics;
  return {
    running,
    waiting,
    kvUsageMean: kvUsage,
    kvTokensCapacity: parameters.kvBlocks * parameters.blockSize,
    requestsTotal: Object.values(finished).reduce((a, b) => a + b, 0),
    generationTokens: generatedTokens,
    promptTokens,
    iterationCount: histograms.iteration_tokens_total.count,
  };
}

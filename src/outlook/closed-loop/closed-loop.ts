/** A gateway before simulated engines in virtual time: what a rule of admission or routing is worth. */
import { checkOptions, rangeError } from '../../errors/index.js';
import { checkFault, type Fault, type FaultOptions, PATIENCE_SECONDS, RandomStream } from '../../simulator/index.js';
import { Gateway } from './gateway.js';
import { LoopEngine } from './loop-engine.js';
import { LoopRun } from './loop-run.js';
import { type CheckedOptions, type ClosedLoopOptions, optionsSchema } from './options.js';
import { readWorkload } from './workload.js';

/** Seconds to the first token over the requests that were sent to an engine; each is null where there were none. */
export interface TtftStatistics {
  /** Their mean. */
  mean: number | null;
  /** Half of them are at most this. */
  p50: number | null;
  /** 95 % of them are at most this. */
  p95: number | null;
  /** 99 % of them are at most this. */
  p99: number | null;
}

/** What a gateway made of the traffic. */
export interface ClosedLoopResult {
  /** Requests that came. */
  requests: number;
  /** Share of them whose first token came within `sloMs`, 0 to 1; null where none came. */
  goodput: number | null;
  /** Share of them that the gateway rejected, 0 to 1; null where none came. */
  rejected: number | null;
  /** Requests that had a first token. */
  served: number;
  /** Seconds to the first token of those sent to an engine; one that had none counts as 60 s, the patience of its client. */
  ttft: TtftStatistics;
  /** Virtual seconds from the first arrival until the last request was known to be served or lost. */
  seconds: number;
}

/**
 * A gateway before simulated engines in virtual time: what a rule of admission or routing is worth.
 *
 *     const result = await closedLoop({ trace: 'azure-code.csv', load: 0.7, seed: 1, engines: 1, policy: { admit: true }, sloMs: 2000 });
 *     result.goodput        // 0.65: share of all requests whose first token came within 2 s
 *
 * Each engine is one EngineSimulator with its defaults, without HTTP, scraped each second. Load 1 is the throughput of the
 * engines when they are flooded with that mix of requests. A client leaves after 60 s without a first token. A policy sees the last scrape and what the
 * gateway sent and heard; `true` is the rule of a Fleet with `outlook` (AdmissionRule, RoutingRule). Equal options give equal
 * results. At most 100,000 requests come, in at most a day of virtual time.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option or what a policy returns; DtesnError ERR_DTESN_TRACE for a
 * trace that is not one; the file system's errors.
 */
export async function closedLoop(options: ClosedLoopOptions): Promise<ClosedLoopResult> {
  const checked = checkOptions(optionsSchema, options, 'closedLoop');
  const { trace, load, seed, engines: sizes, visible, signal, onProgress, onOutcome } = checked;
  const faults = engineFaults(checked);
  signal?.throwIfAborted();
  const speed = sizes.reduce((sum, one) => sum + one.speed, 0);
  const { arrivals, seconds } = await readWorkload({ trace, load, seed, speed, signal });
  const engines = sizes.map((one, index) => {
    const slower = (time: number) => (time > seconds / 2 ? checked.slowdown : 1) / one.speed;
    return new LoopEngine(index, slower, faults[index]!);
  });
  const random = new RandomStream(seed + 1);
  const tally = new Tally();
  const run = new LoopRun({
    arrivals,
    engines,
    gateway: new Gateway(engines, checked),
    isVisible: () => random.uniform() < visible,
    onOutcome: (outcome) => {
      tally.add(outcome, checked.sloMs);
      onOutcome?.(outcome);
    },
    onTurn: (done) => {
      signal?.throwIfAborted();
      onProgress?.({ done, total: arrivals.length, stage: 'loop' });
    },
  });
  return tally.result(await run.run());
}

/** Of each engine; one that names none strikes all. */
function engineFaults({ faults, engines }: CheckedOptions): Fault[][] {
  const checked = (faults as FaultOptions[]).map((fault) => {
    const { engine, ...rest } = Object(fault) as FaultOptions;
    if (engine !== undefined && !(Number.isInteger(engine) && engine >= 0 && engine < engines.length)) {
      throw rangeError(`a whole number below ${engines.length}`, 'engine of a fault', engine);
    }
    return { engine, fault: checkFault(rest, 1, 0) };
  });
  return engines.map((_, index) =>
    checked.filter(({ engine }) => engine === undefined || engine === index).map(({ fault }) => fault),
  );
}

class Tally {
  #requests = 0;
  #rejected = 0;
  #good = 0;
  #served = 0;
  readonly #seconds: number[] = [];

  add({ engine, ttftSeconds }: { engine: number | null; ttftSeconds: number | null }, sloMs: number): void {
    this.#requests++;
    if (engine === null) {
      this.#rejected++;
      return;
    }
    this.#seconds.push(ttftSeconds ?? PATIENCE_SECONDS);
    if (ttftSeconds === null) return;
    this.#served++;
    if (1000 * ttftSeconds <= sloMs) this.#good++;
  }

  result(seconds: number): ClosedLoopResult {
    const all = this.#requests;
    const sorted = Float64Array.from(this.#seconds).sort();
    const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
    return {
      requests: all,
      goodput: all === 0 ? null : this.#good / all,
      rejected: all === 0 ? null : this.#rejected / all,
      served: this.#served,
      ttft: {
        mean: sorted.length === 0 ? null : sorted.reduce((sum, one) => sum + one, 0) / sorted.length,
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
      },
      seconds,
    };
  }
}

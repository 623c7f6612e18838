/**
 * Requests a second that one engine serves at full use with the present mix, measured from its own throughput. It need not be
 * full for that:
 *
 *     seconds = a steps + b generated + d prompt        windows of 3 s in which it never idles; recursive least squares
 *     work    = d P + (b + a / B) G                     seconds of a mean request: P prompt tokens, G generated
 *     B       = min(slots, 0.97 KV tokens / KV tokens of a running request)         the largest batch
 *     capacity = e / work                               e: work done a second while requests wait for 10 s and more, 1 before
 *
 * e holds what the model leaves out: recomputed tokens, batches that prompts keep small. An engine without a count of steps is
 * measured directly: finishes a second while requests wait. Means decay with a time constant of 1,000 s, the sums of a, b, d over
 * 100 windows, e follows with 300 s and goes back to 1 with an hour while nothing waits.
 * Units: seconds, tokens, requests.
 */
import type { EngineMetrics } from '../../engine/index.js';
import { RecursiveLeastSquares } from '../online/index.js';

/** Options of ReplicaCapacity. */
export interface ReplicaCapacityOptions {
  /** Requests that the engine runs at once (vLLM's `--max-num-seqs`); null: only KV memory is taken as a limit. Default null. */
  slots?: number | null | undefined;
}

const WINDOW_SECONDS = 3;
const WAITING_SECONDS = 10;
const MIX_SECONDS = 1000;
const EFFICIENCY_SECONDS = 300;
const RELAX_SECONDS = 3600;
const USABLE_KV = 0.97;
const FEWEST_WINDOWS = 10;
const FEWEST_FINISHES = 10;

/** Counters of the engine at one scrape. */
interface Counts {
  seconds: number;
  steps: number | null;
  generated: number;
  prompt: number;
  finished: number;
}

type Delta = Counts;

export class ReplicaCapacity {
  readonly #slots: number | null;
  readonly #costs = new RecursiveLeastSquares({ features: 3, ridge: 1e-4, forgetting: 0.99 });
  #windows = 0;
  #last: Counts | null = null;
  /** Where the present window began without idling, and the present queue. */
  #busySince: Counts | null = null;
  #waitingSince: Counts | null = null;
  #mix = { prompt: 0, generated: 0, finished: 0, kvTokens: 0, running: 0 };
  #mostRunning = 0;
  #efficiency = 1;
  #saturated: number | null = null;

  constructor({ slots = null }: ReplicaCapacityOptions = {}) {
    this.#slots = slots;
  }

  /** Null before it was measured: 10 windows and 10 finished requests. */
  get requestsPerSecond(): number | null {
    const work = this.#work();
    if (work === null) return this.#saturated;
    const { prompt, generated, finished } = this.#mix;
    if (finished < FEWEST_FINISHES) return null;
    const request = (work.prompt * prompt + work.generated * generated) / finished;
    return request > 0 ? this.#efficiency / request : null;
  }

  /** One scrape: counters and levels of one engine at `readSeconds`. Counters that stepped back are a restart. */
  observe(figures: EngineMetrics, readSeconds: number, { restarted = false } = {}): void {
    const now = countsOf(figures, readSeconds);
    if (restarted || (now !== null && this.#last !== null && steppedBack(this.#last, now))) this.reset();
    const last = this.#last;
    this.#last = now;
    if (now === null) {
      this.#busySince = null;
      this.#waitingSince = null;
      return;
    }
    if (last !== null && now.seconds > last.seconds) this.#observeMix(difference(last, now), figures);
    this.#observeBusy(now, figures.running ?? 0);
    this.#observeQueue(last, now, figures.waiting ?? 0);
  }

  /** A restart, perhaps of another model: measures again. */
  reset(): void {
    this.#costs.reset();
    this.#windows = 0;
    this.#last = null;
    this.#busySince = null;
    this.#waitingSince = null;
    this.#mix = { prompt: 0, generated: 0, finished: 0, kvTokens: 0, running: 0 };
    this.#mostRunning = 0;
    this.#efficiency = 1;
    this.#saturated = null;
  }

  #observeMix(delta: Delta, { running, kvUsageMean, kvTokensCapacity }: EngineMetrics): void {
    const keep = Math.exp(-delta.seconds / MIX_SECONDS);
    const mix = this.#mix;
    for (const name of ['prompt', 'generated', 'finished'] as const) mix[name] = mix[name] * keep + delta[name];
    if (running === null) return;
    this.#mostRunning = Math.max(this.#mostRunning, running);
    if (kvUsageMean === null || kvTokensCapacity === null) return;
    mix.running = mix.running * keep + running;
    mix.kvTokens = mix.kvTokens * keep + kvUsageMean * kvTokensCapacity;
    this.#kvTokens = kvTokensCapacity;
  }

  #kvTokens: number | null = null;

  #observeBusy(now: Counts, running: number): void {
    const since = this.#busySince;
    if (running === 0) this.#busySince = null;
    else if (since === null) this.#busySince = now;
    else if (now.seconds - since.seconds >= WINDOW_SECONDS) {
      const { steps, generated, prompt, seconds } = difference(since, now);
      this.#busySince = now;
      if (steps === null || steps === 0) return;
      this.#costs.update([steps, generated / 10, prompt / 100], seconds);
      this.#windows++;
    }
  }

  #observeQueue(last: Counts | null, now: Counts, waiting: number): void {
    const since = this.#waitingSince;
    if (waiting === 0) {
      this.#waitingSince = null;
      this.#efficiency =
        1 + (this.#efficiency - 1) * Math.exp(-(now.seconds - (last?.seconds ?? now.seconds)) / RELAX_SECONDS);
    } else if (since === null) this.#waitingSince = now;
    else if (now.seconds - since.seconds >= WAITING_SECONDS) {
      this.#waitingSince = now;
      const { seconds, prompt, generated, finished } = difference(since, now);
      const share = 1 - Math.exp(-seconds / EFFICIENCY_SECONDS);
      const work = this.#work();
      if (work === null) {
        this.#saturated = moved(this.#saturated, finished / seconds, share);
      } else {
        this.#efficiency = moved(
          this.#efficiency,
          (work.prompt * prompt + work.generated * generated) / seconds,
          share,
        );
      }
    }
  }

  /** Seconds of a prompt token and of a generated one in the largest batch. */
  #work(): { prompt: number; generated: number } | null {
    if (this.#windows < FEWEST_WINDOWS) return null;
    const cost = (...unit: number[]) => Math.max(0, this.#costs.predict(unit));
    return { prompt: cost(0, 0, 0.01), generated: cost(0, 0.1, 0) + cost(1, 0, 0) / this.#largestBatch() };
  }

  #largestBatch(): number {
    const { kvTokens, running } = this.#mix;
    const byMemory =
      this.#kvTokens === null || kvTokens === 0
        ? Number.POSITIVE_INFINITY
        : (USABLE_KV * this.#kvTokens * running) / kvTokens;
    const limit = Math.min(byMemory, this.#slots ?? Number.POSITIVE_INFINITY);
    return Math.max(1, Number.isFinite(limit) ? limit : this.#mostRunning);
  }
}

function countsOf(figures: EngineMetrics, seconds: number): Counts | null {
  const { iterationCount: steps, generationTokens: generated, promptTokens: prompt, requestsTotal: finished } = figures;
  if (generated === null || prompt === null || finished === null) return null;
  return { seconds, steps, generated, prompt, finished };
}

function difference(before: Counts, after: Counts): Delta {
  return {
    seconds: after.seconds - before.seconds,
    steps: before.steps === null || after.steps === null ? null : after.steps - before.steps,
    generated: after.generated - before.generated,
    prompt: after.prompt - before.prompt,
    finished: after.finished - before.finished,
  };
}

function steppedBack(before: Counts, after: Counts): boolean {
  const { generated, prompt, finished } = difference(before, after);
  return generated < 0 || prompt < 0 || finished < 0;
}

const moved = (old: number | null, value: number, share: number): number =>
  old === null ? value : old + share * (value - old);

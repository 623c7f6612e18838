/**
 * The concurrent fetch of the five sources. No source waits for another, a failed one is a record with its error, and
 * the whole never takes longer than the deadline: each source has a time limit within it.
 *
 * Answers are kept and asked anew by freshness.ts, one question at a time however many ask; the engine is asked through
 * its guard (guarded-engine.ts: retries within the limit, a breaker a class of endpoints); when it restarted
 * (restart-signature.ts) its model and tokenizer are forgotten. All ages are of the monotonic clock.
 *
 * Options: `deadlineMs` 250; `timeouts` a source, three fifths of the deadline when the engine is on this host (150 ms), else
 * all of it, never more; `providers`, what the processor says of itself. `fetch({ signal, force })`: `force` asks everything anew.
 * `subscribe(listener, { intervalMs, signal })` fetches steadily, 1000 ms by default; what it returns ends it.
 * The engine is the caller's: closing the fetcher ends what it asked and leaves the engine open.
 * Errors: the signal's reason when the caller aborts; DtesnError ERR_DTESN_CLOSED after close().
 */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError } from '../errors/index.js';
import { CachedSource, type Reading } from './cached-source.js';
import type { Engine } from './engine.js';
import { freshness } from './freshness.js';
import { fetchModelDataSource } from './model-config.js';
import type { SourceOptions } from './observation.js';
import { fetchPerformanceDataSource } from './performance.js';
import { untilAborted } from './policies/bounded-signal.js';
import { EngineGuard } from './policies/guarded-engine.js';
import { ListenerErrors } from './policies/listeners.js';
import { ModelWatch, RestartWatch } from './policies/restart-signature.js';
import { steadyPoll } from './policies/steady-poll.js';
import { fetchProcessingStateSource } from './processing-state.js';
import { fetchResourceDataSource } from './resources.js';
import { fetchTokenizerDataSource } from './tokenizer.js';
import {
  type ModelConfigSource,
  type PerformanceSource,
  type SourceName,
  type SourceProviders,
  type SourceSet,
  type Sources,
  sourceNames,
} from './types.js';

const milliseconds = z.number().positive().max(600_000);
const isFunction = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function').optional();
const optionsSchema = z.object({
  deadlineMs: milliseconds.default(250).describe('milliseconds in (0, 600000]'),
  timeouts: z
    .strictObject(Object.fromEntries(sourceNames.map((name) => [name, milliseconds.optional()])))
    .default({})
    .describe('milliseconds in (0, 600000] by source name'),
  providers: z
    .strictObject({ processingState: isFunction, resources: isFunction })
    .default({})
    .describe('functions processingState and resources'),
});

export interface SourceFetcherOptions {
  deadlineMs?: number;
  timeouts?: Partial<Record<SourceName, number>>;
  providers?: SourceProviders;
}

export interface FetchOptions {
  signal?: AbortSignal;
  force?: boolean;
}

const subscriptionSchema = z.object({
  intervalMs: z.number().min(10).max(3_600_000).default(1000).describe('milliseconds in [10, 3600000]'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
});
export type SubscribeOptions = z.input<typeof subscriptionSchema>;
export type SourceListener = (set: SourceSet) => unknown;

type Caches = { [Name in SourceName]: CachedSource<Sources[Name]> };

const localShare = 0.6;

export class SourceFetcher {
  readonly #caches: Caches;
  readonly #closing = new AbortController();
  readonly #asked = new Set<Promise<unknown>>();
  readonly #restarts = new RestartWatch();
  readonly #models = new ModelWatch();
  #shared: Promise<SourceSet> | null = null;

  constructor(engine: Engine | null, options: SourceFetcherOptions = {}) {
    if (engine !== null && typeof engine?.models !== 'function')
      throw argumentError('an Engine or null', 'engine', engine);
    const checked = checkOptions(optionsSchema, options, 'SourceFetcher');
    const providers = checked.providers as SourceProviders;
    const usual = checked.deadlineMs * (engine === null || isLocal(engine) ? localShare : 1);
    const guard = engine === null ? null : new EngineGuard(engine);
    const cache = <Name extends SourceName>(
      name: Name,
      fetch: (engine: Engine | null, options: SourceOptions) => Promise<Sources[Name]>,
    ) => {
      const timeoutMs = Math.min(checked.timeouts[name] ?? usual, checked.deadlineMs);
      const signal = this.#closing.signal;
      const ask = () => this.#track(fetch(guard?.within(timeoutMs) ?? null, { timeoutMs, signal }));
      return new CachedSource<Sources[Name]>(freshness[name], ask);
    };
    this.#caches = {
      model_config: cache('model_config', async (guarded, limits) =>
        this.#noticeModel(await fetchModelDataSource(guarded, limits)),
      ),
      tokenizer: cache('tokenizer', fetchTokenizerDataSource),
      performance: cache('performance', async (guarded, limits) =>
        this.#noticeRestart(await fetchPerformanceDataSource(guarded, limits)),
      ),
      processing_state: cache('processing_state', (_, limits) =>
        fetchProcessingStateSource(providers.processingState, limits),
      ),
      resources: cache('resources', (_, limits) => fetchResourceDataSource(providers.resources, limits)),
    };
  }

  /** Those who fetch at the same time share one set: it is to be read, not written. */
  async fetch({ signal, force = false }: FetchOptions = {}): Promise<SourceSet> {
    signal?.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    if (!force) this.#shared ??= this.#read({}).finally(() => (this.#shared = null));
    const set = force ? this.#read({ force }) : this.#shared!;
    return signal ? untilAborted(signal, set) : set;
  }

  /**
   * Fetches every `intervalMs` and hands each set to the listener, the first at once. What would not stay fresh for half an
   * interval is asked anew and waited for, so no set is older than it need be. A turn that takes longer than the interval
   * (its fetch, and what the listener returns) skips those it missed. Ends with what is returned, with the signal, or with
   * close(). A listener that throws, or whose promise rejects, is called again all the same; its first error is a process
   * warning (listeners.ts).
   */
  subscribe(listener: SourceListener, options: SubscribeOptions = {}): () => void {
    if (typeof listener !== 'function') throw argumentError('a function', 'listener', listener);
    const { intervalMs, signal } = checkOptions(subscriptionSchema, options, 'subscribe');
    this.#closing.signal.throwIfAborted();
    const end = new AbortController();
    const stop = () => end.abort(new DtesnError('ERR_DTESN_CLOSED', 'The subscription has ended'));
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])];
    for (const other of signals) other.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    const errors = new ListenerErrors();
    const turn = async () => {
      const set = await untilAborted(end.signal, this.#read({ freshForMs: intervalMs / 2 }));
      await errors.call(listener, 'subscribe', [set]);
    };
    void steadyPoll(turn, intervalMs, end.signal).finally(() => {
      for (const other of signals) other.removeEventListener('abort', stop);
    });
    return stop;
  }

  /** Forgets every answer: the next fetch asks anew. */
  invalidate(): void {
    for (const name of sourceNames) this.#caches[name].invalidate();
  }

  /** Ends what is being asked and waits for its end. */
  async close(): Promise<void> {
    this.#closing.abort(new DtesnError('ERR_DTESN_CLOSED', 'The source fetcher is closed'));
    await Promise.allSettled(this.#asked);
  }

  async #read(reading: Reading): Promise<SourceSet> {
    const start = performance.now();
    const sources = await this.#readAll(reading);
    return { sources, timestamp: Date.now() / 1000, elapsed_ms: performance.now() - start };
  }

  async #readAll(reading: Reading): Promise<Sources> {
    const caches = this.#caches;
    const [model_config, tokenizer, performance, processing_state, resources] = await Promise.all([
      caches.model_config.read(reading),
      caches.tokenizer.read(reading),
      caches.performance.read(reading),
      caches.processing_state.read(reading),
      caches.resources.read(reading),
    ]);
    return { model_config, tokenizer, performance, processing_state, resources };
  }

  /** An engine that restarted may serve another model: what was known of the old one is forgotten. */
  #noticeRestart(source: PerformanceSource): PerformanceSource {
    if (this.#restarts.restarted(source)) {
      this.#caches.model_config.invalidate();
      this.#caches.tokenizer.invalidate();
    }
    return source;
  }

  /** Another model has another tokenizer. */
  #noticeModel(source: ModelConfigSource): ModelConfigSource {
    if (this.#models.changed(source)) this.#caches.tokenizer.invalidate();
    return source;
  }

  #track<T>(asked: Promise<T>): Promise<T> {
    this.#asked.add(asked);
    const done = () => this.#asked.delete(asked);
    asked.then(done, done);
    return asked;
  }
}

function isLocal(engine: Engine): boolean {
  return /https?:\/\/(localhost|127\.[\d.]+|\[::1\])(?=[:/]|$)| on unix:/.test(engine.label);
}

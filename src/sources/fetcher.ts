/**
 * The concurrent fetch of the five sources. No source waits for another, a failed one is a record with its error, and
 * the whole never takes longer than the deadline: each source has a time limit within it.
 *
 * Options: `deadlineMs` 250; `timeouts` a source, three fifths of the deadline when the engine is on this host (150 ms), else
 * all of it, never more; `providers`, what the processor says of itself. `fetch({ signal, force })`: `force` asks everything anew.
 * The engine is the caller's: closing the fetcher ends what it asked and leaves the engine open.
 * Errors: the signal's reason when the caller aborts; DtesnError ERR_DTESN_CLOSED after close().
 */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError } from '../errors/index.js';
import { untilAborted } from './bounded-signal.js';
import { CachedSource } from './cached-source.js';
import type { Engine } from './engine.js';
import { freshness } from './freshness.js';
import { fetchModelDataSource } from './model-config.js';
import type { SourceOptions } from './observation.js';
import { fetchPerformanceDataSource } from './performance.js';
import { fetchProcessingStateSource } from './processing-state.js';
import { fetchResourceDataSource } from './resources.js';
import { fetchTokenizerDataSource } from './tokenizer.js';
import {
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

type Caches = { [Name in SourceName]: CachedSource<Sources[Name]> };

const localShare = 0.6;

export class SourceFetcher {
  readonly #caches: Caches;
  readonly #closing = new AbortController();
  readonly #asked = new Set<Promise<unknown>>();
  #engineStart: number | null = null;

  constructor(engine: Engine | null, options: SourceFetcherOptions = {}) {
    if (engine !== null && typeof engine?.models !== 'function')
      throw argumentError('an Engine or null', 'engine', engine);
    const checked = checkOptions(optionsSchema, options, 'SourceFetcher');
    const providers = checked.providers as SourceProviders;
    const usual = checked.deadlineMs * (engine === null || isLocal(engine) ? localShare : 1);
    const cache = <Name extends SourceName>(name: Name, fetch: (options: SourceOptions) => Promise<Sources[Name]>) => {
      const timeoutMs = Math.min(checked.timeouts[name] ?? usual, checked.deadlineMs);
      const ask = () => this.#track(fetch({ timeoutMs, signal: this.#closing.signal }));
      return new CachedSource<Sources[Name]>(freshness[name], ask);
    };
    this.#caches = {
      model_config: cache('model_config', (limits) => fetchModelDataSource(engine, limits)),
      tokenizer: cache('tokenizer', (limits) => fetchTokenizerDataSource(engine, limits)),
      performance: cache('performance', async (limits) =>
        this.#noticeRestart(await fetchPerformanceDataSource(engine, limits)),
      ),
      processing_state: cache('processing_state', (limits) =>
        fetchProcessingStateSource(providers.processingState, limits),
      ),
      resources: cache('resources', (limits) => fetchResourceDataSource(providers.resources, limits)),
    };
  }

  async fetch({ signal, force = false }: FetchOptions = {}): Promise<SourceSet> {
    signal?.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const start = performance.now();
    const reading = this.#readAll(force);
    const sources = await (signal ? untilAborted(signal, reading) : reading);
    return { sources, timestamp: Date.now() / 1000, elapsed_ms: performance.now() - start };
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

  async #readAll(force: boolean): Promise<Sources> {
    const caches = this.#caches;
    const [model_config, tokenizer, performance, processing_state, resources] = await Promise.all([
      caches.model_config.read(force),
      caches.tokenizer.read(force),
      caches.performance.read(force),
      caches.processing_state.read(force),
      caches.resources.read(force),
    ]);
    return { model_config, tokenizer, performance, processing_state, resources };
  }

  /** An engine that restarted may serve another model: what was known of the old one is forgotten. */
  #noticeRestart(source: PerformanceSource): PerformanceSource {
    const engineStart = source.process_start_time;
    if (engineStart === null) return source;
    if (this.#engineStart !== null && engineStart !== this.#engineStart) {
      this.#caches.model_config.invalidate();
      this.#caches.tokenizer.invalidate();
    }
    this.#engineStart = engineStart;
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
  return /https?:\/\/(localhost|127\.[\d.]+|\[::1\])(?=[:/]|$)/.test(engine.label);
}

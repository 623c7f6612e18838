/** The concurrent fetch of all sources: the five, and those that a host declares. */

import { type Clock, limitClock, Underway, untilAborted, wallMs, withTimeLimit } from '../abort/index.js';
import { type Engine, type EngineSourceName, engineSourceNames } from '../engine/index.js';
import { DtesnError, ListenerErrors, rangeError } from '../errors/index.js';
import { type DeclaredSource, fetchAdditionalSource } from './additional-source.js';
import { type Answer, CachedSource, type Reading } from './cached-source.js';
import { EngineProvider } from './engine-provider.js';
import {
  type CheckedOptions,
  checkedOptions,
  checkedSubscription,
  type SourceFetcherOptions,
  type SourceListener,
  type SubscribeOptions,
} from './fetcher-options.js';
import type { Freshness } from './freshness.js';
import { type Facts, KeptFacts } from './kept-facts.js';
import { fetchModelDataSource } from './model-config.js';
import { failure, type SourceOptions } from './observation.js';
import { fetchPerformanceDataSource } from './performance.js';
import { type Limits, ProviderChoice, steadyPoll } from './policies/index.js';
import { fetchProcessingStateSource } from './processing-state.js';
import { fetchResourceDataSource } from './resources.js';
import { SourceFigures, type SourceMetrics } from './source-figures.js';
import { fetchTokenizerDataSource } from './tokenizer.js';
import type {
  AdditionalSource,
  ModelConfigSource,
  PerformanceSource,
  SourceName,
  SourceSet,
  Sources,
  TokenizerSource,
} from './types.js';

/** Options of SourceFetcher.fetch: a signal for the wait, and whether fresh answers are fetched again. */
export interface FetchOptions {
  /** Ends the wait; what others wait for goes on. Default: none. */
  signal?: AbortSignal | undefined;
  /** Whether every source is refetched, however fresh its answer is. Default false. */
  force?: boolean | undefined;
}

type Caches = { [Name in SourceName]: CachedSource<Sources[Name]> };
type Choices = { [Name in EngineSourceName]: ProviderChoice<EngineProvider, Sources[Name]> };
type AskEngine<Source> = (engine: Engine | null, options: SourceOptions) => Promise<Source>;
type Notice<Source> = (source: Source, provider: EngineProvider, begun: number) => void;

/**
 * The concurrent fetch of all sources: the five, and those that a host declares. No source waits for another, a failed one
 * is a record with its error, and the whole never takes longer than the deadline: each source has a time limit within it. What this
 * process answers itself cannot fail because the process is slow: the host and the processor are read in one turn, and limits on an
 * engine in this process count only time in which the event loop waits.
 *
 * Answers are kept and refetched by the rules of freshness.ts, one question at a time for all callers. What an engine answers may
 * have several providers, each behind its own guard (guarded-engine.ts): provider-choice.ts says who is asked. When a
 * provider restarted, or serves another model (restart-signature.ts), what is known of model and tokenizer is forgotten
 * and `epoch` rises. All ages are of the monotonic clock.
 *
 * Scrapes are shared with whoever else reads the same Engine object, an EngineMonitor say (engine/telemetry/scraper.ts): one that
 * is fresh, and newer than the answer known here, is a source's answer, with its age.
 *
 * The engines are the caller's: closing the fetcher ends what it asked and leaves them open.
 * Errors: the signal's reason when the caller aborts; DtesnError ERR_DTESN_CLOSED after close().
 */
export class SourceFetcher {
  readonly #engine: Engine | null;
  readonly #clock: Clock;
  readonly #main: EngineProvider | null;
  readonly #options: CheckedOptions;
  readonly #caches: Caches;
  readonly #choices: Choices;
  readonly #additional = new Map<string, CachedSource<AdditionalSource>>();
  readonly #figures = new Map<string, SourceFigures>();
  readonly #closing = new AbortController();
  readonly #asked = new Underway();
  readonly #kept: KeptFacts | null;
  /** The reading of what is kept on disk, until it is done. */
  #loading: Promise<void> | null = null;
  #shared: Promise<SourceSet> | null = null;
  #epoch = 0;

  constructor(engine: Engine | null, options: SourceFetcherOptions = {}) {
    this.#options = checkedOptions(engine, options);
    this.#engine = engine;
    this.#clock = this.#options.clock;
    this.#main = engine && new EngineProvider('engine', engine, this.#clock);
    const { providers, declared, keepIn } = this.#options;
    this.#choices = this.#makeChoices();
    this.#caches = {
      model_config: this.#engineCache('model_config', fetchModelDataSource),
      tokenizer: this.#engineCache('tokenizer', fetchTokenizerDataSource),
      performance: this.#engineCache('performance', fetchPerformanceDataSource),
      processing_state: this.#fiveCache('processing_state', (limits) =>
        fetchProcessingStateSource(providers.processingState, limits),
      ),
      resources: this.#fiveCache('resources', (limits) => fetchResourceDataSource(providers.resources, limits)),
    };
    for (const source of declared) this.#additional.set(source.name, this.#additionalCache(source));
    this.#kept = keepIn !== null && engine !== null ? new KeptFacts(keepIn, engine.label) : null;
    if (this.#kept) this.#loading = this.#load(this.#kept);
  }

  /** Rises with every restart, and every change of model or tokenizer, that is seen. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How long the answers of each source serve here, by name. */
  get freshness(): Readonly<Record<string, Freshness>> {
    const { freshness, declared } = this.#options;
    return { ...freshness, ...Object.fromEntries(declared.map((source) => [source.name, source.freshness])) };
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
   * interval is refetched and waited for. A turn that takes longer than the interval
   * (its fetch, and what the listener returns) skips those it missed. Ends with what is returned, with the signal, or with
   * close(). The first error of the listener goes to `onError`, by default a warning of the process; the subscription goes
   * on (listeners.ts).
   */
  subscribe(listener: SourceListener, options: SubscribeOptions = {}): () => void {
    const { intervalMs, signal, onError } = checkedSubscription(listener, options);
    this.#closing.signal.throwIfAborted();
    const end = new AbortController();
    const stop = () => end.abort(new DtesnError('ERR_DTESN_CLOSED', 'The subscription has ended'));
    const signals = [this.#closing.signal, ...(signal ? [signal] : [])];
    for (const other of signals) other.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    const errors = new ListenerErrors(onError);
    const turn = async () =>
      errors.call(listener, 'subscribe', [await untilAborted(end.signal, this.#read({ freshForMs: intervalMs / 2 }))]);
    void steadyPoll(turn, intervalMs, end.signal, this.#clock).finally(() => {
      for (const other of signals) other.removeEventListener('abort', stop);
    });
    return stop;
  }

  /** Forgets the answer of one source, or every answer: the next fetch asks again. */
  invalidate(name?: string): void {
    const caches = this.#allCaches();
    if (name === undefined) {
      for (const cache of caches.values()) cache.invalidate();
      return;
    }
    const cache = caches.get(name);
    if (!cache) throw rangeError(`one of ${[...caches.keys()].join(', ')}`, 'name', name);
    cache.invalidate();
  }

  /** The engine that answered a source last; the main one before any did. */
  engineFor(source: EngineSourceName): Engine | null {
    if (!engineSourceNames.includes(source))
      throw rangeError(`one of ${engineSourceNames.join(', ')}`, 'source', source);
    return this.#choices[source].answeredBy?.engine ?? this.#engine;
  }

  /** The engines that may be asked what a source is about, in the order in which to ask them. */
  enginesFor(source: EngineSourceName): Engine[] {
    const { timeoutMs } = this.#options;
    return this.#choices[source].inTurn(timeoutMs[source]).map(({ engine }) => engine);
  }

  /** What every source cost and brought since the fetcher began, by name. */
  metrics(): Record<string, SourceMetrics> {
    const providersOf = (name: string) => (isEngineSource(name) ? this.#choices[name].metrics() : {});
    return Object.fromEntries([...this.#figures].map(([name, figures]) => [name, figures.snapshot(providersOf(name))]));
  }

  /** Ends what is being asked, and waits for its end and for what is being written. */
  async close(): Promise<void> {
    this.#closing.abort(new DtesnError('ERR_DTESN_CLOSED', 'The source fetcher is closed'));
    await this.#asked.none();
    await Promise.all(engineSourceNames.map((name) => this.#choices[name].settled()));
    await this.#loading;
    await this.#kept?.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #read(reading: Reading): Promise<SourceSet> {
    const start = this.#clock.now();
    if (this.#loading) await this.#loading;
    const [sources, additional] = await Promise.all([this.#readFive(reading), this.#readAdditional(reading)]);
    return { sources, additional, timestamp: wallMs() / 1000, elapsed_ms: this.#clock.now() - start };
  }

  async #readFive(reading: Reading): Promise<Sources> {
    const caches = this.#caches;
    const [model_config, tokenizer, performance, processing_state, resources] = await Promise.all([
      caches.model_config.read(reading),
      caches.tokenizer.read(reading),
      caches.performance.read(reading),
      caches.processing_state.read(reading),
      caches.resources.read(reading),
    ]);
    const sources = { model_config, tokenizer, performance, processing_state, resources };
    const problems = this.#kept?.problems() ?? [];
    if (problems.length === 0) return sources;
    const reported = {
      model_config: withProblems(model_config, problems),
      tokenizer: withProblems(tokenizer, problems),
    };
    return { ...sources, ...reported };
  }

  async #readAdditional(reading: Reading): Promise<Record<string, AdditionalSource>> {
    const names = [...this.#additional.keys()];
    const sources = await Promise.all([...this.#additional.values()].map((cache) => cache.read(reading)));
    return Object.fromEntries(names.map((name, index) => [name, sources[index]!]));
  }

  #makeChoices(): Choices {
    const { alternatives } = this.#options;
    const others = alternatives.map(({ name, engine, sources }) => ({
      provider: new EngineProvider(name, engine, this.#clock),
      sources,
    }));
    const choice = <Source extends Sources[EngineSourceName]>(
      name: EngineSourceName,
      fetch: AskEngine<Source>,
      notice: Notice<Source>,
    ) => {
      const further = others.filter(({ sources }) => sources.includes(name)).map(({ provider }) => provider);
      const providers = this.#main ? [this.#main, ...further] : further;
      const ask = async (provider: EngineProvider, limits: Limits) => {
        const begun = this.#clock.now();
        const clocks = { clock: this.#clock, limitClock: limitClock(provider.engine, this.#clock) };
        const source = await fetch(provider.guard.within(limits.timeoutMs), { ...limits, ...clocks });
        notice(source, provider, begun);
        return source;
      };
      return new ProviderChoice<EngineProvider, Source>(providers, this.#main, ask, this.#clock);
    };
    return {
      model_config: choice<ModelConfigSource>('model_config', fetchModelDataSource, this.#noticeModel.bind(this)),
      tokenizer: choice<TokenizerSource>('tokenizer', fetchTokenizerDataSource, this.#noticeTokenizer.bind(this)),
      performance: choice<PerformanceSource>('performance', fetchPerformanceDataSource, this.#noticeRestart.bind(this)),
    };
  }

  #engineCache<Name extends EngineSourceName>(name: Name, fetch: AskEngine<Sources[Name]>): Caches[Name] {
    const choice = this.#choices[name] as unknown as ProviderChoice<EngineProvider, Sources[Name]>;
    return this.#fiveCache(name, async (limits) => {
      if (choice.size === 0) return fetch(null, { ...limits, clock: this.#clock });
      const source = await choice.ask(limits);
      this.#keep(name, source);
      return source;
    });
  }

  #fiveCache<Name extends SourceName>(name: Name, ask: (limits: Limits) => Promise<Sources[Name]>): Caches[Name] {
    const { timeoutMs, freshness } = this.#options;
    const limits = { timeoutMs: timeoutMs[name], signal: this.#closing.signal, clock: this.#clock };
    return this.#cache(name, freshness[name], (maxAgeMs) => ask({ ...limits, maxAgeMs })) as unknown as Caches[Name];
  }

  #additionalCache(source: DeclaredSource): CachedSource<AdditionalSource> {
    const signal = this.#closing.signal;
    return this.#cache(source.name, source.freshness, () =>
      fetchAdditionalSource(source, this.#main?.guard.within(source.timeoutMs) ?? null, { signal, clock: this.#clock }),
    );
  }

  /** A cache whose questions and reads are counted, and waited for by close(). */
  #cache<Source extends Answer>(
    name: string,
    freshness: CheckedOptions['freshness'][SourceName],
    ask: (maxAgeMs: number) => Promise<Source>,
  ): CachedSource<Source> {
    const figures = new SourceFigures();
    this.#figures.set(name, figures);
    const counted = async (maxAgeMs: number) => {
      const start = this.#clock.now();
      const source = await ask(maxAgeMs);
      figures.countQuestion(source, this.#clock.now() - start);
      return source;
    };
    const asked = (maxAgeMs: number) => this.#asked.during(counted(maxAgeMs));
    return new CachedSource<Source>(freshness, asked, figures.countRead, this.#clock);
  }

  #allCaches(): Map<string, { invalidate(): void }> {
    return new Map<string, { invalidate(): void }>([...Object.entries(this.#caches), ...this.#additional]);
  }

  /** A provider that restarted may serve another model: what was known of the old one is forgotten. */
  #noticeRestart(source: PerformanceSource, provider: EngineProvider, begun: number): void {
    if (!provider.restarted(source, begun)) return;
    this.#epoch += 1;
    this.#caches.model_config.invalidate();
    this.#caches.tokenizer.invalidate();
  }

  /** Another model has another tokenizer. */
  #noticeModel(source: ModelConfigSource, provider: EngineProvider, begun: number): void {
    if (!provider.changedModel(source, begun)) return;
    this.#epoch += 1;
    this.#caches.tokenizer.invalidate();
  }

  #noticeTokenizer(source: TokenizerSource, provider: EngineProvider): void {
    if (!provider.changedTokenizer(source)) return;
    this.#epoch += 1;
    this.#caches.model_config.forgetSeed();
  }

  /** Keeps on disk what the main engine answered. */
  #keep(name: EngineSourceName, source: Sources[EngineSourceName]): void {
    if (name === 'performance' || source.state === 'error' || source.provider !== this.#main?.name) return;
    this.#kept?.keep({ [name]: source } as Facts);
  }

  async #load(kept: KeptFacts): Promise<void> {
    const late = () => new DtesnError('ERR_DTESN_SOURCE_TIMEOUT', 'the folder keepIn could not be read in time');
    try {
      const load = (limit: AbortSignal) => untilAborted(limit, kept.load());
      this.#seed(await withTimeLimit(this.#options.deadlineMs / 5, late, undefined, load, this.#clock));
    } catch (error) {
      kept.ignore(failure(error).error);
    }
    this.#loading = null;
  }

  /** Takes what an earlier process kept; the first answers of the engine are compared with it. */
  #seed({ model_config, tokenizer }: Facts): void {
    const ageMs = (source: Answer) => Math.max(0, wallMs() - source.fetch_timestamp * 1000);
    const seeded = <Source extends Sources[EngineSourceName]>(source: Source): Source => {
      const since = new Date(source.fetch_timestamp * 1000).toISOString();
      return { ...withProblems(source, [`kept on disk since ${since} by an earlier process`]), provider: 'disk' };
    };
    if (model_config) {
      this.#caches.model_config.seed(seeded(model_config), ageMs(model_config));
      this.#main?.changedModel(model_config, this.#clock.now());
    }
    if (tokenizer) {
      this.#caches.tokenizer.seed(seeded(tokenizer), ageMs(tokenizer));
      this.#main?.changedTokenizer(tokenizer);
    }
  }
}

function isEngineSource(name: string): name is EngineSourceName {
  return (engineSourceNames as readonly string[]).includes(name);
}

function withProblems<Source extends Sources[EngineSourceName]>(source: Source, problems: string[]): Source {
  return { ...source, problems: [...(source.problems ?? []), ...problems] };
}

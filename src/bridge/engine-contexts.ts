/**
 * The context of each engine of the bridge: the sources, the aggregation and the plan.
 *
 * The first engine's is the processor's own, by which inputs are processed. Another engine's is fetched by caches of its own and
 * planned for the same model; they are kept while the engine is there.
 */
import type { Engine } from '../engine/index.js';
import { explainPlan, fetchMultiSourceData } from '../pipeline/index.js';
import { SourceFetcher } from '../sources/index.js';
import type { CurrentProcessor } from './current-processor.js';
import { BridgeError } from './messages/index.js';
import type { SourcesOfEngine } from './source-gauges.js';

/** What is asked of the engines. */
interface NamedEngines {
  readonly names: readonly string[];
  engine(name: string): Engine | undefined;
}

export class EngineContexts {
  readonly #processor: CurrentProcessor;
  readonly #engines: NamedEngines;
  readonly #fetchers = new Map<Engine, SourceFetcher>();

  constructor(processor: CurrentProcessor, engines: NamedEngines) {
    this.#processor = processor;
    this.#engines = engines;
  }

  /** The context of an engine by name; of the first one without a name. Errors: BridgeError not_found. */
  async of(name: string | undefined, signal: AbortSignal): Promise<object> {
    const first = this.#engines.names[0];
    if (name === undefined || name === first)
      return this.#processor.use((processor) => processor.fetchComprehensiveEngineContext({ signal }));
    const engine = this.#engines.engine(name);
    if (engine === undefined)
      throw new BridgeError('not_found', 'There is no engine of that name: GET /v1/engines lists all');
    const data = await fetchMultiSourceData(this.#fetcher(engine), { signal });
    const { depth, units, inputs } = this.#processor.config;
    const { model_config, tokenizer, performance } = data.sources;
    return {
      engine_available: [model_config, tokenizer, performance].some(({ state }) => state !== 'error'),
      engine_ready: performance.engine_ready,
      model_config,
      performance_metrics: performance,
      multi_source_data: data,
      plan: explainPlan(data),
      origin: { engine: name, depth, units, inputs },
    };
  }

  /** What the sources of each engine cost, for the metrics. */
  figures(): SourcesOfEngine[] {
    const [first] = this.#engines.names;
    const own =
      first === undefined
        ? []
        : this.#processor.open.map((reader) => ({ engine: first, reader, sources: reader.metrics().sources }));
    const others = this.#engines.names.slice(1).flatMap((engine) => {
      const reader = this.#fetchers.get(this.#engines.engine(engine)!);
      return reader === undefined ? [] : [{ engine, reader, sources: reader.metrics() }];
    });
    return [...own, ...others];
  }

  /** Forgets engines that are gone. */
  async prune(): Promise<void> {
    const present = new Set(this.#engines.names.map((name) => this.#engines.engine(name)));
    for (const [engine, fetcher] of this.#fetchers) {
      if (present.has(engine)) continue;
      this.#fetchers.delete(engine);
      await fetcher.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#fetchers.values()].map((fetcher) => fetcher.close()));
    this.#fetchers.clear();
  }

  #fetcher(engine: Engine): SourceFetcher {
    const known = this.#fetchers.get(engine);
    if (known !== undefined) return known;
    const made = new SourceFetcher(engine);
    this.#fetchers.set(engine, made);
    return made;
  }
}

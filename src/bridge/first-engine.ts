/**
 * The engine whose sources the processor reads: the first of the bridge's engines, whichever that is at the time of a question.
 *
 * Engines come and go while the bridge runs, and the processor keeps one Engine; this one hands each question on to the first. Where
 * there is none every question rejects with ERR_DTESN_NO_ENGINE, which is a failed source and never a failed input. Its scrapes are
 * those of the engine's monitor.
 */
import {
  type Engine,
  type EngineKind,
  type ModelCard,
  type ModelFiles,
  ownScraper,
  type RequestOptions,
  type ScrapedEngine,
  type Scraper,
  scraperOf,
  type Tokenization,
} from '../engine/index.js';
import { DtesnError } from '../errors/index.js';

export class FirstEngine implements ScrapedEngine {
  readonly #first: () => Engine | undefined;
  readonly [ownScraper]: Scraper = {
    known: (maxAgeMs) => {
      const engine = this.#first();
      return engine === undefined ? null : scraperOf(engine).known(maxAgeMs);
    },
    scrape: async (options) => scraperOf(this.#engine()).scrape(options),
    health: async (options) => scraperOf(this.#engine()).health(options),
  };

  constructor(first: () => Engine | undefined) {
    this.#first = first;
  }

  get label(): string {
    return this.#first()?.label ?? 'no engine';
  }

  get simulated(): boolean {
    return this.#first()?.simulated ?? false;
  }

  async kind(options?: RequestOptions): Promise<EngineKind | null> {
    return (await this.#engine().kind?.(options)) ?? null;
  }

  async models(options?: RequestOptions): Promise<ModelCard[]> {
    return this.#engine().models(options);
  }

  async version(options?: RequestOptions): Promise<string> {
    return this.#engine().version(options);
  }

  async health(options?: RequestOptions): Promise<void> {
    return this.#engine().health(options);
  }

  async metrics(options?: RequestOptions): Promise<Uint8Array> {
    return this.#engine().metrics(options);
  }

  async tokenize(text: string, options?: RequestOptions): Promise<Tokenization> {
    return this.#engine().tokenize(text, options);
  }

  async detokenize(tokens: number[], options?: RequestOptions): Promise<string> {
    return this.#engine().detokenize(tokens, options);
  }

  async modelFiles(options?: RequestOptions): Promise<ModelFiles | null> {
    return this.#engine().modelFiles(options);
  }

  /** The engines are closed by the set that holds them. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #engine(): Engine {
    const engine = this.#first();
    if (engine === undefined) throw new DtesnError('ERR_DTESN_NO_ENGINE', 'Expected an engine but the bridge has none');
    return engine;
  }
}

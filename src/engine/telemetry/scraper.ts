/**
 * The one poller of an engine: whoever reads GET /metrics or GET /health of one Engine object on one clock shares requests and
 * answers (shared-answer.ts), and a scrape is parsed once. The monitor and the sources ask here, so both see the same figures.
 *
 *     const { figures, timeSeconds } = await scraperOf(engine).scrape({ maxAgeMs: 500, signal });
 *
 * An engine that brings a `scraper`, such as one behind a guard, answers with it. Errors: those of the engine and of
 * parsePrometheus.
 */
import { type Clock, systemClock } from '../../abort/index.js';
import type { Engine } from '../engine.js';
import { type MetricFamilies, RepeatedReader } from '../prometheus/index.js';
import { type EngineMetrics, engineMetrics } from './engine-metrics.js';
import { SharedAnswer, type SharedOptions } from './shared-answer.js';

/** A scrape, read by all who share it: `timeSeconds` is when /metrics had answered. */
export interface EngineScrape {
  metrics: MetricFamilies;
  timeSeconds: number;
  figures: EngineMetrics;
}

export interface Scraper {
  /** The last scrape, where it is less than so old. */
  known(maxAgeMs: number): EngineScrape | null;
  scrape(options?: SharedOptions): Promise<EngineScrape>;
  /** Resolves when /health answers. */
  health(options?: SharedOptions): Promise<void>;
}

/** Under this key an engine that stands for another one carries the scraper of that one. */
export const ownScraper = Symbol.for('dtesn.scraper');

export interface ScrapedEngine extends Engine {
  readonly [ownScraper]: Scraper;
}

const scrapers = new WeakMap<Engine, WeakMap<Clock, Scraper>>();

export function scraperOf(engine: Engine, clock: Clock = systemClock): Scraper {
  if (ownScraper in engine) return (engine as ScrapedEngine)[ownScraper];
  const byClock = scrapers.get(engine) ?? new WeakMap<Clock, Scraper>();
  scrapers.set(engine, byClock);
  const scraper = byClock.get(clock) ?? makeScraper(engine, clock);
  byClock.set(clock, scraper);
  return scraper;
}

function makeScraper(engine: Engine, clock: Clock): Scraper {
  const reader = new RepeatedReader();
  const scrapes = new SharedAnswer<EngineScrape>(clock, async (signal) => {
    const body = await engine.metrics({ signal });
    const at = clock.now();
    const metrics = await reader.read(body, { signal });
    return { value: { metrics, timeSeconds: at / 1000, figures: engineMetrics(metrics) }, at };
  });
  const healths = new SharedAnswer<void>(clock, async (signal) => {
    await engine.health({ signal });
    return { value: undefined, at: clock.now() };
  });
  return {
    known: (maxAgeMs) => scrapes.known(maxAgeMs)?.value ?? null,
    scrape: async (options) => (await scrapes.read(options)).value,
    health: async (options) => (await healths.read(options)).value,
  };
}

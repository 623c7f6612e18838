/**
 * One observation of an engine: /health and /metrics, and how each of them ended. Requests and answers are shared with whoever else
 * reads them (engine/telemetry/scraper.ts). It never rejects.
 */
import { type Clock, systemClock } from '../abort/index.js';
import {
  type Engine,
  type EngineMetrics,
  type EngineScrape,
  isEngineError,
  isScaling,
  scraperOf,
} from '../engine/index.js';
import type { Answer, Observation } from './engine-state.js';
import { progressed } from './progress.js';

export interface EngineAnswers extends Omit<Observation, 'time' | 'readAt'> {
  /** What /metrics said, where it could be read. */
  scrape: EngineScrape | null;
}

export interface AnswersOptions {
  clock?: Clock;
  /** Answers that another reader of this engine had less than so long ago serve too; 0 when left out. */
  maxAgeMs?: number;
  /**
   * Figures of an engine that works. While it goes on counting, /health is not asked, and counts as answered: its core is well. Where
   * it does not, /health is asked after /metrics. Null, or left out: both are asked at the same time.
   */
  working?: EngineMetrics | null;
}

export async function observeEngine(
  engine: Engine,
  signal: AbortSignal,
  { clock = systemClock, maxAgeMs = 0, working = null }: AnswersOptions = {},
): Promise<EngineAnswers> {
  const scraper = scraperOf(engine, clock);
  const options = { signal, maxAgeMs };
  const metrics = answered(scraper.scrape(options));
  const askHealth = async () => (await answered(scraper.health(options))).answer;
  const health = working === null ? askHealth() : null;
  const scrape = (await metrics).value ?? null;
  const works = working !== null && scrape !== null && progressed(working, scrape.figures) === true;
  return {
    health: works ? 'ok' : await (health ?? askHealth()),
    metrics: (await metrics).answer,
    figures: scrape?.figures ?? null,
    scrape,
  };
}

async function answered<T>(asked: Promise<T>): Promise<{ answer: Answer; value?: T }> {
  try {
    return { answer: 'ok', value: await asked };
  } catch (error) {
    return { answer: answerOf(error) };
  }
}

function answerOf(error: unknown): Answer {
  if (!isEngineError(error)) return (error as Error)?.name === 'TimeoutError' ? 'silent' : 'failed';
  if (error.code === 'ERR_DTESN_ENGINE_REFUSED') return 'refused';
  if (error.code === 'ERR_DTESN_ENGINE_TIMEOUT') return 'silent';
  if (error.code === 'ERR_DTESN_ENGINE_CREDENTIAL') return 'unauthorised';
  if (error.status === 503) return isScaling(error) ? 'scaling' : 'unhealthy';
  return 'failed';
}

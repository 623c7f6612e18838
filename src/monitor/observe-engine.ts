/**
 * One observation of an engine: /health and /metrics at the same time, and how each of them ended. Requests and answers are shared
 * with whoever else reads them (engine/telemetry/scraper.ts). It never rejects.
 */
import { type Clock, systemClock } from '../abort/index.js';
import { type Engine, type EngineScrape, isEngineError, isScaling, scraperOf } from '../engine/index.js';
import type { Answer, Observation } from './engine-state.js';

export interface EngineAnswers extends Omit<Observation, 'time' | 'readAt'> {
  /** What /metrics said, where it could be read. */
  scrape: EngineScrape | null;
}

export interface AnswersOptions {
  clock?: Clock;
  /** Answers that another reader of this engine had less than so long ago serve too; 0 when left out. */
  maxAgeMs?: number;
}

export async function observeEngine(
  engine: Engine,
  signal: AbortSignal,
  { clock = systemClock, maxAgeMs = 0 }: AnswersOptions = {},
): Promise<EngineAnswers> {
  const scraper = scraperOf(engine, clock);
  const options = { signal, maxAgeMs };
  const [health, metrics] = await Promise.all([answered(scraper.health(options)), answered(scraper.scrape(options))]);
  const scrape = metrics.value ?? null;
  return { health: health.answer, metrics: metrics.answer, figures: scrape?.figures ?? null, scrape };
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

/** One look at an engine: /health and /metrics at the same time, and how each of them ended. It never rejects. */
import {
  type Engine,
  engineMetrics,
  isEngineError,
  isScaling,
  type MetricFamilies,
  parsePrometheusInSlices,
} from '../engine/index.js';
import type { Answer, Observation } from './engine-state.js';

export interface Look extends Omit<Observation, 'time'> {
  /** What /metrics said, where it could be read. */
  families: MetricFamilies | null;
}

export async function observeEngine(engine: Engine, signal: AbortSignal): Promise<Look> {
  const [health, metrics] = await Promise.all([
    answered(engine.health({ signal })),
    answered(engine.metrics({ signal }).then((body) => parsePrometheusInSlices(body, { signal }))),
  ]);
  const families = metrics.value ?? null;
  const figures = families === null ? null : engineMetrics(families);
  return { health: health.answer, metrics: metrics.answer, figures, families };
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

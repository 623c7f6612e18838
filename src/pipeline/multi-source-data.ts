/**
 * One look at everything: the five sources fetched, aggregated and turned into a plan.
 *
 * Never throws for a failed source: its error is in the data. Throws for a wrong target, and when the caller aborts.
 */
import { aggregateMultiSourceData } from '../aggregation/index.js';
import type { SourceFetcher, SourceSet } from '../sources/index.js';
import type { MultiSourceData } from './envelope.js';
import { createDataProcessingPipelines } from './plan.js';
import { defaultTarget, type PlanTarget } from './target.js';

export interface MultiSourceOptions {
  target?: PlanTarget;
  signal?: AbortSignal;
}

export async function fetchMultiSourceData(
  fetcher: SourceFetcher,
  { target, signal }: MultiSourceOptions = {},
): Promise<MultiSourceData> {
  return multiSourceData(await fetcher.fetch(signal ? { signal } : {}), target ?? defaultTarget());
}

/** The envelope of sources that are fetched already. */
export function multiSourceData({ sources, timestamp, elapsed_ms }: SourceSet, target: PlanTarget): MultiSourceData {
  const aggregation = aggregateMultiSourceData(sources);
  const processing_pipelines = createDataProcessingPipelines(sources, aggregation, target);
  return {
    sources,
    aggregation,
    processing_pipelines,
    transformation_ready: processing_pipelines.transformation_pipelines.length > 0,
    source_count: aggregation.successful_sources,
    timestamp,
    elapsed_ms,
  };
}

/** Fetches the sources, aggregates them and plans the pipelines in one call. */
import { aggregateMultiSourceData, SourceHistory } from '../aggregation/index.js';
import type { SourceFetcher, SourceSet } from '../sources/index.js';
import type { MultiSourceData } from './envelope.js';
import { expecting, planPipelines } from './plan.js';
import { checkPlanOptions, type MultiSourceDataOptions } from './plan-options.js';
import { defaultTarget, type PlanTarget } from './target.js';

/** Options of fetchMultiSourceData: the target of the plan, its switches, and a signal. */
export interface MultiSourceOptions extends Omit<MultiSourceDataOptions, 'history'> {
  /** What the plan is made for. Default: tokens into a tree of depth 4 with 1,024 f32 units, on all cores. */
  target?: PlanTarget | undefined;
  /** Ends the fetch, which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
}

/**
 * Fetches the sources, aggregates them and plans the pipelines in one call.
 *
 * Concurrent callers share one set of sources and its plan; neither may be written to. Never throws for a failed
 * source: its error is in the data. Throws for a wrong target or option, and when the caller aborts. Options of one
 * object are checked once: reuse the object for repeated calls with the same options.
 */
export async function fetchMultiSourceData(
  fetcher: SourceFetcher,
  options: MultiSourceOptions = noOptions,
): Promise<MultiSourceData> {
  const { signal } = options;
  const set = await fetcher.fetch(signal && { signal });
  if (options !== noOptions) {
    const { target, signal: _, ...plan } = options;
    if (target !== undefined || Object.keys(plan).length > 0) {
      return multiSourceData(set, target ?? defaultTarget(), { ...plan, history: historyOf(fetcher) });
    }
  }
  let data = planned.get(set);
  if (data === undefined) {
    data = multiSourceData(set, defaultTarget(), { history: historyOf(fetcher) });
    planned.set(set, data);
  }
  return data;
}

function historyOf(fetcher: SourceFetcher): SourceHistory {
  let history = histories.get(fetcher);
  if (history === undefined) {
    history = new SourceHistory();
    histories.set(fetcher, history);
  }
  return history;
}

/** The history of each fetcher, which belongs to one engine. */
const histories = new WeakMap<SourceFetcher, SourceHistory>();
/** The result of a shared set of sources, for the default target. */
const planned = new WeakMap<SourceSet, MultiSourceData>();

/** The envelope of fetched sources. */
export function multiSourceData(
  set: SourceSet,
  target: PlanTarget,
  options: MultiSourceDataOptions = noOptions,
): MultiSourceData {
  const settings = checkPlanOptions(options);
  const { sources, additional } = set;
  const aggregation = aggregateMultiSourceData(sources, options.history, additional);
  const judged = expecting(aggregation, sources, settings);
  return multiSourceDataOf(set, aggregation, planPipelines(sources, judged, target, settings, additional));
}

/** The envelope of sources with their aggregation and plan. */
export function multiSourceDataOf(
  { sources, additional, timestamp, elapsed_ms }: SourceSet,
  aggregation: MultiSourceData['aggregation'],
  processing_pipelines: MultiSourceData['processing_pipelines'],
): MultiSourceData {
  return {
    sources: { ...additional, ...sources } as MultiSourceData['sources'],
    aggregation,
    processing_pipelines,
    transformation_ready: processing_pipelines.transformation_pipelines.length > 0,
    source_count: aggregation.successful_sources,
    timestamp,
    elapsed_ms,
  };
}

const noOptions = {};

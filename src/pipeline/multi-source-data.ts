/**
 * One look at everything: the sources fetched, aggregated and turned into a plan.
 *
 * Those who fetch at the same time share one set of sources and one plan of it: both are to be read, not written.
 * Never throws for a failed source: its error is in the data. Throws for a wrong target or option, and when the caller aborts.
 * Options of one object are checked once: keep the object where many looks are taken with the same options.
 */
import { aggregateMultiSourceData, SourceHistory } from '../aggregation/index.js';
import type { SourceFetcher, SourceSet } from '../sources/index.js';
import type { MultiSourceData } from './envelope.js';
import { planPipelines } from './plan.js';
import { checkPlanOptions, type MultiSourceDataOptions } from './plan-options.js';
import { defaultTarget, type PlanTarget } from './target.js';

export interface MultiSourceOptions extends Omit<MultiSourceDataOptions, 'history'> {
  /** What the plan is made for. Default: tokens into a tree of depth 4 with 1,024 f32 units, on all cores. */
  target?: PlanTarget | undefined;
  /** Ends the fetch. */
  signal?: AbortSignal | undefined;
}

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

/** What was seen through each fetcher: it is one engine's stream. */
const histories = new WeakMap<SourceFetcher, SourceHistory>();
/** What came of a set that several wait for, for the usual target. */
const planned = new WeakMap<SourceSet, MultiSourceData>();

/** The envelope of sources that are fetched already. */
export function multiSourceData(
  set: SourceSet,
  target: PlanTarget,
  options: MultiSourceDataOptions = noOptions,
): MultiSourceData {
  const settings = checkPlanOptions(options);
  const { sources, additional } = set;
  const aggregation = aggregateMultiSourceData(sources, options.history, additional);
  return multiSourceDataOf(set, aggregation, planPipelines(sources, aggregation, target, settings, additional));
}

/** The envelope of sources that are aggregated and planned already. */
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

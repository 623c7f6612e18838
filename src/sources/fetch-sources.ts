/** One fetch of the five sources without caches, for a script or a check. */
import type { Engine } from '../engine/index.js';
import { SourceFetcher } from './fetcher.js';
import type { SourceFetcherOptions } from './fetcher-options.js';
import type { SourceSet } from './types.js';

/** Options of fetchSources: those of SourceFetcher, and a signal. */
export interface FetchSourcesOptions extends SourceFetcherOptions {
  /** Ends the fetch, which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
}

/**
 * One fetch of the five sources without caches, for a script or a check. For repeated fetches use a SourceFetcher.
 *
 * Errors: those of SourceFetcher; a failed source is a record with its error.
 */
export async function fetchSources(
  engine: Engine | null,
  { signal, ...options }: FetchSourcesOptions = {},
): Promise<SourceSet> {
  const fetcher = new SourceFetcher(engine, options);
  try {
    return await fetcher.fetch({ force: true, ...(signal && { signal }) });
  } finally {
    await fetcher.close();
  }
}

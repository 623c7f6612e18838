/**
 * One look at the five sources, without keeping any of it: for a script or a check. Who looks again keeps a SourceFetcher.
 *
 * Errors: those of SourceFetcher; a failed source is a record with its error.
 */
import type { Engine } from '../engine/index.js';
import { SourceFetcher } from './fetcher.js';
import type { SourceFetcherOptions } from './fetcher-options.js';
import type { SourceSet } from './types.js';

export interface FetchSourcesOptions extends SourceFetcherOptions {
  /** Ends the fetch. */
  signal?: AbortSignal | undefined;
}

export async function fetchSources(
  engine: Engine | null,
  { signal, ...options }: FetchSourcesOptions = {},
): Promise<SourceSet> {
  const fetcher = new SourceFetcher(engine, options);
  try {
    return await fetcher.fetch(signal ? { signal } : {});
  } finally {
    await fetcher.close();
  }
}

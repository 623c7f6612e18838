/** Source processing_state: what the processor says of its caches and managers. */
import { z } from 'zod';
import { observe, type SourceOptions } from './observation.js';
import { checkedState } from './provided-state.js';
import type { ProcessingState, ProcessingStateSource, SourceFields } from './types.js';

type Fields = SourceFields['processing_state'];

const nothing: Fields = {
  membrane_cache_size: null,
  esn_cache_size: null,
  bseries_cache_size: null,
  batch_manager_active: null,
  concurrency_manager_active: null,
};

const count = z.number().int().nonnegative();
const stateSchema: z.ZodType<ProcessingState> = z.object({
  membraneCacheSize: count,
  esnCacheSize: count,
  bseriesCacheSize: count,
  batchManagerActive: z.boolean(),
  concurrencyManagerActive: z.boolean(),
});

/**
 * Source processing_state: what the processor says of its caches and managers. Without a processor all is unknown; one
 * that throws, or says something of another kind, fails the source (ERR_DTESN_SOURCE_INVALID).
 */
export function fetchProcessingStateSource(
  provider: (() => ProcessingState) | undefined,
  options: SourceOptions = {},
): Promise<ProcessingStateSource> {
  const ask = async () => (provider ? fieldsOf(checkedState(stateSchema, provider(), 'processingState')) : nothing);
  return observe({ source: 'processing_state', request: 'the processor', nothing, ask }, options);
}

function fieldsOf(state: ProcessingState): Fields {
  return {
    membrane_cache_size: state.membraneCacheSize,
    esn_cache_size: state.esnCacheSize,
    bseries_cache_size: state.bseriesCacheSize,
    batch_manager_active: state.batchManagerActive,
    concurrency_manager_active: state.concurrencyManagerActive,
  };
}

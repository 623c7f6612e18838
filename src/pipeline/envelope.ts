/**
 * The envelope of the published multi-source format: sources, aggregation, pipelines.
 *
 *     source_count = sources that succeeded;   transformation_ready = at least one pipeline is there
 */
import { z } from 'zod';
import { aggregationSchema } from '../aggregation/index.js';
import { sourcesSchema } from '../sources/index.js';
import { processingPipelinesSchema } from './schema.js';

export const multiSourceDataSchema = z
  .object({
    sources: sourcesSchema,
    aggregation: aggregationSchema,
    processing_pipelines: processingPipelinesSchema,
    transformation_ready: z.boolean(),
    source_count: z.int().min(0).max(5),
    /** Seconds since 1970. */
    timestamp: z.number(),
    /** What fetching the sources took. */
    elapsed_ms: z.number().nonnegative(),
  })
  .loose();

export type MultiSourceData = z.infer<typeof multiSourceDataSchema>;

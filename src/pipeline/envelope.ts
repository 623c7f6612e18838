/** The envelope of the published multi-source format: sources, aggregation, pipelines. */
import { z } from 'zod';
import { aggregationSchema } from '../aggregation/index.js';
import { additionalSourceSchema, sourcesSchema } from '../sources/index.js';
import { processingPipelinesSchema } from './schema.js';

/**
 * The envelope of the published multi-source format: sources, aggregation, pipelines.
 *
 *     source_count = sources of the five that succeeded;   transformation_ready = at least one pipeline exists
 *
 * `sources` holds the five and, beside them, each source that the host adds under its name.
 */
export const multiSourceDataSchema = z
  .object({
    sources: sourcesSchema.catchall(additionalSourceSchema),
    aggregation: aggregationSchema,
    processing_pipelines: processingPipelinesSchema,
    transformation_ready: z.boolean(),
    source_count: z.int().min(0).max(5),
    /** Seconds since 1970. */
    timestamp: z.number(),
    /** Milliseconds that fetching the sources took. */
    elapsed_ms: z.number().nonnegative(),
  })
  .loose();

/**
 * The envelope of the published multi-source format: sources, aggregation, pipelines. `multiSourceDataSchema` validates
 * it.
 */
export type MultiSourceData = z.infer<typeof multiSourceDataSchema>;

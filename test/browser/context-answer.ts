/** An answer of GET /v1/context, shortened to what the dashboard shows. */

const good = { freshness: 1, completeness: 1, plausibility: 1, score: 1, implausible: [] as string[] };

export const contextAnswer = {
  engine_available: true,
  engine_ready: true,
  multi_source_data: {
    timestamp: 1_795_943_302.3,
    sources: {
      model_config: { state: 'partial', age_ms: 0, unknown: ['tokenizer_size'] },
      tokenizer: { state: 'ok', age_ms: 0, unknown: [] },
      performance: { state: 'ok', age_ms: 0, unknown: [] },
      processing_state: { state: 'ok', age_ms: 0, unknown: [] },
      resources: { state: 'ok', age_ms: 2400, unknown: [] },
    },
    aggregation: {
      total_sources: 5,
      successful_sources: 5,
      failed_sources: 0,
      data_quality_score: 1,
      additional_sources: 0,
      additional_successful: 0,
      additional_failed: 0,
      quality_detail: {
        score: 0.94,
        sources: {
          model_config: { ...good, completeness: 0.88, score: 0.96 },
          tokenizer: good,
          performance: { ...good, plausibility: 0.4, score: 0.8, implausible: ['running fell while nothing finished'] },
          processing_state: good,
          resources: { ...good, freshness: 0.82, score: 0.94 },
        },
      },
    },
  },
  plan: [
    {
      name: 'model_aware_preprocessing',
      source: 'model_config',
      priority: 1,
      present: true,
      absence: null,
      transformations: [
        {
          transformation: 'normalize_to_model_constraints',
          kind: 'data',
          operation: 'truncate steps=8192 keep=first',
          reason: 'the model takes at most 8192 tokens',
        },
      ],
    },
    {
      name: 'performance_optimized_processing',
      source: 'performance',
      priority: 2,
      present: true,
      absence: null,
      transformations: [
        {
          transformation: 'adjust_concurrency',
          kind: 'execution',
          operation: 'threads = 2',
          reason: '2 cores, load is not high',
        },
        {
          transformation: 'optimize_batch_size',
          kind: 'execution',
          operation: 'batch_size = 8',
          reason: 'the engine has 8 requests in flight; batches are powers of two up to 64',
        },
      ],
    },
    {
      name: 'high_quality_optimizations',
      source: null,
      priority: null,
      present: true,
      absence: null,
      transformations: [
        {
          transformation: 'standardize_features',
          kind: 'data',
          operation: 'zscore epsilon=1e-8',
          reason: 'quality 0.94 is above 0.7 and the engine is ready',
        },
      ],
    },
    {
      name: 'resource_aware_scaling',
      source: 'resources',
      priority: null,
      present: false,
      absence: 'the source resources did not answer',
      transformations: [],
    },
  ],
};

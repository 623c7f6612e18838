/**
 * The five sources as the published multi-source format writes them, those that a host adds, and what is said of each
 * answer beside it.
 *
 * state      ok       every field is known
 *            partial  answered, some fields are unknown (null, and named in `unknown`)
 *            stale    an older answer, past its fresh time and within its stale time; `stale_reason` says why
 *            error    no answer: every field is null, `error` and `error_code` say why
 * cache      miss     asked for this answer, and waited for
 *            hit      known already: fresh, or a failure that is remembered
 *            stale    known already and past its fresh time
 * Units: *_ms milliseconds (monotonic clock), *_timestamp and *_time seconds since 1970, *_bytes bytes.
 * `unknown` names every field that is null. Unknown keys are kept: the format may grow.
 */
import { z } from 'zod';
import { engineKinds } from '../engine/index.js';

export const sourceNames = ['model_config', 'tokenizer', 'performance', 'processing_state', 'resources'] as const;
/** Name of one of the five sources. */
export type SourceName = (typeof sourceNames)[number];

const count = z.number().int().nonnegative().nullable();
const amount = z.number().nonnegative().nullable();
const text = z.string().nullable();
const flag = z.boolean().nullable();

const reading = {
  /** What the answer took. */
  latency_ms: z.number().nonnegative(),
  /** Since it was answered. */
  age_ms: z.number().nonnegative(),
  unknown: z.array(z.string()),
  /** Why, where a question beside the main one failed. */
  problems: z.array(z.string()).optional(),
  fetch_timestamp: z.number(),
  /** Until then it is served without a question: its fresh time, or the time that a failure is remembered. */
  fresh_until: z.number(),
  cache: z.enum(['hit', 'stale', 'miss']),
  error: z.string().optional(),
  error_code: z.string().optional(),
  stale_reason: z.string().optional(),
};

const outcome = {
  state: z.enum(['ok', 'partial', 'stale', 'error']),
  ...reading,
  http_status: z.number().int().optional(),
  /** Who answered, for the sources of an engine: 'engine', the name of an alternative, or 'disk'. */
  provider: z.string().optional(),
};

const modelConfig = {
  model_name: text,
  max_model_len: count,
  vocab_size: count,
  hidden_size: count,
  dtype: text,
  engine_version: text,
  /** Tokens the model was trained on, as its files say. */
  trained_length: count,
  /** Tokens the tokenizer's file knows; vocab_size may be padded. */
  tokenizer_size: count,
  /** Where engine and files contradict each other, one sentence each; null when there was nothing to compare. */
  conflicts: z.array(z.string()).nullable(),
  /** Where each known field was read. */
  provenance: z.record(z.string(), z.string()).nullable(),
};

const tokenizer = {
  tokenizer_available: flag,
  engine_type: z.enum(engineKinds).nullable(),
  has_encode_method: flag,
  has_decode_method: flag,
  /** The probe text came back unchanged from tokenize and detokenize. */
  round_trip_ok: flag,
  max_model_len: count,
};

const performance = {
  /** Finished requests, of every reason, since the engine started. */
  total_requests: amount,
  /** running + waiting. */
  concurrent_requests: amount,
  error_count: amount,
  last_sync_time: z.number().nullable(),
  /** Healthy and not asleep. */
  engine_ready: flag,
  running: amount,
  waiting: amount,
  /** Share in [0, 1], mean over the engine's ranks, and the fullest rank. */
  kv_cache_usage: z.number().nullable(),
  kv_cache_usage_max: z.number().nullable(),
  kv_tokens_capacity: count,
  generation_tokens_total: amount,
  prompt_tokens_total: amount,
  preemptions_total: amount,
  requests_by_reason: z.record(z.string(), z.number()).nullable(),
  /** capacity: no room; deferred: held back. They sum to `waiting`. */
  waiting_by_reason: z.record(z.string(), z.number()).nullable(),
  /** Seconds that the finished requests ran, in all. */
  inference_seconds_total: amount,
  /** Changes when the engine restarts. */
  process_start_time: z.number().nullable(),
};

const processingState = {
  membrane_cache_size: count,
  esn_cache_size: count,
  bseries_cache_size: count,
  batch_manager_active: flag,
  concurrency_manager_active: flag,
};

const nvidiaGpu = z.object({
  name: z.string(),
  memory_total_bytes: z.number().positive(),
  memory_used_bytes: z.number().nonnegative(),
  utilization: z.number().min(0).max(1).nullable(),
});

const resources = {
  max_concurrent_processes: z.number().int().positive().nullable(),
  current_processing_load: z.record(z.string(), z.number().nullable()).nullable(),
  available_membranes: z.array(z.string()).nullable(),
  /** The native addon is loaded. */
  echo_kern_available: flag,
  memory_available_bytes: amount,
  cpu_count: z.number().int().positive().nullable(),
};

export const modelConfigSchema = z
  .object({ ...modelConfig, source_type: z.literal('model_config'), ...outcome })
  .loose();
export const tokenizerSchema = z.object({ ...tokenizer, source_type: z.literal('tokenizer'), ...outcome }).loose();
export const performanceSchema = z
  .object({ ...performance, source_type: z.literal('performance'), ...outcome })
  .loose();
export const processingStateSchema = z
  .object({ ...processingState, source_type: z.literal('processing_state'), ...outcome })
  .loose();
export const resourcesSchema = z
  .object({
    ...resources,
    /** Where they were asked for: none without nvidia-smi, null where it fails. */
    nvidia_gpus: z.array(nvidiaGpu).nullable().optional(),
    source_type: z.literal('resources'),
    ...outcome,
  })
  .loose();

/** A source that the host declared: its data as it came, and what of it counts as a constraint or a hint. */
export const additionalSourceSchema = z
  .object({
    data: z.record(z.string(), z.unknown()).nullable(),
    source_type: z.string(),
    state: z.enum(['ok', 'stale', 'error']),
    ...reading,
    /** Its share in a mean over the sources, in [0, 1]. */
    weight: z.number().min(0).max(1),
    /** The declared keys that `data` has. */
    constraints: z.record(z.string(), amount),
    hints: z.record(z.string(), flag),
  })
  .loose();

const fiveSchema = z.object({
  model_config: modelConfigSchema,
  tokenizer: tokenizerSchema,
  performance: performanceSchema,
  processing_state: processingStateSchema,
  resources: resourcesSchema,
});

/** The five, and any number of additional ones beside them. Its static type is that of the five. */
export const sourcesSchema = fiveSchema.catchall(additionalSourceSchema) as unknown as typeof fiveSchema;

/** Record of the source model_config: what is served, and what the files of the model say. */
export type ModelConfigSource = z.infer<typeof modelConfigSchema>;
/** Record of the source tokenizer: what the tokenizer of the engine does with a short text. */
export type TokenizerSource = z.infer<typeof tokenizerSchema>;
/** Record of the source performance: load, totals and readiness of the engine. */
export type PerformanceSource = z.infer<typeof performanceSchema>;
/** Record of the source processing_state: caches and managers of the processor. */
export type ProcessingStateSource = z.infer<typeof processingStateSchema>;
/** Record of the source resources: cores, memory, GPUs and pressure of this host. */
export type ResourcesSource = z.infer<typeof resourcesSchema>;
/** Records of the five sources, by their names. */
export type Sources = z.infer<typeof fiveSchema>;
/** Record of a source that the host adds: its data, or its error. */
export type AdditionalSource = z.infer<typeof additionalSourceSchema>;

/** What a source reads, without what is said about the reading. */
export interface SourceFields {
  model_config: FieldsOf<typeof modelConfig>;
  tokenizer: FieldsOf<typeof tokenizer>;
  performance: FieldsOf<typeof performance>;
  processing_state: FieldsOf<typeof processingState>;
  resources: FieldsOf<typeof resources> & { nvidia_gpus?: z.infer<typeof nvidiaGpu>[] | null };
}
type FieldsOf<Shape extends Record<string, z.ZodType>> = { [K in keyof Shape]: z.infer<Shape[K]> };

/** What is said of the reading. */
export type Outcome = z.infer<z.ZodObject<typeof outcome>>;

/** One fetch of all sources. */
export interface SourceSet {
  sources: Sources;
  /** By name, in the order of their declaration. */
  additional: Readonly<Record<string, AdditionalSource>>;
  /** Seconds since 1970. */
  timestamp: number;
  elapsed_ms: number;
}

/** What only the processor knows of itself. */
export interface ProcessingState {
  membraneCacheSize: number;
  esnCacheSize: number;
  bseriesCacheSize: number;
  batchManagerActive: boolean;
  concurrencyManagerActive: boolean;
}

/** What the processor says of its membranes, its load and the addon, for the source resources. */
export interface ResourceState {
  /** Ask nvidia-smi too: a process of its own, some 30 ms and more each time. */
  nvidiaSmi?: boolean;
  availableMembranes: string[];
  /** Cores that may be used, where the processor limits them. */
  maxConcurrentProcesses?: number;
  /** Figures added to current_processing_load. */
  currentProcessingLoad?: Record<string, number>;
  echoKernAvailable: boolean;
}

/**
 * What the processor says of itself for the sources processing_state and resources; a provider left out leaves fields
 * unknown.
 */
export interface SourceProviders {
  processingState?: () => ProcessingState;
  resources?: () => ResourceState;
}

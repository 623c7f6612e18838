/** DtesnProcessor: from an input to a result. */

import { EventEmitter } from 'node:events';
import { Underway } from '../abort/index.js';
import type { QualityChange, QualityObservation } from '../aggregation/index.js';
import type { EncodeInput } from '../encoding/index.js';
import type { Engine } from '../engine/index.js';
import { argumentError, DtesnError, emit, ListenerErrors } from '../errors/index.js';
import {
  applyHighQualityOptimizations,
  applyModelAwarePreprocessing,
  applyMultiSourceTransformations,
  applyPerformanceOptimization,
  applyResourceScaling,
  type Draft,
  type ExecutionPlan,
  type MultiSourceData,
} from '../pipeline/index.js';
import {
  fetchModelDataSource,
  fetchPerformanceDataSource,
  fetchProcessingStateSource,
  fetchResourceDataSource,
  fetchTokenizerDataSource,
  type Sources,
} from '../sources/index.js';
import type { ProgramSeries } from '../transform/index.js';
import type { DtesnConfig } from './config.js';
import { Continuation } from './continuation.js';
import { type ContextUse, type FetchedContext, type GivenContext, isContext } from './engine-context.js';
import { InputRunner } from './input-runner.js';
import { Looks } from './looks.js';
import {
  checkContinuations,
  checkProcessOptions,
  checkTraces,
  type ProcessBatchOptions,
  type ProcessOptions,
} from './process-options.js';
import { type MetricsOfProcessor, metricsOf } from './processor-metrics.js';
import { openParts, type ProcessorOptions, type ProcessorParts } from './processor-options.js';
import type { DtesnFailure, DtesnResult } from './result.js';
import { runWaves } from './waves.js';

/** An input as the series that the model will read. */
export interface PreprocessedInput {
  steps: number;
  features: number;
  /** steps x features, row-major. */
  series: Float32Array;
  context: MultiSourceData;
  contextUse: ContextUse;
  applied: Draft['applied'];
  execution: ExecutionPlan;
}

/** Events of DtesnProcessor and their arguments: 'quality' when the threshold or standardisation changes. */
export interface ProcessorEvents {
  quality: [change: QualityChange];
}

/**
 * DtesnProcessor: from an input to a result.
 *
 *     const processor = await DtesnProcessor.create({ engine: 'http://127.0.0.1:2242' });
 *     const result = await processor.process('Once upon a time');
 *     await processor.close();
 *
 *     context    the sources fetched at once (or from their caches), aggregated, pipelines planned; or a given context
 *     encode     text -> token ids (the engine's tokenizer, else that of the model's files,
 *                else UTF-8 bytes); numbers stay numbers
 *     transform  the plan's program, natively and in place
 *     model      the series through the Deep Tree ESN, a chunk of states at a time
 *     bseries    elementary differentials of the reservoir flow at the end state
 *
 * Inputs: a string, an array of token ids { tokens }, or a numeric series of `inputs` features a step.
 * Each input starts from the zero state, or where an earlier chunk ended (`openContinuation`). A source that fails never fails the input: its error is in the context.
 *
 * Events: 'quality' when the threshold or standardisation changes, with the reason. Options: ProcessorOptions.
 * Errors: TypeError or RangeError for options and inputs; DtesnError ERR_DTESN_EMPTY for an input without steps,
 * ERR_DTESN_TRANSFORMATION where errorHandling is 'fail', ERR_DTESN_CLOSED after close(); the signal's reason when aborted.
 */
export class DtesnProcessor extends EventEmitter<ProcessorEvents> {
  /** The configuration with every default filled in. */
  readonly config: DtesnConfig;
  /** The engine that sources are read from; null without one. */
  readonly engine: Engine | null;
  readonly #parts: ProcessorParts;
  readonly #looks: Looks;
  readonly #runner: InputRunner;
  readonly #running = new Underway();
  #closed = false;

  /**
   * Makes the model, off the JavaScript thread, and opens the configured engine. Progress has the stage 'construct' and
   * counts membranes; an abort rejects with the signal's reason, and nothing is left open.
   */
  static async create(options: ProcessorOptions = {}): Promise<DtesnProcessor> {
    const listeners: ((change: QualityChange) => void)[] = [];
    const parts = await openParts(options, (change) => {
      for (const listener of listeners) listener(change);
    });
    const processor = new DtesnProcessor(parts);
    const errors = new ListenerErrors();
    listeners.push((change) => emit(processor, errors, 'quality', change));
    return processor;
  }

  private constructor(parts: ProcessorParts) {
    super();
    this.#parts = parts;
    this.config = parts.config;
    this.engine = parts.engine;
    this.#looks = new Looks(parts);
    this.#runner = new InputRunner(parts, this.#looks);
  }

  /** The model's memory that other threads may map while it runs: state and gates. */
  get live() {
    return this.#parts.first.live;
  }

  // ---- context ----

  /** The sources, fetched or from their caches, aggregated and planned for token inputs. */
  async fetchMultiSourceData({ signal }: { signal?: AbortSignal } = {}): Promise<MultiSourceData> {
    this.#checkOpen();
    return (await this.#looks.look(signal)).plan('tokens').data;
  }

  /** The engine context of a decision, to be read, sent, or handed to process, processBatch and preprocessWithEngine. */
  async fetchComprehensiveEngineContext({ signal }: { signal?: AbortSignal } = {}): Promise<FetchedContext> {
    this.#checkOpen();
    return this.#looks.context(signal);
  }

  /** Fetches the source model_config now, without the caches. Rejects only with the reason of the signal. */
  fetchModelDataSource(options: { signal?: AbortSignal } = {}): Promise<Sources['model_config']> {
    return fetchModelDataSource(this.engine, { ...options, clock: this.#parts.clock });
  }

  /** Fetches the source tokenizer now, without the caches. Rejects only with the reason of the signal. */
  fetchTokenizerDataSource(options: { signal?: AbortSignal } = {}): Promise<Sources['tokenizer']> {
    return fetchTokenizerDataSource(this.engine, { ...options, clock: this.#parts.clock });
  }

  /** Fetches the source performance now, without the caches. Rejects only with the reason of the signal. */
  fetchPerformanceDataSource(options: { signal?: AbortSignal } = {}): Promise<Sources['performance']> {
    return fetchPerformanceDataSource(this.engine, { ...options, clock: this.#parts.clock });
  }

  /** Reads the source processing_state of this processor now. Rejects only with the reason of the signal. */
  fetchProcessingStateSource(options: { signal?: AbortSignal } = {}): Promise<Sources['processing_state']> {
    return fetchProcessingStateSource(this.#parts.providers.processingState, options);
  }

  /** Reads the source resources of this host now. Rejects only with the reason of the signal. */
  fetchResourceDataSource(options: { signal?: AbortSignal } = {}): Promise<Sources['resources']> {
    return fetchResourceDataSource(this.#parts.providers.resources, options);
  }

  /**
   * Aggregates given sources as process() does, against the running baseline of this engine, and adds them to its
   * history.
   */
  aggregateMultiSourceData(sources: Sources): MultiSourceData['aggregation'] {
    return this.#parts.planner.aggregate(sources);
  }

  /** The plan that process() makes of these sources for tokens: with its history, options, gate and pins. */
  createDataProcessingPipelines(sources: Sources): MultiSourceData['processing_pipelines'] {
    return this.#parts.planner.pipelines(sources, this.#parts.targetOf('tokens'));
  }

  /** `inputKind`: what the series holds; token ids have one feature. */
  applyMultiSourceTransformations(
    series: ProgramSeries,
    data: MultiSourceData,
    {
      inputKind = series.features === 1 && this.config.inputs !== 1 ? 'tokens' : 'numbers',
    }: {
      inputKind?: 'tokens' | 'numbers';
    } = {},
  ) {
    return applyMultiSourceTransformations(series, data, this.#parts.targetOf(inputKind, series.steps));
  }

  /** Pipeline 1, `model_aware_preprocessing`: a new draft with its operations. */
  applyModelAwarePreprocessing(draft: Draft, data: MultiSourceData): Draft {
    return applyModelAwarePreprocessing(draft, data);
  }

  /** Pipeline 2, `performance_optimized_processing`: a new draft with its threads and batch size. */
  applyPerformanceOptimization(draft: Draft, data: MultiSourceData): Draft {
    return applyPerformanceOptimization(draft, data);
  }

  /** Pipeline 3, `resource_aware_scaling`: a new draft with its bounds of memory and levels. */
  applyResourceScaling(draft: Draft, data: MultiSourceData): Draft {
    return applyResourceScaling(draft, data);
  }

  /** What high data quality allows, such as standardised features: a new draft. */
  applyHighQualityOptimizations(draft: Draft, data: MultiSourceData): Draft {
    return applyHighQualityOptimizations(draft, data);
  }

  // ---- inputs ----

  /**
   * Context, encoding and transformations, without the model: the series it would read, as a copy.
   * The second argument is a context of fetchComprehensiveEngineContext(), or the options.
   */
  async preprocessWithEngine(
    input: EncodeInput,
    contextOrOptions: GivenContext | ProcessOptions = {},
    options: ProcessOptions = {},
  ): Promise<PreprocessedInput> {
    const given = isContext(contextOrOptions) ? { ...options, context: contextOrOptions } : contextOrOptions;
    return this.#track(async () => {
      checkProcessOptions(given, 'preprocessWithEngine');
      const wave = await this.#runner.prepareOne(input, given);
      try {
        const [{ transformed, planned, use }] = wave.inputs as [(typeof wave.inputs)[number]];
        const { steps, features, series, applied, execution } = transformed;
        return { steps, features, series: series.slice(), applied, execution, context: planned.data, contextUse: use };
      } finally {
        this.#runner.drop(wave);
      }
    });
  }

  /** Processes one input. */
  process(input: EncodeInput, options: ProcessOptions = {}): Promise<DtesnResult> {
    return this.#track(async () => {
      checkProcessOptions(options, 'process');
      return this.#holding([options.continueFrom], async () => {
        const wave = await this.#runner.prepareOne(input, options);
        let result: DtesnResult | undefined;
        await this.#runner.run(wave, options, (_, finished) => {
          if (finished.ok) result = finished;
        });
        return result!;
      });
    });
  }

  /**
   * Processes many inputs: results in the order of the inputs, a failed one as { ok: false, error } in its place.
   *
   * The plan decides how: native batches of `batchSize` or one by one, on `threads`, with or without preparing the next
   * while this one is in the model (waves.ts). Progress is { stage: 'inputs', done, total }.
   */
  processBatch(
    inputs: readonly EncodeInput[],
    options: ProcessBatchOptions = {},
  ): Promise<(DtesnResult | DtesnFailure)[]> {
    return this.#track(async () => {
      if (!Array.isArray(inputs)) throw argumentError('an array of inputs', 'inputs', inputs);
      checkProcessOptions(options, 'processBatch');
      checkTraces(options.traceparent, inputs.length);
      const { onProgress, ...each } = options;
      const results = new Array<DtesnResult | DtesnFailure>(inputs.length);
      let done = 0;
      const settle = (index: number, result: DtesnResult | DtesnFailure) => {
        results[index] = result;
        onProgress?.({ stage: 'inputs', done: ++done, total: inputs.length });
      };
      if (inputs.length === 0) return results;
      return this.#holding(checkContinuations(options.continueFrom, inputs.length), async () => {
        const begun = await this.#looks.begin(each);
        await runWaves(inputs.length, this.#looks.wavePlan(begun), {
          prepare: (start, end) =>
            this.#runner.prepare(inputs, start, end, each, settle, start === 0 ? begun : undefined),
          run: (wave) => this.#runner.run(wave, each, settle),
          drop: (wave, error) => this.#runner.drop(wave, error),
        });
        return results;
      });
    });
  }

  /** A series that will arrive in chunks, at rest: see continuation.ts. */
  openContinuation(): Continuation {
    this.#checkOpen();
    return new Continuation(this.#parts.first.model);
  }

  // ---- watching ----

  /** Counts and times so far: sources, inputs, stages, pipelines, caches, quality (processor-metrics.ts). */
  metrics(): MetricsOfProcessor {
    return metricsOf(this.#parts);
  }

  /**
   * Reports the quality of features to the adaptive threshold: { agreement } of standardised and plain features, or {
   * standardised, error } of a trained readout. Without `adaptive` it has no effect.
   */
  observeQuality(observation: QualityObservation): void {
    this.#parts.planner.observe(observation);
    this.#looks.forget();
  }

  /** Drops the cached answers of one source, or all of them: the next input requests them again. */
  invalidate(name?: string): void {
    this.#parts.fetcher.invalidate(name);
    if (name === undefined || name === 'tokenizer') this.#parts.tokens.clear();
    this.#parts.planner.forget();
    this.#looks.forget();
  }

  /** Waits for the inputs under way, then ends what the processor started; a given engine stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running.none();
    await this.#parts.close();
    this.removeAllListeners();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // ---- inside ----

  async #track<R>(work: () => Promise<R>): Promise<R> {
    this.#checkOpen();
    return this.#running.during(work());
  }

  /** Runs `work` while no other call may use the continuations. */
  async #holding<R>(continuations: readonly (Continuation | null | undefined)[], work: () => Promise<R>): Promise<R> {
    const free = Continuation.claim(continuations, this.#parts.first.model);
    try {
      return await work();
    } finally {
      free();
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new DtesnError('ERR_DTESN_CLOSED', 'Expected an open processor but it was closed');
  }
}

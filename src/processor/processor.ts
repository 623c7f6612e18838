/**
 * DtesnProcessor: the whole way from an input to a result.
 *
 *     const processor = await DtesnProcessor.create({ engine: 'http://127.0.0.1:2242' });
 *     const result = await processor.process('Once upon a time');
 *     await processor.close();
 *
 *     context    five sources fetched at once (or from their caches), aggregated, pipelines planned
 *     encode     text -> token ids (the engine's tokenizer, else that of the model's files,
 *                else UTF-8 bytes); numbers stay numbers
 *     transform  the plan's program, natively and in place
 *     model      the series through the Deep Tree ESN, off the JavaScript thread, a chunk of states at a time
 *     bseries    elementary differentials of the reservoir flow at the end state
 *
 * Inputs: a string, an array of token ids { tokens }, or a numeric series of `input_dimension` features a step.
 * Each input starts from the zero state. A source that fails never fails the input: its error is in the context.
 *
 * Errors: TypeError or RangeError for options and inputs; DtesnError ERR_DTESN_EMPTY for an input without steps,
 * ERR_DTESN_CLOSED after close(); the signal's reason when aborted.
 */
import { aggregateMultiSourceData, SourceHistory } from '../aggregation/index.js';
import { type EncodedInput, type EncodeInput, encodeInput } from '../encoding/index.js';
import { argumentError, DtesnError } from '../errors/index.js';
import { usableCpus } from '../host/index.js';
import { levelSizes } from '../membrane/index.js';
import { threadCount } from '../native/index.js';
import {
  applyHighQualityOptimizations,
  applyModelAwarePreprocessing,
  applyMultiSourceTransformations,
  applyPerformanceOptimization,
  applyResourceScaling,
  createDataProcessingPipelines,
  type Draft,
  draftTransformations,
  type ExecutionPlan,
  type ExplainedPipeline,
  explainPlan,
  type MultiSourceData,
  multiSourceData,
  type PlanTarget,
  type ProgramSeries,
  programShape,
} from '../pipeline/index.js';
import {
  type Engine,
  fetchModelDataSource,
  fetchPerformanceDataSource,
  fetchProcessingStateSource,
  fetchResourceDataSource,
  fetchTokenizerDataSource,
  SourceFetcher,
  type SourceProviders,
  type Sources,
  withTimeLimit,
} from '../sources/index.js';
import { assembleResult } from './assemble-result.js';
import { createConfig, type DtesnConfig, type DtesnConfigInput } from './config.js';
import { type EngineChoice, engineOf } from './engine-choice.js';
import { Lane, type ModelOptions } from './lane.js';
import { LanePool } from './lane-pool.js';
import { ModelTokenizer } from './model-tokenizer.js';
import { type DtesnFailure, type DtesnResult, failureOf } from './result.js';
import { StageClock } from './stage-clock.js';
import { expandFlow, runModel, transform, treesTo } from './stages.js';

export interface ProcessorOptions {
  /** An engine, its URL, or null for none; left out: the embedded simulation. */
  engine?: EngineChoice;
  config?: DtesnConfigInput;
  /** Options of the Deep Tree model beyond those the configuration sets. */
  model?: Partial<ModelOptions>;
}

export interface ProcessOptions {
  signal?: AbortSignal;
  /** The stage under way, and the share of its steps done where it has steps. */
  onProgress?: (progress: { stage: string; done: number; total: number }) => void;
}

/** An input brought to the series the model will read. */
export interface PreprocessedInput {
  steps: number;
  features: number;
  /** steps x features, row-major. */
  series: Float32Array;
  context: MultiSourceData;
  applied: Draft['applied'];
  execution: ExecutionPlan;
}

export class DtesnProcessor {
  readonly config: DtesnConfig;
  readonly engine: Engine | null;
  readonly #owned: Engine | null;
  readonly #modelTokenizer: ModelTokenizer | null;
  readonly #fetcher: SourceFetcher;
  readonly #lanes: LanePool;
  readonly #history = new SourceHistory();
  readonly #first: Lane;
  #closed = false;

  /** Starts the engine that is asked for, and makes the model. */
  static async create(options: ProcessorOptions = {}): Promise<DtesnProcessor> {
    if (typeof options !== 'object' || options === null) throw argumentError('an object', 'options', options);
    const config = createConfig(options.config);
    const lane = makeLane(config, options.model);
    const { engine, owned } = await engineOf(options.engine);
    return new DtesnProcessor(config, engine, owned, lane, options.model);
  }

  private constructor(
    config: DtesnConfig,
    engine: Engine | null,
    owned: Engine | null,
    lane: Lane,
    model: Partial<ModelOptions> | undefined,
  ) {
    this.config = config;
    this.engine = engine;
    this.#owned = owned;
    this.#modelTokenizer = engine && new ModelTokenizer(engine);
    this.#first = lane;
    this.#lanes = new LanePool(lane, this.#target('tokens').cores, () => makeLane(config, model));
    this.#fetcher = new SourceFetcher(engine, { deadlineMs: config.source_deadline_ms, providers: this.#providers() });
  }

  /** The model's memory that other threads may map while it runs: state and gates. */
  get live() {
    return this.#first.live;
  }

  // ---- context ----

  /** The five sources, fetched or from their caches, aggregated and planned for token inputs. */
  async fetchMultiSourceData({ signal }: { signal?: AbortSignal } = {}): Promise<MultiSourceData> {
    return multiSourceData(await this.#fetch(signal), this.#target('tokens'), this.#history);
  }

  /** The same with the plan explained: for each pipeline each transformation, what it became and why. */
  async fetchComprehensiveEngineContext(
    options: { signal?: AbortSignal } = {},
  ): Promise<{ data: MultiSourceData; plan: ExplainedPipeline[] }> {
    const data = await this.fetchMultiSourceData(options);
    return { data, plan: explainPlan(data) };
  }

  fetchModelDataSource(options: { signal?: AbortSignal } = {}): Promise<Sources['model_config']> {
    return fetchModelDataSource(this.engine, options);
  }

  fetchTokenizerDataSource(options: { signal?: AbortSignal } = {}): Promise<Sources['tokenizer']> {
    return fetchTokenizerDataSource(this.engine, options);
  }

  fetchPerformanceDataSource(options: { signal?: AbortSignal } = {}): Promise<Sources['performance']> {
    return fetchPerformanceDataSource(this.engine, options);
  }

  fetchProcessingStateSource(): Promise<Sources['processing_state']> {
    return fetchProcessingStateSource(this.#providers().processingState);
  }

  fetchResourceDataSource(): Promise<Sources['resources']> {
    return fetchResourceDataSource(this.#providers().resources);
  }

  aggregateMultiSourceData(sources: Sources): MultiSourceData['aggregation'] {
    return aggregateMultiSourceData(sources);
  }

  createDataProcessingPipelines(sources: Sources): MultiSourceData['processing_pipelines'] {
    return createDataProcessingPipelines(sources, aggregateMultiSourceData(sources), this.#target('tokens'));
  }

  applyMultiSourceTransformations(series: ProgramSeries, data: MultiSourceData) {
    return applyMultiSourceTransformations(series, data, this.#target(series.features === 1 ? 'tokens' : 'numbers'));
  }

  applyModelAwarePreprocessing(draft: Draft, data: MultiSourceData): Draft {
    return applyModelAwarePreprocessing(draft, data);
  }

  applyPerformanceOptimization(draft: Draft, data: MultiSourceData): Draft {
    return applyPerformanceOptimization(draft, data);
  }

  applyResourceScaling(draft: Draft, data: MultiSourceData): Draft {
    return applyResourceScaling(draft, data);
  }

  applyHighQualityOptimizations(draft: Draft, data: MultiSourceData): Draft {
    return applyHighQualityOptimizations(draft, data);
  }

  // ---- inputs ----

  /** Context, encoding and transformations, without the model: the series it would read, as a copy. */
  async preprocessWithEngine(input: EncodeInput, { signal }: ProcessOptions = {}): Promise<PreprocessedInput> {
    const sources = await this.#fetch(signal);
    const encoded = await this.#encode(input, sources.sources, signal);
    const target = this.#target(encoded.kind, encoded.steps);
    const context = multiSourceData(sources, target, this.#history);
    return this.#lanes.use(async (lane) => {
      const { memory } = this.#reserve(lane, encoded, context, target);
      const { series, ...transformed } = transform(memory.view('series'), encoded, context, target);
      return { ...transformed, series: series.slice(), context };
    }, signal);
  }

  /** One input, the whole way. */
  async process(input: EncodeInput, { signal, onProgress }: ProcessOptions = {}): Promise<DtesnResult> {
    const clock = new StageClock();
    onProgress?.({ stage: 'context', done: 0, total: 1 });
    const sources = await this.#fetch(signal);
    clock.end('context');
    onProgress?.({ stage: 'encode', done: 0, total: 1 });
    const encoded = await this.#encode(input, sources.sources, signal);
    clock.end('encode');
    const target = this.#target(encoded.kind, encoded.steps);
    const context = multiSourceData(sources, target, this.#history);
    clock.end('context');
    return this.#lanes.use(async (lane) => {
      clock.skip();
      const { model } = lane;
      const { memory, chunkSteps, order } = this.#reserve(lane, encoded, context, target);
      const transformed = transform(memory.view('series'), encoded, context, target);
      model.activate(transformed.execution.activeMembranes);
      clock.end('transform');
      const { steps, series } = transformed;
      const progress = onProgress && ((done: number) => onProgress({ stage: 'model', done, total: steps }));
      const run = await runModel(model, memory.view('states'), transformed, {
        chunkSteps,
        signal,
        onProgress: progress,
      });
      clock.end('model');
      const flow = expandFlow(model, memory.view('differentials'), order, series.subarray(-model.inputs));
      clock.end('bseries');
      return assembleResult({ engine: this.engine, encoded, context, transformed, model, run, flow, clock });
    }, signal);
  }

  /**
   * Many inputs: results in the order of the inputs, a failed one as { ok: false, error } in its place.
   *
   * Inputs go in waves of the plan's batchSize, each wave on up to `threads` lanes at once.
   */
  async processBatch(
    inputs: readonly EncodeInput[],
    options: ProcessOptions = {},
  ): Promise<(DtesnResult | DtesnFailure)[]> {
    if (!Array.isArray(inputs)) throw argumentError('an array of inputs', 'inputs', inputs);
    const results: (DtesnResult | DtesnFailure)[] = [];
    while (results.length < inputs.length) {
      options.signal?.throwIfAborted();
      const target = this.#target('tokens');
      const { execution } = draftTransformations(
        multiSourceData(await this.#fetch(options.signal), target, this.#history),
        target,
      );
      const wave = inputs.slice(results.length, results.length + execution.batchSize);
      results.push(...(await this.#wave(wave, execution.threads, options)));
    }
    return results;
  }

  /** Ends what the processor started; a given engine stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#lanes.close();
    await this.#fetcher.close();
    await this.#owned?.close();
  }

  // ---- inside ----

  async #wave(
    inputs: EncodeInput[],
    threads: number,
    options: ProcessOptions,
  ): Promise<(DtesnResult | DtesnFailure)[]> {
    const results = new Array<DtesnResult | DtesnFailure>(inputs.length);
    let next = 0;
    const worker = async () => {
      while (next < inputs.length) {
        const mine = next++;
        results[mine] = await this.process(inputs[mine]!, options).catch(failureOf);
      }
    };
    await Promise.all(Array.from({ length: Math.min(threads, inputs.length) }, worker));
    return results;
  }

  #fetch(signal: AbortSignal | undefined) {
    if (this.#closed) throw new DtesnError('ERR_DTESN_CLOSED', 'Expected an open processor but it was closed');
    return this.#fetcher.fetch({ force: !this.config.enable_caching, ...(signal && { signal }) });
  }

  async #encode(input: EncodeInput, { tokenizer }: Sources, signal: AbortSignal | undefined): Promise<EncodedInput> {
    const { engine } = this;
    // An engine that is known not to tokenise is not asked again: the input would only wait for its silence.
    const usable = engine !== null && tokenizer.state !== 'error' && tokenizer.has_encode_method !== false;
    const ms = this.config.source_deadline_ms;
    const late = () => new DOMException(`no tokens within ${ms} ms`, 'TimeoutError');
    const tokenize = (text: string) =>
      withTimeLimit(ms, late, signal, (limited) => engine!.tokenize(text, { signal: limited }));
    const local = this.#modelTokenizer;
    const encoded = await encodeInput(input, {
      ...(usable && { tokenize }),
      ...(local && { localTokenizer: () => local.find() }),
      ...(signal && { signal }),
    });
    if (encoded.steps === 0) {
      throw new DtesnError('ERR_DTESN_EMPTY', 'Expected an input of at least one step but received an empty one');
    }
    return encoded;
  }

  /** The lane's memory for everything this input needs, taken once. */
  #reserve(lane: Lane, encoded: EncodedInput, context: MultiSourceData, target: PlanTarget) {
    const { program, execution } = draftTransformations(context, target);
    const { steps, capacity } = programShape(program, encoded.steps, encoded.features);
    const chunkSteps = Math.max(1, Math.min(execution.chunkSteps, steps));
    const order = this.config.bseries_max_order;
    const { units } = lane.model;
    const series = Math.max(capacity, encoded.steps * encoded.features);
    return { memory: lane.work(series, chunkSteps * units, treesTo(order).length * units), chunkSteps, order };
  }

  #target(inputKind: 'tokens' | 'numbers', steps?: number): PlanTarget {
    const { model } = this.#first;
    return {
      inputKind,
      inputs: model.inputs,
      units: model.units,
      membranes: model.membranes.length,
      membraneLevels: levelSizes(model.membranes),
      bytesPerUnit: Float32Array.BYTES_PER_ELEMENT,
      cores: usableCpus(),
      steps,
      embeddingSeed: this.config.seed,
    };
  }

  #providers(): Required<SourceProviders> {
    const { model } = this.#first;
    return {
      processingState: () => ({
        membraneCacheSize: this.#lanes.made * model.membranes.length,
        esnCacheSize: this.#lanes.made,
        bseriesCacheSize: treesTo(this.config.bseries_max_order).length,
        batchManagerActive: this.#lanes.waiting > 0,
        concurrencyManagerActive: this.#lanes.busy > 0,
      }),
      resources: () => ({
        availableMembranes: model.membranes.map(({ sequence, level }) => sequence.join(level > 9 ? '.' : '')),
        currentProcessingLoad: {
          lanes: this.#lanes.made,
          arena_bytes: this.#lanes.bytes,
          addon_threads: threadCount(),
          lanes_busy: this.#lanes.busy,
          inputs_waiting: this.#lanes.waiting,
        },
        echoKernAvailable: true,
      }),
    };
  }
}

function makeLane(config: DtesnConfig, options: Partial<ModelOptions> = {}): Lane {
  return new Lane({
    depth: config.max_membrane_depth,
    units: config.esn_reservoir_size,
    inputs: config.input_dimension,
    seed: config.seed,
    leak: 0.5,
    biasScaling: 0.1,
    ...options,
  });
}

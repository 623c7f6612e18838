/**
 * The way of inputs through the processor, a wave at a time: look (sources or a given context), encode, transform, model,
 * B-series.
 *
 * A prepared wave holds memory of its own until it was run or dropped, so that the next one can be prepared meanwhile. A
 * wave of process() runs alone; those of a batch run as native batches, inputs with equally many active membranes together.
 */
import { type EncodeInput, writeSeries } from '../encoding/index.js';
import {
  applyMultiSourceTransformations,
  draftTransformations,
  type PlanTarget,
  programShape,
} from '../pipeline/index.js';
import type { SourceSet } from '../sources/index.js';
import { agreementOf } from './agreement.js';
import { assembleResult } from './assemble-result.js';
import {
  type ContextUse,
  checkContext,
  type EngineContext,
  engineContext,
  type GivenContext,
  useOf,
} from './engine-context.js';
import { type Encoding, InputEncoder } from './input-encoder.js';
import type { Lane } from './lane.js';
import { ModelTokenizer } from './model-tokenizer.js';
import type { PlannedData } from './planner.js';
import type { ProcessorParts } from './processor-options.js';
import { type DtesnFailure, type DtesnResult, failureOf } from './result.js';
import { StageClock } from './stage-clock.js';
import { expandFlow, type ModelRun, runModel, runModelBatch, type TransformedInput, treesTo } from './stages.js';
import type { WavePlan } from './waves.js';
import type { WorkMemory } from './work-memory.js';

export interface ProcessOptions {
  signal?: AbortSignal;
  /** The stage under way, and the share of its steps done where it has steps; of a batch the inputs done. */
  onProgress?: (progress: { stage: string; done: number; total: number }) => void;
  /**
   * A context to decide from instead of a fetch. No request is made then: text is encoded by ids that are kept, by the
   * tokenizer of the model's files, or as UTF-8 bytes, and the result says so.
   */
  context?: GivenContext;
}

/** What one decision rests on. */
export interface Look {
  use: ContextUse;
  tokenizer: SourceSet['sources']['tokenizer'];
  ask: boolean;
  plan: (inputKind: PlanTarget['inputKind']) => PlannedData;
}

export interface PreparedInput {
  index: number;
  encoding: Encoding;
  planned: PlannedData;
  use: ContextUse;
  transformed: TransformedInput;
  clock: StageClock;
}

export interface Wave {
  inputs: PreparedInput[];
  /** Of a batch: series run as columns of one product, also one alone, so that results do not depend on the batch. */
  batch: boolean;
  memory: WorkMemory;
  differentials: Float32Array;
  states: Float32Array;
  ends: Float32Array;
}

type Settle = (index: number, result: DtesnResult | DtesnFailure) => void;

/** With an adaptive threshold, one input in so many is run once more the other way (standardised or plain). */
const SHADOW_EVERY = 16;

export class InputRunner {
  readonly #parts: ProcessorParts;
  readonly #encoder: InputEncoder;
  #shadowTurn = 0;

  constructor(parts: ProcessorParts) {
    this.#parts = parts;
    const { engine, fetcher, tokens, config } = parts;
    const local = engine && new ModelTokenizer(engine);
    const tokenizing = () => fetcher.engineFor('tokenizer');
    this.#encoder = new InputEncoder(tokenizing, local, tokens, config.source_deadline_ms);
  }

  /** The sources as they are now. */
  async look(signal?: AbortSignal): Promise<Look> {
    const { fetcher, planner, tokens, config, metrics, targetOf } = this.#parts;
    const set = await fetcher.fetch({ force: !config.enable_caching, ...(signal && { signal }) });
    tokens.follow(this.#epoch());
    const plan = (inputKind: PlanTarget['inputKind']) => {
      const planned = planner.plan(set, targetOf(inputKind));
      metrics.quality(planned.data.aggregation.data_quality_score);
      return planned;
    };
    const use = { origin: 'fetched' as const, ageMs: 0, state: 'fresh' as const, note: null };
    return { use, tokenizer: set.sources.tokenizer, ask: true, plan };
  }

  async context(signal?: AbortSignal): Promise<EngineContext> {
    const { data } = (await this.look(signal)).plan('tokens');
    return engineContext(data, this.#parts.planner.explain(data), this.#parts.origin);
  }

  /** How a batch is to go, by the plan for token inputs. */
  async wavePlan(options: ProcessOptions): Promise<WavePlan> {
    const look = await this.#lookOf(options);
    const { execution } = draftTransformations(look.plan('tokens').data, this.#parts.targetOf('tokens'));
    const { batch, batchSize, parallel, threads, overlap } = execution;
    return { batch, batchSize, parallel, threads, overlap };
  }

  /** A wave of one input; throws what is wrong with it. */
  async prepareOne(input: EncodeInput, options: ProcessOptions): Promise<Wave> {
    let failure: unknown;
    const wave = await this.#prepare([input], 0, 1, false, options, (_, error) => {
      failure = error;
    });
    if (wave.inputs.length === 1) return wave;
    this.drop(wave);
    throw failure;
  }

  /** Inputs [start, end) of a batch; those that fail are settled at once. */
  prepare(
    inputs: readonly EncodeInput[],
    start: number,
    end: number,
    options: ProcessOptions,
    settle: Settle,
  ): Promise<Wave> {
    return this.#prepare(inputs, start, end, true, options, (index, error) => settle(index, failureOf(error)));
  }

  /** Through model and B-series; settles every input of the wave, and gives its memory back. */
  async run(wave: Wave, options: ProcessOptions, settle: Settle): Promise<void> {
    try {
      for (const group of groupsOf(wave.inputs)) await this.#runGroup(wave, group, options, settle);
    } finally {
      this.drop(wave);
    }
  }

  drop(wave: Wave): void {
    this.#parts.memory.give(wave.memory);
  }

  // ---- look and prepare ----

  #lookOf({ context, signal }: ProcessOptions): Promise<Look> | Look {
    if (context === undefined) return this.look(signal);
    signal?.throwIfAborted();
    const given = checkContext(context);
    const data = given.multi_source_data;
    return {
      use: useOf(given, this.#parts.origin, this.#parts.fetcher.maxStaleMs),
      tokenizer: data.sources.tokenizer,
      ask: false,
      plan: () => ({ data, reused: false }),
    };
  }

  async #prepare(
    inputs: readonly EncodeInput[],
    start: number,
    end: number,
    batch: boolean,
    options: ProcessOptions,
    refuse: (index: number, error: unknown) => void,
  ): Promise<Wave> {
    const { metrics, memory: pool } = this.#parts;
    const { signal, onProgress } = options;
    const clock = new StageClock();
    metrics.inputs.started += end - start;
    onProgress?.({ stage: 'context', done: 0, total: 1 });
    let look: Look;
    try {
      look = await this.#lookOf(options);
    } catch (error) {
      for (let index = start; index < end; index++) metrics.failed(error, signal?.aborted === true);
      throw error;
    }
    clock.end('context');
    onProgress?.({ stage: 'encode', done: 0, total: 1 });
    const encoding = Array.from({ length: end - start }, async (_, i) => {
      const own = clock.copy();
      const planned = look.plan(kindOf(inputs[start + i]!));
      own.end('context');
      const encoded = await this.#encode(inputs[start + i]!, look, planned, signal);
      own.end('encode');
      return { index: start + i, encoding: encoded, planned, clock: own, use: look.use };
    });
    const settled = await Promise.allSettled(encoding);
    signal?.throwIfAborted();
    const memory = pool.take();
    const fail = (index: number, error: unknown) => {
      metrics.failed(error, false);
      refuse(index, error);
    };
    const encoded = settled.flatMap((result, i) => {
      if (result.status === 'fulfilled') return [result.value];
      fail(start + i, result.reason);
      return [];
    });
    return this.#transform(encoded, memory, batch, fail);
  }

  /** What the ids of a text hold for: restarts and changes seen, and who tokenises. */
  #epoch(): string {
    const { fetcher } = this.#parts;
    return `${fetcher.epoch} ${fetcher.engineFor('tokenizer')?.label}`;
  }

  #encode(input: EncodeInput, look: Look, { data }: PlannedData, signal: AbortSignal | undefined) {
    const caching = data.processing_pipelines.optimization_config.enable_caching;
    const { tokenizer, ask } = look;
    return this.#encoder.encode(input, { tokenizer, caching, ask, epoch: this.#epoch(), signal });
  }

  /** Reserves the memory of the wave once, then transforms each input in its part of it. */
  #transform(
    encoded: Omit<PreparedInput, 'transformed'>[],
    memory: WorkMemory,
    batch: boolean,
    fail: (index: number, error: unknown) => void,
  ): Wave {
    const { config, first, targetOf, metrics } = this.#parts;
    const { units } = first.model;
    const fitting = encoded.flatMap((input) => {
      input.clock.skip();
      const { encoded: given } = input.encoding;
      try {
        const target = targetOf(given.kind, given.steps);
        const draft = draftTransformations(input.planned.data, target);
        const { steps, capacity } = programShape(draft.program, given.steps, given.features);
        const room = Math.max(capacity, given.steps * given.features);
        return [{ input, target, draft, room, chunk: Math.max(1, Math.min(draft.execution.chunkSteps, steps)) }];
      } catch (error) {
        fail(input.index, error);
        return [];
      }
    });
    const views = memory.reserve({
      series: fitting.reduce((sum, { room }) => sum + room, 0),
      states: fitting.reduce((sum, { chunk }) => sum + chunk * units, 0),
      ends: fitting.length * units,
      differentials: treesTo(config.bseries_max_order).length * units,
    });
    let offset = 0;
    const inputs = fitting.flatMap(({ input, target, draft, room }): PreparedInput[] => {
      const series = views.series.subarray(offset, offset + room);
      offset += room;
      try {
        const { encoded: given } = input.encoding;
        input.clock.skip();
        writeSeries(given, series);
        const { steps, features } = given;
        const { data } = input.planned;
        const shaped = applyMultiSourceTransformations({ data: series, steps, features }, data, target, draft);
        const transformed = { ...shaped, series: series.subarray(0, shaped.steps * shaped.features) };
        input.clock.end('transform');
        metrics.transformed(transformed.applied, transformed.pipelineMs);
        return [{ ...input, transformed }];
      } catch (error) {
        fail(input.index, error);
        return [];
      }
    });
    return { inputs, batch, memory, ...views };
  }

  // ---- run ----

  async #runGroup(wave: Wave, group: PreparedInput[], options: ProcessOptions, settle: Settle): Promise<void> {
    const { lanes, metrics } = this.#parts;
    const { signal } = options;
    try {
      await lanes.use(async (lane) => {
        const { model } = lane;
        const { activeMembranes } = group[0]!.transformed.execution;
        model.activate(Math.min(activeMembranes, model.membranes.length));
        for (const { clock } of group) clock.skip();
        const runs = await this.#runModel(lane, wave, group, options);
        for (const { clock } of group) clock.end('model');
        for (const [i, input] of group.entries()) {
          const result = this.#finish(lane, wave, input, runs[i]!, group.length);
          settle(input.index, result);
        }
        await this.#shadow(lane, group[0]!, runs[0]!, signal);
      }, signal);
    } catch (error) {
      for (const _ of group) metrics.failed(error, signal?.aborted === true);
      throw error;
    }
  }

  async #runModel(
    { model }: Lane,
    { batch, states, ends }: Wave,
    group: PreparedInput[],
    { signal, onProgress }: ProcessOptions,
  ): Promise<ModelRun[]> {
    const inputs = group.map(({ transformed }) => transformed);
    const longest = Math.max(...inputs.map(({ steps }) => steps));
    const progress = onProgress && ((done: number) => onProgress({ stage: 'model', done, total: longest }));
    const { chunkSteps } = inputs[0]!.execution;
    if (!batch) {
      return [await runModel(model, states, inputs[0]!, { chunkSteps, signal, onProgress: progress })];
    }
    return runModelBatch(model, states, ends, inputs, { chunkSteps, signal, onProgress: progress });
  }

  #finish(lane: Lane, wave: Wave, input: PreparedInput, run: ModelRun, together: number): DtesnResult {
    const { config, metrics, engine } = this.#parts;
    const { model } = lane;
    const { clock, transformed } = input;
    clock.skip();
    const last = transformed.series.subarray(-model.inputs);
    if (model.state !== run.endState) model.reset(run.endState);
    const flow = expandFlow(model, wave.differentials, config.bseries_max_order, last);
    clock.end('bseries');
    metrics.finished(clock, transformed.steps, model.activeMembranes < model.membranes.length);
    return assembleResult({ engine, input, model, run, flow, together });
  }

  /** Runs an input once more the other way and tells the quality gate how alike the mean states are. */
  async #shadow(lane: Lane, input: PreparedInput, run: ModelRun, signal: AbortSignal | undefined): Promise<void> {
    const { adaptive, planner, targetOf } = this.#parts;
    if (!adaptive || this.#shadowTurn++ % SHADOW_EVERY !== 0) return;
    const { encoded } = input.encoding;
    const agreement = await agreementOf(lane.model, encoded, input.planned.data, targetOf(encoded.kind), run, signal);
    if (agreement !== null) planner.observe({ agreement });
  }
}

function kindOf(input: EncodeInput): PlanTarget['inputKind'] {
  const tokens =
    typeof input === 'string' ||
    input instanceof Uint8Array ||
    (typeof input === 'object' && input !== null && 'tokens' in input);
  return tokens ? 'tokens' : 'numbers';
}

/** Inputs that run together: as many membranes are active, and chunks are as long. */
function groupsOf(inputs: PreparedInput[]): PreparedInput[][] {
  const groups = new Map<string, PreparedInput[]>();
  for (const input of inputs) {
    const { activeMembranes, chunkSteps } = input.transformed.execution;
    const key = `${activeMembranes} ${chunkSteps}`;
    groups.set(key, [...(groups.get(key) ?? []), input]);
  }
  return [...groups.values()];
}

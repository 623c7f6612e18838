/**
 * Processes inputs in waves: context (fetched sources or a given context), encode, transform, model, B-series.
 *
 * A prepared wave holds memory for its series until it was run or dropped, so that the next one can be prepared
 * meanwhile; a run writes to the memory of its lane. A wave of process() runs alone; those of a batch run as native
 * batches, each input with a state of its own.
 */

import { type EncodeInput, writeSeries } from '../encoding/index.js';
import type { RequestOptions } from '../engine/index.js';
import type { DeepTreeModel, Expansion, State } from '../network/index.js';
import {
  applyMultiSourceTransformations,
  type Draft,
  draftTransformations,
  type PlanTarget,
} from '../pipeline/index.js';
import { programShape } from '../transform/index.js';
import { agreementOf } from './agreement.js';
import { assembleResult } from './assemble-result.js';
import { continuedDraft } from './continuation.js';
import { InputEncoder } from './input-encoder.js';
import type { Lane } from './lane.js';
import type { Begun, Drafted, Look, Looks } from './looks.js';
import { ModelTokenizer } from './model-tokenizer.js';
import type { PlannedData } from './planner.js';
import type { PreparedInput } from './prepared-input.js';
import { checkTraces, type ProcessBatchOptions, type ProcessOptions } from './process-options.js';
import type { InputAccount } from './processor-metrics.js';
import type { ProcessorParts } from './processor-options.js';
import { type DtesnFailure, type DtesnResult, failureOf } from './result.js';
import { bseriesOf, expansionsOf, type ModelRun, type Moments, runModel, runModelBatch, treesTo } from './stages.js';
import type { RunMemory, SeriesMemory } from './work-memory.js';

type EncodedOne = Omit<PreparedInput, 'transformed'>;

export interface Wave {
  inputs: PreparedInput[];
  /** Of a batch: series run as columns of one product, also one alone, so that results do not depend on the batch. */
  batch: boolean;
  memory: SeriesMemory;
  account: InputAccount;
}

type RunViews = ReturnType<RunMemory['reserve']> & { moments: Moments[]; squares: Float64Array[] };
/** What the run of a prepared wave heeds. */
type RunOptions = Pick<ProcessOptions, 'signal' | 'onProgress'>;
type Settle = (index: number, result: DtesnResult | DtesnFailure) => void;

/** With an adaptive threshold, one input in so many is run once more the other way (standardised or plain). */
const SHADOW_EVERY = 16;
/** Kept of one look: inputs may have any lengths. */
const MOST_DRAFTS = 64;

export class InputRunner {
  readonly #parts: ProcessorParts;
  readonly #encoder: InputEncoder;
  readonly #looks: Looks;
  #shadowTurn = 0;

  constructor(parts: ProcessorParts, looks: Looks) {
    this.#parts = parts;
    this.#looks = looks;
    const { engine, fetcher, tokens, config } = parts;
    const local = engine && new ModelTokenizer(engine);
    const tokenizing = () => fetcher.enginesFor('tokenizer');
    this.#encoder = new InputEncoder(tokenizing, local, tokens, config.sourceDeadlineMs, parts.clock);
  }

  /** A wave of one input; throws its error. */
  async prepareOne(input: EncodeInput, options: ProcessOptions): Promise<Wave> {
    let failure: unknown;
    const { continueFrom = null, traceparent, ...rest } = options;
    checkTraces([traceparent], 1);
    const given = { ...rest, continueFrom: [continueFrom], traceparent: [traceparent] };
    const wave = await this.#prepare([input], 0, 1, false, given, (_, error) => {
      failure = error;
    });
    if (wave.inputs.length === 1) return wave;
    this.drop(wave, failure);
    throw failure;
  }

  /** Inputs [start, end) of a batch; those that fail are settled at once. Without `begun` the sources are looked at again. */
  prepare(
    inputs: readonly EncodeInput[],
    start: number,
    end: number,
    options: ProcessBatchOptions,
    settle: Settle,
    begun?: Begun,
  ): Promise<Wave> {
    const refuse = (index: number, error: unknown) => settle(index, failureOf(error));
    return this.#prepare(inputs, start, end, true, options, refuse, begun);
  }

  /** Through model and B-series; settles every input of the wave, and gives its memory back. */
  async run(wave: Wave, options: RunOptions, settle: Settle): Promise<void> {
    try {
      const { lanes } = this.#parts;
      if (wave.inputs.length > 0) await lanes.use((lane) => this.#runOn(lane, wave, options, settle), options.signal);
    } catch (error) {
      wave.account.ended(error, options.signal?.aborted === true);
      throw error;
    } finally {
      this.#parts.memory.give(wave.memory);
    }
  }

  /** Returns the memory of a wave that is not run: only its series was requested, or an error occurred. */
  drop(wave: Wave, error?: unknown): void {
    if (error === undefined) wave.account.prepared();
    else wave.account.ended(error, false);
    this.#parts.memory.give(wave.memory);
  }

  // ---- prepare ----

  /** Counts the inputs as started, and as failed when preparing them throws. */
  async #prepare(
    inputs: readonly EncodeInput[],
    start: number,
    end: number,
    batch: boolean,
    options: ProcessBatchOptions,
    refuse: (index: number, error: unknown) => void,
    begun?: Begun,
  ): Promise<Wave> {
    const { metrics, memory: pool } = this.#parts;
    const account = metrics.begin(end - start);
    const fail = (index: number, error: unknown) => {
      account.failed(error);
      refuse(index, error);
    };
    try {
      const from = begun ?? (await this.#looks.begin(options));
      const encoded = await this.#encodeAll(inputs, start, end, options, fail, from);
      const memory = await pool.take(options.signal);
      try {
        return { inputs: this.#transform(encoded, from.look.made.drafts, memory, fail), batch, memory, account };
      } catch (error) {
        pool.give(memory);
        throw error;
      }
    } catch (error) {
      account.ended(error, options.signal?.aborted === true);
      throw error;
    }
  }

  async #encodeAll(
    inputs: readonly EncodeInput[],
    start: number,
    end: number,
    options: ProcessBatchOptions,
    fail: (index: number, error: unknown) => void,
    { look, clock }: Begun,
  ): Promise<EncodedOne[]> {
    const { signal, onProgress } = options;
    onProgress?.({ stage: 'encode', done: 0, total: 1 });
    const encoding = Array.from({ length: end - start }, async (_, i) => {
      const own = clock.copy();
      const kind = kindOf(inputs[start + i]!);
      const continuation = options.continueFrom?.[start + i] ?? null;
      const planned = continuation === null ? look.plan(kind) : this.#looks.continuedPlan(look, kind);
      own.end('context');
      const encoded = await this.#encode(inputs[start + i]!, look, planned, {
        signal,
        traceparent: options.traceparent?.[start + i],
      });
      own.end('encode');
      return { index: start + i, encoding: encoded, planned, clock: own, use: look.use, continuation };
    });
    const settled = await Promise.allSettled(encoding);
    signal?.throwIfAborted();
    return settled.flatMap((result, i) => {
      if (result.status === 'fulfilled') return [result.value];
      fail(start + i, result.reason);
      return [];
    });
  }

  /** Key of cached ids: restarts and changes of the engine so far, and the provider that tokenises. */
  #epoch(): string {
    const { fetcher } = this.#parts;
    return `${fetcher.epoch} ${fetcher.engineFor('tokenizer')?.label}`;
  }

  #encode(input: EncodeInput, look: Look, { data }: PlannedData, request: RequestOptions) {
    const caching = data.processing_pipelines.optimization_config.enable_caching;
    const { tokenizer, ask } = look;
    this.#parts.tokens.follow(this.#epoch());
    return this.#encoder.encode(input, { tokenizer, caching, ask, ...request });
  }

  /** Reserves the memory of the wave once, then transforms each input in its part of it. */
  #transform(
    encoded: EncodedOne[],
    drafts: Look['made']['drafts'],
    memory: SeriesMemory,
    fail: (index: number, error: unknown) => void,
  ): PreparedInput[] {
    const { metrics } = this.#parts;
    const fitting = encoded.flatMap((input) => {
      input.clock.skip();
      const { kind, steps } = input.encoding.encoded;
      // Inputs of one kind and length share the draft of their look.
      const key = `${kind} ${steps} ${input.continuation !== null}`;
      try {
        const drafted = drafts.get(key) ?? this.#draft(input);
        if (!drafts.has(key)) {
          if (drafts.size === MOST_DRAFTS) drafts.clear();
          drafts.set(key, { ...drafted, draft: withoutTime(drafted.draft) });
        }
        return [{ input, ...drafted }];
      } catch (error) {
        fail(input.index, error);
        return [];
      }
    });
    const views = memory.reserve({ series: fitting.reduce((sum, { room }) => sum + room, 0) });
    let offset = 0;
    return fitting.flatMap(({ input, target, draft, room }): PreparedInput[] => {
      const series = views.series.subarray(offset, offset + room);
      offset += room;
      try {
        const { encoded: given } = input.encoding;
        input.clock.skip();
        writeSeries(given, series);
        const { steps, features } = given;
        const { data } = input.planned;
        const shaped = applyMultiSourceTransformations({ data: series, steps, features }, data, target, draft);
        // Spread last, here and below: V8 of Node 20 makes a new class for each object that begins with a spread.
        const transformed = { series: series.subarray(0, shaped.steps * shaped.features), ...shaped };
        input.clock.end('transform');
        metrics.transformed(transformed.applied, transformed.pipelineMs);
        return [{ transformed, ...input }];
      } catch (error) {
        fail(input.index, error);
        return [];
      }
    });
  }

  #draft({ encoding, planned, continuation }: EncodedOne): Drafted {
    const { kind, steps, features } = encoding.encoded;
    const target = this.#parts.targetOf(kind, steps);
    const whole = draftTransformations(planned.data, target);
    const draft = continuation === null ? whole : continuedDraft(whole);
    const { capacity } = programShape(draft.program, steps, features);
    return { target, draft, room: Math.max(capacity, steps * features) };
  }

  // ---- run ----

  async #runOn(lane: Lane, wave: Wave, options: RunOptions, settle: Settle): Promise<void> {
    const { inputs, account } = wave;
    const { model } = lane;
    const most = model.membranes.length;
    const states = lane.states(
      inputs.map(({ transformed, continuation }) => ({
        active: Math.min(transformed.execution.activeMembranes, most),
        start: continuation?.start,
      })),
    );
    for (const { clock } of inputs) clock.skip();
    const { bseriesOrder: order } = this.#parts.config;
    const lastInputs = inputs.map(({ transformed }) => transformed.series.subarray(-model.inputs));
    const memory = this.#reserve(lane, inputs);
    const expansions = expansionsOf(states, memory, order, lastInputs);
    const { runs, expandMs } = await this.#runModel(states, memory, expansions, wave, options);
    for (const { clock } of inputs) {
      clock.end('model');
      clock.move(expandMs, 'model', 'bseries');
    }
    const flows = expansions.map((expansion) => bseriesOf(order, expansion));
    for (const { clock } of inputs) clock.end('bseries');
    for (const [i, input] of inputs.entries()) {
      const run = runs[i]!;
      const { engine, predictor } = this.#parts;
      const predictions = predictor?.predict(run, lastInputs[i]!) ?? null;
      const together = inputs.length;
      const result = assembleResult({ engine, input, model, run, flow: flows[i]!, predictions, together });
      // Last, so that a chunk whose result fails can be sent again.
      input.continuation?.advance(run.state.data as Float32Array, input.transformed.steps);
      account.finished(input.clock, input.transformed.steps, run.activity.includes(null));
      settle(input.index, result);
    }
    const fromRest = inputs.findIndex(({ continuation }) => continuation === null);
    if (fromRest >= 0) await this.#shadow(model, inputs[fromRest]!, runs[fromRest]!, options.signal);
  }

  #reserve(lane: Lane, inputs: PreparedInput[]): RunViews {
    const { units } = lane.model;
    const chunkSteps = chunkOf(inputs, units);
    const steps = inputs.reduce((sum, { transformed }) => sum + Math.min(chunkSteps, transformed.steps), 0);
    const { bseriesOrder: order } = this.#parts.config;
    const trees = treesTo(order).length;
    const views = lane.memory.reserve({
      states: steps * units,
      differentials: inputs.length * trees * units,
      taylor: inputs.length * order * units,
    });
    return { moments: lane.moments(inputs.length), squares: lane.squares(inputs.length, trees + order), ...views };
  }

  /** Through the model and the B-series, and the milliseconds of the latter. */
  async #runModel(
    states: State[],
    { states: rows, moments }: Pick<RunViews, 'states' | 'moments'>,
    expansions: Expansion[],
    { batch, inputs }: Wave,
    { signal, onProgress }: RunOptions,
  ): Promise<{ runs: ModelRun[]; expandMs: number }> {
    const { clock, config } = this.#parts;
    const { bseriesOrder: order } = config;
    const series = inputs.map(({ transformed }) => transformed);
    const longest = Math.max(...series.map(({ steps }) => steps));
    const progress = onProgress && ((done: number) => onProgress({ stage: 'model', done, total: longest }));
    const run = { chunkSteps: chunkOf(inputs, states[0]!.network.stateSize), signal, onProgress: progress };
    if (batch) {
      const { threads } = series[0]!.execution;
      return runModelBatch(states, rows, series, { moments, threads, order, expansions, ...run });
    }
    const runs = [await runModel(states[0]!, rows, series[0]!, { moments: moments[0]!, ...run })];
    const begun = clock.now();
    await states[0]!.network.expandAsync(order, expansions);
    return { runs, expandMs: clock.now() - begun };
  }

  /**
   * Runs an input again with the opposite standardisation, and reports the agreement of the mean states to the quality
   * gate.
   */
  async #shadow(
    model: DeepTreeModel,
    input: PreparedInput,
    run: ModelRun,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { adaptive, planner, targetOf } = this.#parts;
    if (!adaptive || this.#shadowTurn++ % SHADOW_EVERY !== 0) return;
    const { encoded } = input.encoding;
    const comparing = agreementOf(model, encoded, input.planned.data, targetOf(encoded.kind), run, signal);
    const agreement = await comparing.catch(() => null); // the input has its result: an abort comes too late
    if (agreement !== null) planner.observe({ agreement });
  }
}

/** For the next input that shares it: the time that it took is counted once. */
function withoutTime(draft: Draft): Draft {
  return { ...draft, draftMs: Object.fromEntries(Object.keys(draft.draftMs).map((name) => [name, 0])) };
}

function kindOf(input: EncodeInput): PlanTarget['inputKind'] {
  const tokens =
    typeof input === 'string' ||
    input instanceof Uint8Array ||
    (typeof input === 'object' && input !== null && 'tokens' in input);
  return tokens ? 'tokens' : 'numbers';
}

/** Bytes of states of one input in a chunk: longer chunks gain nothing. */
const CHUNK_BYTES = 2 * 2 ** 20;

/** Steps of each input whose states are kept at once: those of the plan, which in chunks are at most CHUNK_BYTES. */
function chunkOf(inputs: PreparedInput[], units: number): number {
  const most = Math.max(16, Math.floor(CHUNK_BYTES / (Float32Array.BYTES_PER_ELEMENT * units)));
  const chunks = inputs.map(({ transformed: { execution } }) =>
    execution.chunked ? Math.min(execution.chunkSteps, most) : execution.chunkSteps,
  );
  return Math.max(...chunks);
}

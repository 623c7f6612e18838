/** Looks at the sources: the context and the plan that the decisions of a wave rest on. */
import { type Draft, draftTransformations, type PlanTarget, pinPlan } from '../pipeline/index.js';
import type { SourceFetcher, SourceSet } from '../sources/index.js';
import { continuedPins } from './continuation.js';
import { type ContextUse, checkContext, engineContext, type FetchedContext, useOf } from './engine-context.js';
import type { PlannedData } from './planner.js';
import type { ProcessBatchOptions } from './process-options.js';
import type { ProcessorParts } from './processor-options.js';
import { StageClock } from './stage-clock.js';
import type { WavePlan } from './waves.js';

/** The plan for series of one kind and length. */
export interface Drafted {
  target: PlanTarget;
  draft: Draft;
  /** Elements of the series that its program needs. */
  room: number;
}

/** What was made of a look so far, for all inputs that share it. */
interface MadeOfLook {
  plans: Map<PlanTarget['inputKind'], PlannedData>;
  /** The plans of further chunks. */
  continued: Map<PlanTarget['inputKind'], PlannedData['data']>;
  waves: WavePlan | null;
  /** Of the inputs so far, by what they share (input-runner.ts). */
  drafts: Map<string, Drafted>;
}

/** What one decision rests on. */
export interface Look {
  use: ContextUse;
  tokenizer: SourceSet['sources']['tokenizer'];
  ask: boolean;
  plan: (inputKind: PlanTarget['inputKind']) => PlannedData;
  made: MadeOfLook;
}

/** A look, and the clock of those who began with it. */
export interface Begun {
  look: Look;
  clock: StageClock;
}

export class Looks {
  readonly #parts: ProcessorParts;
  readonly #freshness: SourceFetcher['freshness'];
  /** The last look at the sources, and when it began. */
  #newest: { look: Look; at: number } | null = null;
  /** How often it was forgotten: a look that was under way then is not kept. */
  #forgotten = 0;

  constructor(parts: ProcessorParts) {
    this.#parts = parts;
    this.#freshness = parts.fetcher.freshness;
  }

  /** The sources as they are now. */
  async look(signal?: AbortSignal): Promise<Look> {
    const { fetcher, planner, config, metrics, targetOf } = this.#parts;
    const set = await fetcher.fetch({ force: !config.caching, ...(signal && { signal }) });
    const made = nothingMade();
    const plan = (inputKind: PlanTarget['inputKind']) => {
      const planned = made.plans.get(inputKind) ?? planner.plan(set, targetOf(inputKind));
      if (!made.plans.has(inputKind)) metrics.quality(planned.data.aggregation.data_quality_score);
      made.plans.set(inputKind, planned);
      return planned;
    };
    const use = { origin: 'fetched' as const, ageMs: 0, state: 'fresh' as const, note: null };
    return { use, tokenizer: set.sources.tokenizer, ask: true, plan, made };
  }

  /** The next input looks at the sources again. */
  forget(): void {
    this.#newest = null;
    this.#forgotten++;
  }

  async context(signal?: AbortSignal): Promise<FetchedContext> {
    const { data } = (await this.look(signal)).plan('tokens');
    return engineContext(data, this.#parts.planner.explain(data), this.#parts.origin, this.#parts.clock);
  }

  /** The look of a wave that begins now. */
  async begin({ onProgress, ...options }: ProcessBatchOptions): Promise<Begun> {
    const clock = new StageClock(this.#parts.clock);
    onProgress?.({ stage: 'context', done: 0, total: 1 });
    const look = await this.#lookOf(options);
    clock.end('context');
    return { look, clock };
  }

  /** Execution of a batch, by the plan for token inputs. */
  wavePlan({ look }: Begun): WavePlan {
    const { data } = look.plan('tokens');
    if (look.made.waves === null) {
      const { execution } = draftTransformations(data, this.#parts.targetOf('tokens'));
      const { batch, batchSize, parallel, threads, overlap } = execution;
      look.made.waves = { batch, batchSize, parallel, threads, overlap };
    }
    return look.made.waves;
  }

  /** The plan of an input that goes on from an earlier chunk. */
  continuedPlan(look: Look, kind: PlanTarget['inputKind']): PlannedData {
    const { data, reused } = look.plan(kind);
    let continued = look.made.continued.get(kind);
    if (continued === undefined) {
      const pipelines = pinPlan(data.processing_pipelines, continuedPins, this.#parts.targetOf(kind));
      continued = { ...data, processing_pipelines: pipelines };
      look.made.continued.set(kind, continued);
    }
    return { data: continued, reused };
  }

  /** The newest look while it is young enough, with its age; else another one. */
  async #recent(signal: AbortSignal | undefined): Promise<Look> {
    const { clock, contextFreshMs } = this.#parts;
    signal?.throwIfAborted();
    const begun = clock.now();
    const newest = this.#newest;
    if (newest !== null && begun - newest.at < contextFreshMs) return again(newest.look, begun - newest.at);
    const forgotten = this.#forgotten;
    const look = await this.look(signal);
    if (contextFreshMs > 0 && forgotten === this.#forgotten) this.#newest = { look, at: begun };
    return look;
  }

  #lookOf({ context, signal }: ProcessBatchOptions): Promise<Look> | Look {
    if (context === undefined) return this.#recent(signal);
    signal?.throwIfAborted();
    const given = checkContext(context);
    const { pins, targetOf, origin } = this.#parts;
    const plan = given.multi_source_data.processing_pipelines;
    const pinned = pinPlan(plan, pins, targetOf('tokens'));
    const data =
      pinned === plan ? given.multi_source_data : { ...given.multi_source_data, processing_pipelines: pinned };
    return {
      use: useOf(given, origin, this.#freshness),
      tokenizer: data.sources.tokenizer,
      ask: false,
      plan: () => ({ data, reused: false }),
      made: nothingMade(),
    };
  }
}

function nothingMade(): MadeOfLook {
  return { plans: new Map(), continued: new Map(), waves: null, drafts: new Map() };
}

/** A look for inputs that begin later, which reuse its plans. */
function again(look: Look, ageMs: number): Look {
  const plan: Look['plan'] = (kind) => {
    const isMade = look.made.plans.has(kind);
    const { data, reused } = look.plan(kind);
    return { data, reused: reused || isMade };
  };
  // V8 of Node 20 makes a new class for each object that begins with a spread.
  return Object.assign({}, look, { use: Object.assign({}, look.use, { ageMs }), plan });
}

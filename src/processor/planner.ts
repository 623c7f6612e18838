/**
 * Plans for inputs of one kind, from the sources: aggregation against the running baseline of this engine, the quality
 * gate, and the pipelines.
 *
 * A plan and its explanation are reused while everything they are computed from stays the same (answers of the sources,
 * constraints, hints, judgement of the quality) and the plan itself allows caching. Results share it: it is frozen.
 */
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../abort/index.js';
import {
  aggregateMultiSourceData,
  type QualityGate,
  type QualityObservation,
  SourceHistory,
} from '../aggregation/index.js';
import {
  checkPlanOptions,
  type ExplainedPipeline,
  expecting,
  explainPlan,
  type MultiSourceData,
  multiSourceDataOf,
  type PlanOptions,
  type PlanSettings,
  type PlanTarget,
  planPipelines,
} from '../pipeline/index.js';
import { type AdditionalSource, frozen, type SourceSet, type Sources } from '../sources/index.js';

const KEPT_PLANS = 64;
/** The source that changes with every fetch. A plan does not depend on it, unless a pipeline of the host uses it. */
const VOLATILE = 'processing_state';

type Additional = Readonly<Record<string, AdditionalSource>>;

interface KeptPlan {
  pipelines: MultiSourceData['processing_pipelines'];
  explained: ExplainedPipeline[] | null;
}

export interface PlannedData {
  data: MultiSourceData;
  /** Whether the plan is that of an earlier input. */
  reused: boolean;
}

export class Planner {
  readonly #settings: PlanSettings;
  readonly #gate: QualityGate;
  readonly #history: SourceHistory;
  readonly #kept = new LRUCache<string, KeptPlan>({ max: KEPT_PLANS });
  readonly #byPlan = new WeakMap<MultiSourceData['processing_pipelines'], KeptPlan>();
  readonly #volatile: boolean;
  readonly #numbers = new WeakMap<object, number>();
  #lastNumber = 0;
  hits = 0;
  misses = 0;

  constructor(options: PlanOptions, gate: QualityGate, clock: Clock = systemClock) {
    this.#history = new SourceHistory({ clock });
    this.#settings = checkPlanOptions({ ...options, gate });
    this.#gate = gate;
    this.#volatile = (options.pipelines ?? []).some(({ source }) => source === VOLATILE);
  }

  get entries(): number {
    return this.#kept.size;
  }

  get threshold(): number {
    return this.#gate.threshold;
  }

  /** Of a stream: see QualityGate. */
  observe(observation: QualityObservation): void {
    this.#gate.observe(observation);
  }

  /** Aggregates fetched sources, judged against earlier ones. */
  aggregate(sources: Sources, additional: Additional = {}): MultiSourceData['aggregation'] {
    return aggregateMultiSourceData(sources, this.#history, additional);
  }

  /** Plans their pipelines again. */
  pipelines(sources: Sources, target: PlanTarget): MultiSourceData['processing_pipelines'] {
    const judged = expecting(this.aggregate(sources), sources, this.#settings);
    return planPipelines(sources, judged, target, this.#settings, {});
  }

  /** The plan of fetched sources. */
  plan(set: SourceSet, target: PlanTarget): PlannedData {
    const aggregation = this.aggregate(set.sources, set.additional);
    const judged = expecting(aggregation, set.sources, this.#settings);
    const key = this.#keyOf(set, judged, target);
    const kept = this.#kept.get(key);
    if (kept) {
      this.hits++;
      return { data: multiSourceDataOf(set, aggregation, kept.pipelines), reused: true };
    }
    this.misses++;
    const pipelines = frozen(planPipelines(set.sources, judged, target, this.#settings, set.additional));
    const made: KeptPlan = { pipelines, explained: null };
    this.#byPlan.set(pipelines, made);
    if (pipelines.optimization_config.enable_caching && !this.#volatile) this.#kept.set(key, made);
    return { data: multiSourceDataOf(set, aggregation, pipelines), reused: false };
  }

  /** The plan explained; once for each plan that is kept. */
  explain(data: MultiSourceData): ExplainedPipeline[] {
    const kept = this.#byPlan.get(data.processing_pipelines);
    if (kept === undefined || !data.processing_pipelines.optimization_config.enable_caching) return explainPlan(data);
    kept.explained ??= frozen(explainPlan(data));
    return kept.explained;
  }

  forget(): void {
    this.#kept.clear();
  }

  /** Data of a host are the same when they are the same object: each answer is a frozen copy. */
  #numberOf(data: object | null): number | null {
    if (data === null) return null;
    const known = this.#numbers.get(data);
    if (known !== undefined) return known;
    this.#numbers.set(data, ++this.#lastNumber);
    return this.#lastNumber;
  }

  #keyOf({ sources, additional }: SourceSet, aggregation: MultiSourceData['aggregation'], target: PlanTarget): string {
    const { score: _, ...judgement } = this.#gate.judge(aggregation);
    const answers = [...Object.values(sources), ...Object.values(additional)]
      .filter(({ source_type }) => source_type !== VOLATILE)
      .map((answer) => {
        const { state, fetch_timestamp, latency_ms } = answer;
        const data = 'data' in answer ? this.#numberOf(answer.data as object | null) : null;
        return [state, fetch_timestamp, latency_ms, data]; // two answers may come in the same millisecond
      });
    const { processing_constraints, optimization_hints, constraint_origins, hint_origins } = aggregation;
    return JSON.stringify([
      target.inputKind,
      answers,
      processing_constraints,
      optimization_hints,
      constraint_origins,
      hint_origins,
      judgement,
    ]);
  }
}

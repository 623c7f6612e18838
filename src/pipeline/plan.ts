/**
 * From the aggregation to the pipelines, each only when its source succeeded, in order of priority: the three of the
 * published format (1, 2, 3) and those that the host adds.
 */
import { type Aggregation, withExpectedLoad } from '../aggregation/index.js';
import type { AdditionalSource, Sources } from '../sources/index.js';
import { type PlannedFlags, planFlags } from './flags.js';
import { planHighQuality } from './high-quality.js';
import { planHost } from './host-pipeline.js';
import { MODEL_AWARE, planModelAware } from './model-aware.js';
import { PERFORMANCE_OPTIMIZED, planPerformance } from './performance.js';
import { pinPlan } from './pins.js';
import { checkPlanOptions, type PipelineSlot, type PlanOptions, type PlanSettings } from './plan-options.js';
import { planResources } from './resource-scaling.js';
import type { Pipeline, ProcessingPipelines } from './schema.js';
import { checkTarget, type PlanTarget } from './target.js';

type Additional = Readonly<Record<string, AdditionalSource>>;

/**
 * From the aggregation to the pipelines, each only when its source succeeded, in order of priority: the three of the
 * published format (1, 2, 3) and those that the host adds.
 *
 * Pipelines are planned in the order in which they act, and scaling by memory uses the threads planned before it. The
 * same sources, target and options give the same plan; a gate and the host's plan() may keep state. A source or plan()
 * that fails never throws: its pipeline is absent, with the reason. Errors: of the target and of options
 * (plan-options.ts).
 */
export function createDataProcessingPipelines(
  sources: Sources,
  aggregation: Aggregation,
  target: PlanTarget,
  options: PlanOptions = {},
): ProcessingPipelines {
  const settings = checkPlanOptions(options);
  const judged = expecting(aggregation, sources, settings);
  return planPipelines(sources, judged, target, settings, options.additional ?? {});
}

/** The aggregation by which is planned: that of the sources, and what is expected of the load. */
export function expecting(aggregation: Aggregation, sources: Sources, { expectedLoad }: PlanSettings): Aggregation {
  const expected = expectedLoad();
  return expected === null ? aggregation : withExpectedLoad(aggregation, expected, sources.performance);
}

/** The plan with checked options and the aggregation by which is planned. */
export function planPipelines(
  sources: Sources,
  aggregation: Aggregation,
  target: PlanTarget,
  settings: PlanSettings,
  additional: Additional,
): ProcessingPipelines {
  checkTarget(target);
  const pipelines: Pipeline[] = [];
  const absent: ProcessingPipelines['absent_pipelines'] = [];
  for (const slot of settings.slots) {
    const { name, source } = slot;
    const failure = failureOf(source, sources, additional);
    if (failure !== null) {
      absent.push({ name, source, reason: failure });
      continue;
    }
    try {
      pipelines.push(planSlot(slot, sources, aggregation, target, pipelines, additional));
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      absent.push({ name, source, reason: `its plan failed: ${error}`, error });
    }
  }
  const judgement = settings.gate?.judge(aggregation) ?? null;
  const order = pipelines.map(({ name }) => name);
  const plan: ProcessingPipelines = {
    transformation_pipelines: pipelines,
    ...configurations(order, planFlags(aggregation, order, judgement, settings), settings),
    ...(judgement && { quality_gate: judgement }),
    high_quality_optimizations: planHighQuality(aggregation, judgement),
    absent_pipelines: absent,
  };
  return pinPlan(plan, settings.pins, target);
}

/** Why the pipeline cannot be planned; null when it can. */
function failureOf(name: string, sources: Sources, additional: Additional): string | null {
  const source = Object.hasOwn(sources, name)
    ? sources[name as keyof Sources]
    : Object.hasOwn(additional, name)
      ? additional[name]
      : undefined;
  if (source === undefined) return `no source is known by the name ${name}`;
  return source.state === 'error' ? (source.error ?? `the ${name} source failed`) : null;
}

function planSlot(
  { name, source, priority, host }: PipelineSlot,
  sources: Sources,
  aggregation: Aggregation,
  target: PlanTarget,
  before: readonly Pipeline[],
  additional: Additional,
): Pipeline {
  if (host !== null) {
    const data = Object.hasOwn(sources, source) ? sources[source as keyof Sources] : additional[source]!.data;
    return planHost(host, priority, data);
  }
  switch (name) {
    case MODEL_AWARE:
      return { ...planModelAware(aggregation, target), priority };
    case PERFORMANCE_OPTIMIZED:
      return { ...planPerformance(sources, aggregation, target), priority };
    default:
      return { ...planResources(sources, aggregation, target, plannedThreads(before, target)), priority };
  }
}

/** Threads as set by the pipelines so far. */
function plannedThreads(pipelines: readonly Pipeline[], { cores }: PlanTarget): number {
  let threads = cores;
  let most = Number.POSITIVE_INFINITY;
  for (const { kind, parameters } of pipelines.flatMap(({ steps }) => steps)) {
    if (parameters.threads === undefined) continue;
    if (kind === 'limit') most = Math.min(most, parameters.threads);
    else threads = parameters.threads;
    threads = Math.min(threads, most);
  }
  return threads;
}

function configurations(order: string[], { values, reasons }: PlannedFlags, { errorHandling }: PlanSettings) {
  const { parallel_execution, ...optimization_config } = values;
  return {
    data_flow_config: {
      pipeline_order: order,
      parallel_execution,
      fallback_strategy: 'sequential_processing' as const,
      error_handling: errorHandling,
    },
    optimization_config,
    flag_reasons: reasons,
  };
}

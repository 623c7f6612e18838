/**
 * The plan as a plain structure for display: every pipeline (also the host's) with every transformation, its effect and
 * its reason; then the high-quality optimisations, the switches of the flow with the quality gate if there is one, and
 * the absent pipelines.
 */

import type { TransformOp } from '../transform/index.js';
import type { MultiSourceData } from './envelope.js';
import type { PipelineStep, ProcessingPipelines } from './schema.js';

/** A transformation of a plan for display: what it does to the data or the execution, and why. */
export interface ExplainedTransformation {
  transformation: string;
  kind: 'data' | 'execution' | 'limit' | 'flow';
  /** 'truncate steps=8192 keep=first', 'threads = 2', 'threads <= 2', 'true' of a switch, or 'nothing'. */
  operation: string;
  reason: string;
}

/** A pipeline of a plan for display: its source, priority and transformations, or the reason why it is absent. */
export interface ExplainedPipeline {
  name: string;
  /** The source it depends on; null for the high-quality optimisations and the flow, which depend on all. */
  source: string | null;
  priority: number | null;
  present: boolean;
  /** Why it is absent; null when it is present. */
  absence: string | null;
  transformations: ExplainedTransformation[];
}

/**
 * The plan as a plain structure for display: every pipeline (also the host's) with every transformation, its effect and
 * its reason; then the high-quality optimisations, the switches of the flow with the quality gate if there is one, and
 * the absent pipelines.
 */
export function explainPlan({ processing_pipelines: plan }: MultiSourceData): ExplainedPipeline[] {
  const present = plan.transformation_pipelines.map(
    ({ name, source, priority, steps }): ExplainedPipeline => ({
      name,
      source,
      priority,
      present: true,
      absence: null,
      transformations: steps.map(explainStep),
    }),
  );
  const { enabled, operations, reason } = plan.high_quality_optimizations;
  const highQuality: ExplainedPipeline = {
    name: 'high_quality_optimizations',
    source: null,
    priority: null,
    present: enabled,
    absence: enabled ? null : reason,
    transformations: operations.map((op) => ({
      transformation: 'standardize_features',
      kind: 'data',
      operation: explainOperation(op),
      reason,
    })),
  };
  const absent = plan.absent_pipelines.map(
    ({ name, source, reason: absence }): ExplainedPipeline => ({
      name,
      source,
      priority: null,
      present: false,
      absence,
      transformations: [],
    }),
  );
  return [...present, highQuality, explainFlow(plan), ...absent];
}

function explainFlow(plan: ProcessingPipelines): ExplainedPipeline {
  const { data_flow_config: flow, optimization_config: optimization, flag_reasons, quality_gate: gate } = plan;
  const switches = {
    parallel_execution: flow.parallel_execution,
    ...optimization,
    error_handling: flow.error_handling,
    pipeline_order: flow.pipeline_order.join(', ') || 'none',
  };
  const transformations = Object.entries(switches).map(([name, value]): ExplainedTransformation => {
    const prefix = `${value}: `;
    const reason = flag_reasons[name] ?? '';
    const said = reason.startsWith(prefix) ? reason.slice(prefix.length) : reason;
    return { transformation: name, kind: 'flow', operation: String(value), reason: said };
  });
  for (const [name, value] of Object.entries(plan.pinned ?? {})) {
    transformations.push({
      transformation: 'pinned',
      kind: 'flow',
      operation: `${name} = ${value}`,
      reason: 'by the caller',
    });
  }
  if (gate !== undefined) {
    const operation = `threshold = ${gate.threshold} (${gate.measure})`;
    transformations.push({ transformation: 'quality_gate', kind: 'flow', operation, reason: gate.reason });
  }
  return { name: 'flow_control', source: null, priority: null, present: true, absence: null, transformations };
}

function explainStep({ transformation, kind, operations, parameters, reason }: PipelineStep): ExplainedTransformation {
  const parts =
    kind === 'data'
      ? operations.map(explainOperation)
      : Object.entries(parameters).map(([setting, value]) => `${setting} ${kind === 'limit' ? '<=' : '='} ${value}`);
  return { transformation, kind, operation: parts.length > 0 ? parts.join(', ') : 'nothing', reason };
}

function explainOperation({ op, ...parameters }: TransformOp): string {
  return [op, ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`)].join(' ');
}

/**
 * The plan as a plain structure that a person can be shown: every pipeline with every transformation, what it became
 * and why; then what high quality adds, and the pipelines that are not there.
 */
import type { MultiSourceData } from './envelope.js';
import type { TransformOp } from './program.js';
import type { PipelineStep } from './schema.js';

export interface ExplainedTransformation {
  transformation: string;
  kind: 'data' | 'execution';
  /** 'truncate steps=8192 keep=first', 'threads = 2', or 'nothing'. */
  operation: string;
  reason: string;
}

export interface ExplainedPipeline {
  name: string;
  /** The source it rests on; null for the high-quality optimisations, which rest on all. */
  source: string | null;
  priority: number | null;
  present: boolean;
  /** Why it is absent; null when it is present. */
  absence: string | null;
  transformations: ExplainedTransformation[];
}

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
  return [...present, highQuality, ...absent];
}

function explainStep({ transformation, kind, operations, parameters, reason }: PipelineStep): ExplainedTransformation {
  const parts =
    kind === 'data'
      ? operations.map(explainOperation)
      : Object.entries(parameters).map(([setting, value]) => `${setting} = ${value}`);
  return { transformation, kind, operation: parts.length > 0 ? parts.join(', ') : 'nothing', reason };
}

function explainOperation({ op, ...parameters }: TransformOp): string {
  return [op, ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`)].join(' ');
}

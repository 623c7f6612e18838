/**
 * Pipelines that the host adds: declared operations on the data and limits of the execution, planned from the data of
 * one source.
 */
import { z } from 'zod';
import { currentNames } from '../errors/index.js';
import { type TransformOp, transformOpSchema } from '../transform/index.js';
import { type ExecutionSetting, plannedSettings, settingOf } from './execution.js';
import type { Pipeline, PipelineStep } from './schema.js';

/** A transformation that a host declares: operations on the data, limits of the execution, and the reason. */
export interface HostTransformation {
  /** Its name in `applied` and in the plan. */
  transformation: string;
  /** Token ids before the embedding or features after it; 'features' by default. */
  on?: 'tokens' | 'features';
  /** Operations in order; none by default. */
  operations?: TransformOp[];
  /** Upper bounds of the execution, whole numbers from 1, in force once the pipeline acts; none by default. */
  limits?: { [Setting in ExecutionSetting]?: number };
  /** Why, in a sentence. */
  reason: string;
}

/** What plan() of a HostPipeline returns: its transformations, in the order in which they are applied. */
export interface HostPlan {
  transformations: HostTransformation[];
  /** 'host_defined' by default. */
  outputFormat?: string;
}

/**
 * Pipelines that the host adds: declared operations on the data and limits of the execution, planned from the data of
 * one source.
 *
 *     { name: 'queue_watch', source: 'queue', priority: 4, plan: ({ length }) => ({
 *         transformations: [{ transformation: 'spare_threads', limits: { threads: 1 }, reason: `${length} wait` }] }) }
 *
 * `source` is one of the five (plan() then gets its record) or an additional source (plan() gets its data). It is
 * called synchronously for each plan where its source succeeded; its argument must not be written to. A plan() that
 * throws or returns anything but a HostPlan makes its pipeline absent, with the error.
 */
export interface HostPipeline {
  /** Unique, and none of the three. */
  name: string;
  source: string;
  /** Whole; pipelines act from the least to the greatest, those of equal priority in the order they are declared. */
  priority: number;
  // biome-ignore lint/suspicious/noExplicitAny: the host that declares a source defines the type of its data.
  plan(data: any): HostPlan;
}

const oldLimits = { batch_size: 'batchSize', chunk_steps: 'chunkSteps', active_membranes: 'activeMembranes' };
const bound = z.int().min(1).optional();

const hostPlanSchema = z.strictObject({
  transformations: z.array(
    z.strictObject({
      transformation: z.string().min(1),
      on: z.enum(['tokens', 'features']).optional(),
      operations: z.array(transformOpSchema).optional(),
      limits: z
        .strictObject({ threads: bound, batchSize: bound, chunkSteps: bound, activeMembranes: bound })
        .optional(),
      reason: z.string().min(1),
    }),
  ),
  outputFormat: z.string().min(1).optional(),
});

/**
 * The host's plan for the data of its source. Throws the error of plan(), and a TypeError for anything but a HostPlan.
 */
export function planHost(host: HostPipeline, priority: number, data: unknown): Pipeline {
  const { name, source } = host;
  const returned: unknown = host.plan(data);
  if (returned instanceof Promise) {
    returned.catch(() => {}); // the promise is an error below; nothing else handles its rejection
    throw new TypeError('Expected a plan from plan() but received a promise: make plan() synchronous');
  }
  const { success, data: planned, error } = hostPlanSchema.safeParse(currentPlan(returned));
  if (!success) {
    const { path, message } = error.issues[0]!;
    throw new TypeError(
      `Expected a plan from plan() but received something else at ${path.join('.') || 'its root'}: ${message}`,
    );
  }
  return {
    name,
    source,
    transformations: planned.transformations.map(({ transformation }) => transformation),
    output_format: planned.outputFormat ?? 'host_defined',
    priority,
    steps: planned.transformations.flatMap(stepsOf),
  };
}

/** The plan under the names that hold now. */
function currentPlan(plan: unknown): unknown {
  if (typeof plan !== 'object' || plan === null) return plan;
  const current = currentNames(plan, { output_format: 'outputFormat' }, 'the plan of a pipeline') as HostPlan;
  if (!Array.isArray(current.transformations)) return current;
  const transformations = current.transformations.map((transformation: unknown) => {
    if (typeof transformation !== 'object' || transformation === null || !('limits' in transformation))
      return transformation;
    const limits = currentNames(transformation.limits, oldLimits, 'the limits of a transformation');
    return { ...transformation, limits };
  });
  return { ...current, transformations };
}

/** A transformation with operations and limits is a step of each kind. */
function stepsOf(transformation: z.infer<typeof hostPlanSchema>['transformations'][number]): PipelineStep[] {
  const { on = 'features', operations = [], limits = {}, reason } = transformation;
  const step = { transformation: transformation.transformation, reason };
  const parameters: PipelineStep['parameters'] = {};
  for (const name of plannedSettings) {
    const limit = limits[settingOf[name]];
    if (limit !== undefined) parameters[name] = limit;
  }
  const bounds = Object.keys(parameters).length > 0;
  const steps: PipelineStep[] = [];
  if (operations.length > 0 || !bounds) steps.push({ ...step, kind: 'data', on, operations, parameters: {} });
  if (bounds) steps.push({ ...step, kind: 'limit', operations: [], parameters });
  return steps;
}

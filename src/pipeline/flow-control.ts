/**
 * The pins and the switches of the plan act on the draft, last of all: one entry each (kind flow), with what it changes.
 *
 *     pinned                       threads and membranes that the caller pinned (pins.ts), above every limit
 *
 *     parallel_execution false     sequential_processing: threads 1, one input after the other
 *     batch_processing false       batchSize 1
 *     memory_optimization false    states in one piece: chunkSteps = the series' steps, where units · bytesPerUnit · steps ·
 *                                  threads <= 1/16 of the available memory (threads as the pipelines set them)
 *     enable_caching, concurrent_execution   `caching` and `overlap` of the execution plan
 *
 * They are read from the given data, so a switch changed there takes effect and its entry reports the change. Limits of
 * pipelines apply here too.
 */
import type { AppliedTransformation, Draft, Effect } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import { type ExecutionPlan, type ExecutionSetting, settingOf } from './execution.js';
import { MEMORY_SHARE } from './resource-scaling.js';
import type { FlagName } from './schema.js';
import { setWithin } from './step-application.js';

/** `steps` is the length of the series that the model will read, null where it is unknown. */
export function applyFlowControl(
  draft: Draft,
  data: MultiSourceData,
  steps: number | null = draft.target.steps ?? null,
): Draft {
  const { data_flow_config: flow, optimization_config: optimization } = data.processing_pipelines;
  const { memory_available_bytes } = data.aggregation.processing_constraints;
  const execution: ExecutionPlan = {
    ...draft.execution,
    parallel: flow.parallel_execution,
    caching: optimization.enable_caching,
    batch: optimization.batch_processing,
    overlap: optimization.concurrent_execution,
  };
  const pins = pinnedEntries(execution, data, draft.target);
  const set = (setting: ExecutionSetting, wanted: number): { effect: Effect; note: string } => {
    const before = execution[setting];
    const note = setWithin(execution, setting, wanted, draft.limits);
    return { effect: { quantity: setting, before, after: execution[setting] }, note };
  };
  const piece = optimization.memory_optimization
    ? null
    : onePiece({ ...draft, execution }, steps, memory_available_bytes);
  const raised = piece?.steps == null ? null : set('chunkSteps', Math.max(execution.chunkSteps, piece.steps));
  execution.chunked = piece?.steps == null || execution.chunkSteps < piece.steps;
  const single = flow.parallel_execution ? null : set('threads', 1);
  const alone = optimization.batch_processing ? null : set('batchSize', 1);
  const say = (name: FlagName, value: boolean, consequence: string, effect: Effect | null = null) =>
    entryOf(data, name, value, consequence, effect);
  const entries = [
    ...pins,
    flow.parallel_execution
      ? say('parallel_execution', true, `up to ${execution.threads} threads`)
      : say('parallel_execution', false, `${flow.fallback_strategy}, one input after the other`, single!.effect),
    say('enable_caching', execution.caching, execution.caching ? 'equal inputs are encoded once' : 'nothing is reused'),
    alone === null
      ? say('batch_processing', true, `batches of up to ${execution.batchSize}`)
      : say('batch_processing', false, 'one series at a time', alone.effect),
    piece === null
      ? say('memory_optimization', true, `states are kept ${execution.chunkSteps} steps at a time`)
      : say('memory_optimization', false, piece.consequence + (raised?.note ?? ''), raised?.effect ?? null),
    say(
      'concurrent_execution',
      execution.overlap,
      execution.overlap ? 'the next input is prepared while this one runs' : 'inputs do not overlap',
    ),
    ruleOf(data, 'error_handling', flow.error_handling),
    ruleOf(data, 'pipeline_order', flow.pipeline_order.join(', ') || 'none is there'),
  ];
  return { ...draft, execution, applied: [...draft.applied, ...entries] };
}

/** Sets what is pinned; one entry each. */
function pinnedEntries(
  execution: ExecutionPlan,
  { processing_pipelines: { pinned = {} } }: MultiSourceData,
  { cores, membranes }: Draft['target'],
): AppliedTransformation[] {
  const most = { threads: cores, active_membranes: membranes };
  return (['threads', 'active_membranes'] as const).flatMap((name) => {
    const wanted = pinned[name];
    if (wanted === undefined) return [];
    const value = Math.min(wanted, most[name]);
    const quantity = settingOf[name];
    const before = execution[quantity];
    execution[quantity] = value;
    return [flowEntry('pinned', true, `${name} is pinned to ${value}`, { quantity, before, after: value })];
  });
}

/** Whether the states of the whole series may be kept; `steps` null where they may not. */
function onePiece({ target, execution }: Draft, steps: number | null, available: number | null) {
  if (steps === null)
    return { steps: null, consequence: 'the length of the series is unknown, so states stay in chunks' };
  if (available === null) return { steps: null, consequence: 'available memory is unknown, so states stay in chunks' };
  const bytes = target.units * target.bytesPerUnit * steps * execution.threads;
  const share = Math.floor(available * MEMORY_SHARE);
  const figures = `the states of ${steps} steps take ${bytes} bytes, 1/16 of the available memory is ${share}`;
  return bytes <= share
    ? { steps, consequence: `${figures}: they are kept in one piece` }
    : { steps: null, consequence: `${figures}: they stay in chunks` };
}

function entryOf(
  data: MultiSourceData,
  flag: FlagName,
  value: boolean,
  consequence: string,
  effect: Effect | null,
): AppliedTransformation {
  return flowEntry(
    flag,
    value,
    `${whyOf(data.processing_pipelines.flag_reasons[flag], value)}; ${consequence}`,
    effect,
  );
}

/** The planned reason, or that the switch was changed since. */
function whyOf(planned: string | undefined, value: boolean): string {
  if (planned === undefined) return 'set in the given data';
  const prefix = `${value}: `;
  return planned.startsWith(prefix) ? planned.slice(prefix.length) : `changed in the given data (planned ${planned})`;
}

function ruleOf(data: MultiSourceData, name: string, value: string): AppliedTransformation {
  const rule = data.processing_pipelines.flag_reasons[name];
  return flowEntry(name, true, rule === undefined ? value : `${value}: ${rule}`, null);
}

function flowEntry(
  transformation: string,
  applied: boolean,
  reason: string,
  effect: Effect | null,
): AppliedTransformation {
  return { transformation, pipeline: null, kind: 'flow', applied, operations: [], reason, effect };
}

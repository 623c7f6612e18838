/** Assembles the result of a processed input. */

import type { Engine } from '../engine/index.js';
import { native } from '../native/index.js';
import type { DeepTreeModel, HostedMembrane } from '../network/index.js';
import type { PreparedInput } from './prepared-input.js';
import { type DtesnResult, type DtesnResultJson, readableByOldNames } from './result.js';
import type { BSeriesResult, ModelRun } from './stages.js';

export interface ProcessedParts {
  engine: Engine | null;
  input: PreparedInput;
  model: DeepTreeModel;
  run: ModelRun;
  flow: BSeriesResult;
  predictions: DtesnResultJson['predictions'];
  /** Inputs that ran in the same native call. */
  together: number;
}

export function assembleResult(parts: ProcessedParts): DtesnResult {
  const { engine, input, model, run, flow, predictions, together } = parts;
  const { clock, planned, transformed, use } = input;
  const { encoded, reused } = input.encoding;
  const { steps, execution, applied } = transformed;
  return readableByOldNames({
    ok: true,
    engine: { label: engine?.label ?? null, simulated: engine?.simulated ?? false },
    input: { kind: encoded.kind, encoder: encoded.encoder, steps: encoded.steps, note: encoded.note },
    context: planned.data,
    contextUse: use,
    reused: { tokens: reused, plan: planned.reused },
    batch: { size: together },
    execution,
    applied,
    model: {
      depth: model.depth,
      units: model.units,
      inputs: model.inputs,
      steps,
      isa: native.isa,
      weightBytes: model.bytes,
    },
    membranes: membranesOf(model, run),
    bseries: { order: flow.order, trees: flow.trees, taylor: flow.taylor, errorEstimate: flow.errorEstimate },
    features: {
      endState: computed(run.state.data, model, run),
      meanState: computed(run.meanState, model, run),
      differentials: flow.norms,
    },
    predictions,
    stages: clock.stages(),
    totalMs: clock.total(),
    stepsPerSecond: steps / (clock.of('model') / 1000),
  });
}

function membranesOf(model: DeepTreeModel, { activity, state }: ModelRun): DtesnResultJson['membranes'] {
  return model.membranes.map(({ index, level, sequence, weight, units }) => ({
    index,
    level,
    tree: membraneName({ index, level, sequence }),
    weight,
    units,
    active: state.gates![index] === 1,
    activity: activity[index]!,
  }));
}

/** An array of the last length that holds doubles. */
let doubles: number[] = [];

/** Values of the units; null for those of a membrane that was held. */
function computed(values: Float32Array | Float64Array, model: DeepTreeModel, { state }: ModelRun): (number | null)[] {
  // This runs on the JavaScript thread for every input: Array.from takes ten times as long, and an empty array is allocated
  // once more when its first double comes.
  if (doubles.length !== values.length) doubles = Array.from(values, () => 0.5);
  const all: (number | null)[] = doubles.slice();
  for (let i = 0; i < values.length; i++) all[i] = values[i]!;
  for (const { index, offset, units } of model.membranes) {
    if (!state.gates![index]) all.fill(null, offset, offset + units);
  }
  return all;
}

/** The rooted tree of the membrane, '1223'; its index in a model with `parents`. */
export function membraneName({ index, level, sequence }: Pick<HostedMembrane, 'index' | 'level' | 'sequence'>): string {
  return sequence === null ? String(index) : sequence.join(level > 9 ? '.' : '');
}

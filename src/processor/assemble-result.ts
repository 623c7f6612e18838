/** The parts of a processed input as the result its schema describes. */
import type { EncodedInput } from '../encoding/index.js';
import { native } from '../native/index.js';
import type { DeepTreeModel } from '../network/index.js';
import type { MultiSourceData } from '../pipeline/index.js';
import type { Engine } from '../sources/index.js';
import type { DtesnResult } from './result.js';
import type { StageClock } from './stage-clock.js';
import type { BSeriesResult, ModelRun, TransformedInput } from './stages.js';

export interface ProcessedParts {
  engine: Engine | null;
  encoded: EncodedInput;
  context: MultiSourceData;
  transformed: TransformedInput;
  model: DeepTreeModel;
  run: ModelRun;
  flow: BSeriesResult;
  clock: StageClock;
}

export function assembleResult(parts: ProcessedParts): DtesnResult {
  const { engine, encoded, context, transformed, model, run, flow, clock } = parts;
  const { steps, execution, applied } = transformed;
  return {
    ok: true,
    engine: { label: engine?.label ?? null, simulated: engine?.simulated ?? false },
    input: { kind: encoded.kind, encoder: encoded.encoder, steps: encoded.steps, note: encoded.note },
    context,
    execution,
    applied,
    model: {
      depth: model.depth,
      units: model.units,
      inputs: model.inputs,
      steps,
      isa: native.isa,
      weight_bytes: model.bytes,
    },
    membranes: membranesOf(model, run),
    bseries: { order: flow.order, trees: flow.trees, taylor: flow.taylor, error_estimate: flow.errorEstimate },
    features: {
      end_state: Array.from(model.state),
      mean_state: Array.from(run.meanState),
      differentials: flow.norms,
    },
    stages: clock.stages(),
    total_ms: clock.total(),
    steps_per_second: steps / (clock.of('model') / 1000),
  };
}

function membranesOf(model: DeepTreeModel, { activity }: ModelRun): DtesnResult['membranes'] {
  return model.membranes.map(({ index, level, sequence, weight, units }) => ({
    index,
    level,
    tree: (sequence ?? []).join(level > 9 ? '.' : ''),
    weight,
    units,
    active: model.gates[index] === 1,
    activity: activity[index]!,
  }));
}

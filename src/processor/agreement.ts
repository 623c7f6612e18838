/**
 * Similarity of the features of one input with and without standardisation: the cosine of the two mean states, 0 where
 * it is negative.
 *
 *     agreement = max(0, <m, m'> / (‖m‖ ‖m'‖))
 *
 * The input is transformed and run once more, with standardisation where it had none and without where it had. Null
 * when the other variant cannot be applied, or when a mean state is 0.
 */
import { type EncodedInput, writeSeries } from '../encoding/index.js';
import { sharedFloats } from '../native/index.js';
import type { DeepTreeModel } from '../network/index.js';
import {
  applyMultiSourceTransformations,
  draftTransformations,
  type MultiSourceData,
  type PlanTarget,
  standardisation,
} from '../pipeline/index.js';
import { programShape } from '../transform/index.js';
import { type ModelRun, momentsOf, runModel } from './stages.js';

const CHUNK_STEPS = 64;

export async function agreementOf(
  model: DeepTreeModel,
  encoded: EncodedInput,
  data: MultiSourceData,
  target: PlanTarget,
  run: ModelRun,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  const plan = data.processing_pipelines;
  const { enabled } = plan.high_quality_optimizations;
  const other: MultiSourceData = {
    ...data,
    processing_pipelines: { ...plan, high_quality_optimizations: standardisation(!enabled, 'for comparison') },
  };
  const { steps, features } = encoded;
  const { program } = draftTransformations(other, { ...target, steps });
  const shape = programShape(program, steps, features);
  const series = sharedFloats('f32', Math.max(shape.capacity, steps * features)) as Float32Array;
  writeSeries(encoded, series);
  const transformed = applyMultiSourceTransformations({ data: series, steps, features }, other, target);
  const states = sharedFloats('f32', Math.min(CHUNK_STEPS, transformed.steps) * model.units) as Float32Array;
  const rest = { ...transformed, series: series.subarray(0, transformed.steps * transformed.features) };
  const state = model.createState();
  state.gates!.set(run.state.gates!);
  try {
    const compared = await runModel(state, states, rest, {
      chunkSteps: CHUNK_STEPS,
      moments: momentsOf(model.units),
      signal,
    });
    return cosine(run.meanState, compared.meanState);
  } finally {
    state.close();
  }
}

function cosine(a: Float64Array, b: Float64Array): number | null {
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squareA += a[i]! ** 2;
    squareB += b[i]! ** 2;
  }
  const norms = Math.sqrt(squareA * squareB);
  return norms === 0 ? null : Math.min(1, Math.max(0, product / norms));
}

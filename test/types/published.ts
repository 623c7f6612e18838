/**
 * The declarations of dist say of published data what the sources infer from their schemas: scripts/build/declarations.mjs writes
 * these types out. The compiler checks it; test/package/types.test.ts runs it.
 */
import type * as builtBridge from '../../dist/bridge.js';
import type * as built from '../../dist/index.js';
import type * as bridge from '../../src/bridge/index.js';
import type * as source from '../../src/index.js';

/** true where each is assignable to the other and both have the same keys; an error of the compiler elsewhere. */
type Same<A, B> = [A, B, Keys<A>, Keys<B>] extends [B, A, Keys<B>, Keys<A>] ? true : never;
type Keys<T> = Extract<keyof T, string>;

export const checks: [
  Same<built.AdditionalSource, source.AdditionalSource>,
  Same<built.Aggregation, source.Aggregation>,
  Same<built.AppliedTransformation, source.AppliedTransformation>,
  Same<built.ContextOrigin, source.ContextOrigin>,
  Same<built.DtesnResultJson, source.DtesnResultJson>,
  Same<built.ExecutionPlan, source.ExecutionPlan>,
  Same<built.MultiSourceData, source.MultiSourceData>,
  Same<built.Pipeline, source.Pipeline>,
  Same<built.PipelineStep, source.PipelineStep>,
  Same<built.ProcessingPipelines, source.ProcessingPipelines>,
  Same<built.QualityJudgement, source.QualityJudgement>,
  Same<built.SourceGrade, source.SourceGrade>,
  Same<built.Sources, source.Sources>,
  Same<built.TransformOp, source.TransformOp>,
  Same<builtBridge.BridgeConfig, bridge.BridgeConfig>,
  Same<builtBridge.BridgeConfigInput, bridge.BridgeConfigInput>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true];

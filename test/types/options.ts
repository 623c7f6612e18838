/**
 * The options that an editor shows are those that the schemas check: interface and schema have the same keys, and each takes
 * what the other takes. The compiler checks it; test/package/types.test.ts runs it.
 */
import type { z } from 'zod';
import type {
  QualityGateOptions,
  qualityGateOptionsSchema as qualityGate,
} from '../../src/aggregation/quality-gate.js';
import type {
  BridgeClientOptions,
  bridgeClientOptionsSchema as bridgeClient,
  CallOptions,
  callOptionsSchema as call,
  EventsOptions,
  eventsOptionsSchema as events,
  ProcessCallOptions,
  processOptionsSchema as processCall,
  SessionOptions,
  StepsOptions,
  StreamCallOptions,
  sessionOptionsSchema as session,
  stepsOptionsSchema as steps,
  streamOptionsSchema as streamCall,
} from '../../src/bridge/client/options.js';
import type { BridgeConfigInput, configSchema as bridgeConfig } from '../../src/bridge/configuration/index.js';
import type { DifferentialsOptions, optionsSchema as differentials } from '../../src/bseries/differentials.js';
import type { EncodeOptions, encodeOptionsSchema as encode } from '../../src/encoding/encode.js';
import type { LocalTokenizerOptions, optionsSchema as localTokenizer } from '../../src/encoding/local-tokenizer.js';
import type { HttpEngineOptions, optionsSchema as httpEngine } from '../../src/engine/http/http-engine.js';
import type { MetricsMirrorOptions, optionsSchema as mirror } from '../../src/engine/http/metrics-mirror.js';
import type { Scrape, scrapeSchema as scrape } from '../../src/engine/telemetry/derive-rates.js';
import type { classifierSchema as classifier, EsnClassifierOptions } from '../../src/esn/classifier.js';
import type { EsnOptions, esnSchema as esn } from '../../src/esn/options.js';
import type { EngineMonitorOptions, optionsSchema as monitor } from '../../src/monitor/engine-monitor.js';
import type { DeepTreeOptions, optionsSchema as deepTree } from '../../src/network/deep-tree.js';
import type {
  DrawnEs2nOptions,
  drawnSchema as drawnEs2n,
  GivenEs2nOptions,
  givenSchema as givenEs2n,
} from '../../src/network/es2n.js';
import type {
  DrawnEuSnOptions,
  drawnSchema as drawnEuSn,
  GivenEuSnOptions,
  givenSchema as givenEuSn,
} from '../../src/network/eusn.js';
import type { FeaturedOptions, optionsSchema as featured } from '../../src/network/featured.js';
import type { NvarOptions, optionsSchema as nvar } from '../../src/network/nvar.js';
import type {
  DrawnReservoirOptions,
  drawnSchema as drawnReservoir,
  GivenReservoirOptions,
  givenSchema as givenReservoir,
} from '../../src/network/reservoir.js';
import type { FleetOptions, optionsSchema as fleet } from '../../src/outlook/fleet/fleet-options.js';
import type {
  LeastMeanSquaresOptions,
  optionsSchema as leastMeanSquares,
} from '../../src/readout/least-mean-squares.js';
import type { LinearReadoutOptions, optionsSchema as linearReadout } from '../../src/readout/linear-readout.js';
import type {
  RecursiveLeastSquaresOptions,
  optionsSchema as recursive,
} from '../../src/readout/recursive-least-squares.js';
import type { RidgeOptions, optionsSchema as ridge } from '../../src/readout/ridge.js';
import type { SoftmaxOptions, softmaxSchema as softmax } from '../../src/readout/softmax.js';
import type { TrainOptions, trainSchema as train } from '../../src/readout/trainer.js';
import type { EmbeddedEngineOptions, optionsSchema as embedded } from '../../src/simulator/embedded-engine.js';
import type {
  EngineSimulatorOptions,
  modelSchema as model,
  SimulatedModelOptions,
  optionsSchema as simulator,
} from '../../src/simulator/engine-simulator.js';
import type { FaultOptions, faultSchema as fault } from '../../src/simulator/faults.js';
import type {
  optionsSchema as fetcher,
  SourceFetcherOptions,
  SubscribeOptions,
  subscriptionSchema as subscription,
} from '../../src/sources/fetcher-options.js';
import type { StreamPoolOptions, optionsSchema as streamPool } from '../../src/streams/stream-pool.js';
import type { StreamRunOptions, runOptionsSchema as streamRun } from '../../src/streams/stream-run.js';

/** Whether interface and input of the schema have the same keys, and each takes what the other takes. */
type Same<Interface, Schema extends z.ZodType> = [keyof Interface, keyof z.input<Schema>] extends [
  keyof z.input<Schema>,
  keyof Interface,
]
  ? [Interface, z.input<Schema>] extends [z.input<Schema>, Interface]
    ? true
    : 'values differ'
  : 'keys differ';

/** The same for options with parts that are checked one by one elsewhere: the schema takes any list or record there. */
type SameKeys<Interface, Schema extends z.ZodType> = [keyof Interface, keyof z.input<Schema>] extends [
  keyof z.input<Schema>,
  keyof Interface,
]
  ? [Interface] extends [AnyParts<z.input<Schema>>]
    ? true
    : 'values differ'
  : 'keys differ';
type AnyParts<T> = { [Key in keyof T]: T[Key] | AnyPart<NonNullable<T[Key]>> };
type AnyPart<Part> = unknown[] extends Part
  ? readonly unknown[]
  : Record<string, unknown> extends Part
    ? object
    : never;

/** The same for the fields within a section of the bridge's configuration, where an optional field less would still be assignable. */
type SameSections<Name extends 'network' | 'processing' | 'sessions'> = {
  [Section in Name]: [
    keyof NonNullable<BridgeConfigInput[Section]>,
    keyof NonNullable<z.input<typeof bridgeConfig>[Section]>,
  ] extends [keyof NonNullable<z.input<typeof bridgeConfig>[Section]>, keyof NonNullable<BridgeConfigInput[Section]>]
    ? true
    : Section;
}[Name];

export const checked: true[] = [
  true satisfies Same<DrawnReservoirOptions, typeof drawnReservoir>,
  true satisfies Same<GivenReservoirOptions, typeof givenReservoir>,
  true satisfies Same<DeepTreeOptions, typeof deepTree>,
  true satisfies Same<DrawnEs2nOptions, typeof drawnEs2n>,
  true satisfies Same<GivenEs2nOptions, typeof givenEs2n>,
  true satisfies Same<DrawnEuSnOptions, typeof drawnEuSn>,
  true satisfies Same<GivenEuSnOptions, typeof givenEuSn>,
  true satisfies Same<NvarOptions, typeof nvar>,
  true satisfies Same<RidgeOptions, typeof ridge>,
  true satisfies Same<SoftmaxOptions, typeof softmax>,
  true satisfies Same<RecursiveLeastSquaresOptions, typeof recursive>,
  true satisfies Same<LeastMeanSquaresOptions, typeof leastMeanSquares>,
  true satisfies Same<FeaturedOptions, typeof featured>,
  true satisfies Same<EsnOptions, typeof esn>,
  true satisfies Same<EsnClassifierOptions, typeof classifier>,
  true satisfies Same<TrainOptions, typeof train>,
  true satisfies Same<LinearReadoutOptions, typeof linearReadout>,
  true satisfies Same<StreamPoolOptions, typeof streamPool>,
  true satisfies Same<StreamRunOptions, typeof streamRun>,
  true satisfies Same<DifferentialsOptions, typeof differentials>,
  true satisfies Same<HttpEngineOptions, typeof httpEngine>,
  true satisfies Same<MetricsMirrorOptions, typeof mirror>,
  true satisfies Same<SubscribeOptions, typeof subscription>,
  true satisfies Same<Extract<Scrape, { timeSeconds: number }>, typeof scrape>,
  true satisfies Same<EngineMonitorOptions, typeof monitor>,
  true satisfies Same<SimulatedModelOptions, typeof model>,
  true satisfies Same<EmbeddedEngineOptions, typeof embedded>,
  true satisfies Same<Omit<FaultOptions, 'at' | 'duration'>, typeof fault>,
  true satisfies Same<LocalTokenizerOptions, typeof localTokenizer>,
  true satisfies Same<EncodeOptions, typeof encode>,
  true satisfies Same<QualityGateOptions, typeof qualityGate>,
  true satisfies SameKeys<Omit<EngineSimulatorOptions, 'catchUp' | 'warmUp' | 'startTime'>, typeof simulator>,
  true satisfies SameKeys<Omit<SourceFetcherOptions, 'timeouts'>, typeof fetcher>,
  true satisfies SameKeys<FleetOptions, typeof fleet>,
  true satisfies Same<BridgeConfigInput, typeof bridgeConfig>,
  true satisfies SameSections<'network' | 'processing' | 'sessions'>,
  true satisfies Same<BridgeClientOptions, typeof bridgeClient>,
  true satisfies Same<CallOptions, typeof call>,
  true satisfies Same<ProcessCallOptions, typeof processCall>,
  true satisfies Same<StreamCallOptions, typeof streamCall>,
  true satisfies Same<EventsOptions, typeof events>,
  true satisfies Same<SessionOptions, typeof session>,
  true satisfies Same<StepsOptions, typeof steps>,
];

/**
 * Options of a plan, checked once: the result is cached by object, so later changes of the object have no effect.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the option.
 */
import { z } from 'zod';
import {
  type ExpectedLoad,
  isQualityGate,
  isSourceHistory,
  type QualityGate,
  type SourceHistory,
} from '../aggregation/index.js';
import { argumentError, checkOptions, rangeError } from '../errors/index.js';
import type { AdditionalSource } from '../sources/index.js';
import type { HostPipeline } from './host-pipeline.js';
import { MODEL_AWARE } from './model-aware.js';
import { PERFORMANCE_OPTIMIZED } from './performance.js';
import { type PlanPins, pinsSchema } from './pins.js';
import { RESOURCE_AWARE } from './resource-scaling.js';
import { errorHandlings, type FlagName, flagNames } from './schema.js';

/** Options of a plan. They are checked once and cached by object, so later changes of the object have no effect. */
export interface PlanOptions {
  /** Pipelines of the host, each based on one source, beside the three; none by default. */
  pipelines?: readonly HostPipeline[] | undefined;
  /** Records of additional sources by name; none by default. */
  additional?: Readonly<Record<string, AdditionalSource>> | undefined;
  /** Whole numbers by pipeline name; 1, 2 and 3 of the three by default. Pipelines act from the least to the greatest. */
  priorities?: Readonly<Record<string, number>> | undefined;
  /** Switches that are pinned, by the names that the published format gives them; by default the figures decide. */
  flags?: { readonly [Name in FlagName]?: boolean | undefined } | undefined;
  /** What happens where a transformation fails: 'continue_with_available_data' (default) leaves it out, 'fail' throws. */
  errorHandling?: (typeof errorHandlings)[number] | undefined;
  /** Threads, membranes and standardisation that are pinned (pins.ts); none by default. */
  pins?: PlanPins | undefined;
  /** The gate that judges quality; by default the fixed threshold 0.7. */
  gate?: QualityGate | undefined;
  /**
   * Load that a forecast expects of the engine (aggregation/expected-load.ts): what will be high counts as high load. A function is
   * called for each plan. None by default.
   */
  expectedLoad?: ExpectedLoad | (() => ExpectedLoad | null) | undefined;
}

/** Options of fetchMultiSourceData: those of the plan, and the history for judging load. */
export interface MultiSourceDataOptions extends Omit<PlanOptions, 'additional'> {
  /** Earlier fetches of the same engine, by which load is judged; by default fixed thresholds. */
  history?: SourceHistory | undefined;
}

/** A pipeline that may be planned; `host` where the host added it. */
export interface PipelineSlot {
  name: string;
  source: string;
  priority: number;
  host: HostPipeline | null;
}

export interface PlanSettings {
  /** By priority. */
  slots: readonly PipelineSlot[];
  flags: NonNullable<PlanOptions['flags']>;
  errorHandling: (typeof errorHandlings)[number];
  pins: PlanPins;
  gate: QualityGate | null;
  /** What is expected now; null where nothing is. */
  expectedLoad: () => ExpectedLoad | null;
}

const builtIn: readonly PipelineSlot[] = [
  { name: MODEL_AWARE, source: 'model_config', priority: 1, host: null },
  { name: PERFORMANCE_OPTIMIZED, source: 'performance', priority: 2, host: null },
  { name: RESOURCE_AWARE, source: 'resources', priority: 3, host: null },
];

const switched = z.boolean().optional();
const described = <T>(test: (value: unknown) => boolean, expected: string) =>
  z.custom<T>(test).optional().describe(expected);

const optionsSchema = z.object({
  pipelines: described<readonly HostPipeline[]>(Array.isArray, 'an array of pipelines'),
  additional: described<object>((value) => typeof value === 'object' && value !== null, 'sources by their names'),
  priorities: z.record(z.string(), z.int()).optional().describe('whole numbers by the names of pipelines'),
  flags: z
    .strictObject(Object.fromEntries(flagNames.map((name) => [name, switched])) as Record<FlagName, typeof switched>)
    .optional()
    .describe(`true or false for any of ${flagNames.join(', ')}`),
  errorHandling: z
    .enum(errorHandlings)
    .optional()
    .describe(errorHandlings.map((name) => `'${name}'`).join(' or ')),
  pins: z.unknown().optional().describe('an object { threads?, membranes?, standardise? }'),
  gate: described<QualityGate>(isQualityGate, 'a QualityGate'),
  history: described<SourceHistory>(isSourceHistory, 'a SourceHistory'),
  expectedLoad: described<ExpectedLoad | (() => ExpectedLoad | null)>(
    (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    'an object { seconds, waiting?, kvUsage? } or a function that returns one',
  ),
});

const pipelineSchema = z.object({
  name: z.string().min(1).describe('a name'),
  source: z.string().min(1).describe('the name of a source'),
  priority: z.int().describe('a whole number'),
  plan: z.custom<HostPipeline['plan']>((value) => typeof value === 'function').describe('a function'),
});

const remembered = new WeakMap<object, PlanSettings>();
const defaults: PlanSettings = {
  slots: builtIn,
  flags: {},
  errorHandling: errorHandlings[0],
  pins: {},
  gate: null,
  expectedLoad: () => null,
};

/** The options, checked and sorted by priority; the same object is checked once. */
export function checkPlanOptions(options: PlanOptions & MultiSourceDataOptions = {}): PlanSettings {
  const known = remembered.get(options);
  if (known !== undefined) return known;
  const settings = isEmpty(options) ? defaults : settingsOf(options);
  remembered.set(options, settings);
  return settings;
}

function isEmpty(options: object): boolean {
  return typeof options === 'object' && options !== null && Object.keys(options).length === 0;
}

function settingsOf(options: PlanOptions & MultiSourceDataOptions): PlanSettings {
  const {
    pipelines = [],
    priorities = {},
    flags = {},
    errorHandling,
    pins = {},
    gate,
    expectedLoad = null,
  } = checkOptions(optionsSchema, options, 'the plan');
  const declared = [...builtIn, ...pipelines.map(checkPipeline)];
  const names = declared.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw rangeError('a name that no other pipeline has', 'pipelines[].name', twice);
  for (const name of Object.keys(priorities)) {
    if (!names.includes(name)) throw rangeError(`names of pipelines (${names.join(', ')})`, 'priorities', name);
  }
  const slots = declared.map((slot) => ({ ...slot, priority: priorities[slot.name] ?? slot.priority }));
  return {
    slots: slots.sort((a, b) => a.priority - b.priority), // stable: ties stay as declared
    flags,
    errorHandling: errorHandling ?? defaults.errorHandling,
    pins: checkOptions(pinsSchema, pins as PlanPins, 'pins'),
    gate: gate ?? null,
    expectedLoad: typeof expectedLoad === 'function' ? expectedLoad : () => expectedLoad,
  };
}

function checkPipeline(given: HostPipeline, index: number): PipelineSlot {
  if (typeof given !== 'object' || given === null) throw argumentError('a pipeline', `pipelines[${index}]`, given);
  // plan() may be a method of a class of the host, so only declared fields are read.
  const { name, source, priority, plan } = given;
  const checked = checkOptions(pipelineSchema, { name, source, priority, plan }, `pipelines[${index}]`);
  return { name: checked.name, source: checked.source, priority: checked.priority, host: given };
}

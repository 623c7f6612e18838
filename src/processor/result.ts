/**
 * The result of one input, as JSON: the input, the context of its decision, the settings of the plan, the time of each
 * stage, and the features. Values that were not computed are null: a membrane that the plan switched off is held, and
 * has no figures.
 *
 * Keys are camelCase but in `context`, which is the published format. The names of 0.1 are readable, not in JSON.
 * Units: *Ms milliseconds, activity is the mean |x| of a membrane's units over the steps it ran. Features:
 *
 *     endState       x after the last step (units); null for the units of a held membrane
 *     meanState      mean of x over the steps (units); null likewise
 *     differentials  ‖F(τ)‖₂ / sqrt(n) of each rooted tree to the order, in order of the trees; n units that are computed
 */
import { z } from 'zod';
import { withOldNames } from '../errors/index.js';
import { appliedTransformationSchema, executionPlanSchema, multiSourceDataSchema } from '../pipeline/index.js';

const ms = z.number().nonnegative();
const count = z.int().nonnegative();

export const stageNames = ['context', 'encode', 'transform', 'model', 'bseries'] as const;

export const membraneResultSchema = z.object({
  index: count,
  level: z.int().positive(),
  /** Canonical level sequence of the membrane's rooted tree, '1223'. */
  tree: z.string(),
  weight: z.number().positive(),
  units: z.int().positive(),
  active: z.boolean(),
  /** Null for a membrane that was held. */
  activity: z.number().nonnegative().nullable(),
});

/**
 * zod schema of the JSON of one result, as `npx dtesn process --json` prints it. Keys are camelCase but in `context`,
 * the published format.
 */
export const dtesnResultSchema = z.object({
  ok: z.literal(true),
  engine: z.object({ label: z.string().nullable(), simulated: z.boolean() }),
  input: z.object({
    kind: z.enum(['tokens', 'numbers']),
    encoder: z.string(),
    steps: count,
    note: z.string().nullable(),
  }),
  context: multiSourceDataSchema,
  /** Origin of the context, and its age when this input began. */
  contextUse: z.object({
    origin: z.enum(['fetched', 'given']),
    ageMs: ms,
    state: z.enum(['fresh', 'old', 'foreign']),
    /** Why it is old or foreign. */
    note: z.string().nullable(),
  }),
  /** What was reused from an earlier input. */
  reused: z.object({ tokens: z.boolean(), plan: z.boolean() }),
  /** Inputs that ran together in one native call; the ms of stage model are that call's. */
  batch: z.object({ size: z.int().positive() }),
  execution: executionPlanSchema,
  applied: z.array(appliedTransformationSchema),
  model: z.object({
    depth: z.int().positive(),
    units: z.int().positive(),
    inputs: z.int().positive(),
    steps: count,
    isa: z.string(),
    weightBytes: count,
  }),
  membranes: z.array(membraneResultSchema),
  bseries: z.object({
    order: z.int().positive(),
    /** Trees to the order. */
    trees: z.int().positive(),
    /** RMS over the computed units of the Taylor coefficient Σ F(τ)/(σγ) of each order. */
    taylor: z.array(z.number().nonnegative()),
    /** RMS over the computed units of leak^order times the last Taylor coefficient: the size of the step's first neglected term. */
    errorEstimate: z.number().nonnegative(),
  }),
  features: z.object({
    endState: z.array(z.number().nullable()),
    meanState: z.array(z.number().nullable()),
    differentials: z.array(z.number().nonnegative()),
  }),
  /** What the Esn of the processor answers after the last step; null without one. */
  predictions: z
    .object({
      /** Levels that ran whole, whose readout answers. */
      levels: z.int().positive(),
      /** Levels there are. */
      of: z.int().positive(),
      outputs: z.array(z.number()),
      /** The error of this readout over the folds of the fit, in units of the standard deviation of the targets; null where it is not known. */
      nrmse: z.number().nonnegative().nullable(),
    })
    .nullable(),
  stages: z.array(z.object({ name: z.enum(stageNames), ms })),
  totalMs: ms,
  stepsPerSecond: z.number().nonnegative(),
});

/** A result as JSON has it and its schema gives it. */
export type DtesnResultJson = z.infer<typeof dtesnResultSchema>;

/** The names of dtesn 0.1, readable for one more minor version; JSON does not have them. */
export interface DeprecatedFeatures {
  /** @deprecated Use `endState`. */
  readonly end_state: number[];
  /** @deprecated Use `meanState`. */
  readonly mean_state: number[];
}
/** Names of 0.1 that are still readable in `model`; not in JSON. */
export interface DeprecatedModelFigures {
  /** @deprecated Use `weightBytes`. */
  readonly weight_bytes: number;
}
/** Names of 0.1 that are still readable in `features.expansion`; not in JSON. */
export interface DeprecatedExpansion {
  /** @deprecated Use `errorEstimate`. */
  readonly error_estimate: number;
}
/** Names of 0.1 that are still readable in a result; not in JSON. */
export interface DeprecatedFigures {
  /** @deprecated Use `totalMs`. */
  readonly total_ms: number;
  /** @deprecated Use `stepsPerSecond`. */
  readonly steps_per_second: number;
}

/** A result as process() gives it. */
export interface DtesnResult extends DtesnResultJson, DeprecatedFigures {
  features: DtesnResultJson['features'] & DeprecatedFeatures;
  model: DtesnResultJson['model'] & DeprecatedModelFigures;
  bseries: DtesnResultJson['bseries'] & DeprecatedExpansion;
}

const figures = withOldNames<DeprecatedFigures>(
  { total_ms: 'totalMs', steps_per_second: 'stepsPerSecond' },
  'a result',
);
const features = withOldNames<DeprecatedFeatures>({ end_state: 'endState', mean_state: 'meanState' }, 'features');
const modelFigures = withOldNames<DeprecatedModelFigures>({ weight_bytes: 'weightBytes' }, 'model');
const expansion = withOldNames<DeprecatedExpansion>({ error_estimate: 'errorEstimate' }, 'bseries');

/** The result itself, with the old names readable. */
export function readableByOldNames(result: DtesnResultJson): DtesnResult {
  features(result.features);
  modelFigures(result.model);
  expansion(result.bseries);
  return figures(result) as DtesnResult;
}

/** The entry of a failed input in the results of a batch. */
export interface DtesnFailure {
  ok: false;
  error: { name: string; code: string | null; message: string };
}

export function failureOf(error: unknown): DtesnFailure {
  const { name, message, code } = (error ?? {}) as { name?: unknown; message?: unknown; code?: unknown };
  return {
    ok: false,
    error: {
      name: typeof name === 'string' ? name : 'Error',
      code: typeof code === 'string' ? code : null,
      message: typeof message === 'string' ? message : String(error),
    },
  };
}

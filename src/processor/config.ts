/**
 * Configuration of the processor: given values first, then environment variables DTESN_<NAME>, then defaults.
 *
 *     depth             4       levels of the membrane tree, 1 to 12                       DTESN_DEPTH
 *     units             1024    of the whole tree, 1 to 2^24                               DTESN_UNITS
 *     inputs            16      features of a step, 1 to 65,536                            DTESN_INPUTS
 *     bseriesOrder      5       of the elementary differentials, 1 to 10                   DTESN_BSERIES_ORDER
 *     caching           true    whether answers, ids and plans are reused        DTESN_CACHING
 *     sourceDeadlineMs  250     for all sources together, ms, 1 to 600,000                 DTESN_SOURCE_DEADLINE_MS
 *     seed              0       of weights and embedding, 0 to 2^53 - 1                    DTESN_SEED
 *
 * The names of dtesn 0.1, which were those of the Python implementation (esn_reservoir_size, DTESN_ESN_RESERVOIR_SIZE), are
 * deprecated: accepted here and readable in the configuration, each with a warning (errors/deprecation.ts).
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the option or the variable.
 */
import { z } from 'zod';
import { checkOptions, currentNames, withOldNames } from '../errors/index.js';
import { MAX_DEPTH } from '../trees/index.js';

/** The configuration under its current names. */
export interface DtesnConfigOptions {
  /** Levels of the membrane tree, 1 to 12; 4 by default. Variable DTESN_DEPTH. */
  depth?: number | undefined;
  /** Units of the whole tree, 1 to 16,777,216; 1024 by default. Variable DTESN_UNITS. */
  units?: number | undefined;
  /** Features of a step of the series the model reads, 1 to 65,536; 16 by default. Tokens are embedded into as many. Variable DTESN_INPUTS. */
  inputs?: number | undefined;
  /** Order of the elementary differentials at the end state, 1 to 10 (10 has 1,205 trees); 5 by default. Variable DTESN_BSERIES_ORDER. */
  bseriesOrder?: number | undefined;
  /** Whether sources are answered from their caches while these are fresh, and token ids and plans are kept; true by default. Variable DTESN_CACHING. */
  caching?: boolean | undefined;
  /** Deadline for all sources together in milliseconds, 1 to 600,000; 250 by default. Variable DTESN_SOURCE_DEADLINE_MS. */
  sourceDeadlineMs?: number | undefined;
  /** Seed of the weights and of the token embedding, a whole number below 2^53; 0 by default. Variable DTESN_SEED. */
  seed?: number | undefined;
}

/** The names of dtesn 0.1, accepted for one more minor version. */
export interface DeprecatedConfigOptions {
  /**
   * Name of 0.1; default: that of `depth`.
   * @deprecated Use `depth`.
   */
  max_membrane_depth?: number | undefined;
  /**
   * Name of 0.1; default: that of `units`.
   * @deprecated Use `units`.
   */
  esn_reservoir_size?: number | undefined;
  /**
   * Name of 0.1; default: that of `inputs`.
   * @deprecated Use `inputs`.
   */
  input_dimension?: number | undefined;
  /**
   * Name of 0.1; default: that of `bseriesOrder`.
   * @deprecated Use `bseriesOrder`.
   */
  bseries_max_order?: number | undefined;
  /**
   * Name of 0.1; default: that of `caching`.
   * @deprecated Use `caching`.
   */
  enable_caching?: boolean | undefined;
  /**
   * Name of 0.1; default: that of `sourceDeadlineMs`.
   * @deprecated Use `sourceDeadlineMs`.
   */
  source_deadline_ms?: number | undefined;
}

/** What DtesnProcessor.create takes as `config`: DtesnConfigOptions, and the names of 0.1. */
export interface DtesnConfigInput extends DtesnConfigOptions, DeprecatedConfigOptions {}

/** Options with their defaults filled in. */
export type Known<T> = { readonly [Key in keyof T]-?: NonNullable<T[Key]> };

/** Configuration of a processor. The old names are getters that JSON omits. */
export interface DtesnConfig extends Known<DtesnConfigOptions>, Known<DeprecatedConfigOptions> {}

const wholeFrom = (low: number, high: number, standard: number) =>
  z.int().min(low).max(high).default(standard).describe(`a whole number from ${low} to ${high}`);

export const configOptionsSchema = z.strictObject({
  depth: wholeFrom(1, MAX_DEPTH, 4),
  units: wholeFrom(1, 16_777_216, 1024),
  inputs: wholeFrom(1, 65_536, 16),
  bseriesOrder: wholeFrom(1, 10, 5),
  caching: z.boolean().default(true).describe('true or false'),
  sourceDeadlineMs: wholeFrom(1, 600_000, 250),
  seed: wholeFrom(0, Number.MAX_SAFE_INTEGER, 0),
});

const oldNames = {
  max_membrane_depth: 'depth',
  esn_reservoir_size: 'units',
  input_dimension: 'inputs',
  bseries_max_order: 'bseriesOrder',
  enable_caching: 'caching',
  source_deadline_ms: 'sourceDeadlineMs',
} as const satisfies Record<keyof DeprecatedConfigOptions, keyof DtesnConfigOptions>;

const readable = withOldNames<Known<DeprecatedConfigOptions>>(oldNames, 'the configuration');

/** The configuration as a schema; it takes the old names too and gives the current ones. */
export const configSchema = z.preprocess((given, context) => {
  try {
    return currentNames(given, oldNames, 'DtesnConfig');
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
}, configOptionsSchema);

/** Names of the environment's variables by those of the options. */
const variables = new Map(Object.keys(configOptionsSchema.shape).map((name) => [variableOf(name), name]));
const oldVariables = Object.fromEntries(
  Object.entries(oldNames).flatMap(([old, name]) =>
    variableOf(old) === variableOf(name) ? [] : [[variableOf(old), variableOf(name)]],
  ),
);

export function createConfig(given: DtesnConfigInput = {}, environment: NodeJS.ProcessEnv = process.env): DtesnConfig {
  const fromEnvironment = readEnvironment(environment);
  checkOptions(configOptionsSchema, fromEnvironment, 'the environment (DTESN_*)');
  const options = currentNames(given, oldNames, 'DtesnConfig');
  const config = checkOptions(configOptionsSchema, merged(fromEnvironment, options), 'DtesnConfig');
  return readable(config);
}

/** A value that is not an object is left for the schema to reject. */
function merged(fromEnvironment: object, options: unknown): unknown {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  if (!isObject) return options;
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...fromEnvironment, ...Object.fromEntries(given) };
}

/** The options that the environment gives, unchecked. */
export function readEnvironment(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const names = [...variables.keys(), ...Object.keys(oldVariables)];
  const set = names.flatMap((name) => {
    const text = environment[name];
    return text === undefined || text === '' ? [] : [[name, parsed(text)] as const];
  });
  const current = currentNames(Object.fromEntries(set), oldVariables, 'the environment');
  return Object.fromEntries(Object.entries(current).map(([variable, value]) => [variables.get(variable)!, value]));
}

/** DTESN_SOURCE_DEADLINE_MS of sourceDeadlineMs. */
export function variableOf(name: string): string {
  return `DTESN_${name.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`;
}

/** Parses numbers and booleans; anything else stays text, which the schema rejects by name. */
function parsed(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? text : number;
}

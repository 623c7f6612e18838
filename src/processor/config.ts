/**
 * Configuration of the processor: given values first, then environment variables DTESN_<NAME IN CAPITALS>, then defaults.
 *
 * The names are those of the Python implementation; its bseries_max_order went to 16 and computed nothing of it, here
 * every order up to 10 is computed (order 10 has 1,205 trees).
 */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import { MAX_DEPTH } from '../trees/index.js';

const wholeFrom = (low: number, high: number, standard: number) =>
  z.int().min(low).max(high).default(standard).describe(`a whole number from ${low} to ${high}`);

export const configSchema = z.object({
  /** Levels of the membrane tree. */
  max_membrane_depth: wholeFrom(1, MAX_DEPTH, 4),
  /** Units of the whole tree. */
  esn_reservoir_size: wholeFrom(1, 16_777_216, 1024),
  /** Order of the elementary differentials at the end state. */
  bseries_max_order: wholeFrom(1, 10, 5),
  /** Features of a step of the series the model reads; tokens are embedded into as many. */
  input_dimension: wholeFrom(1, 65_536, 16),
  /** Whether sources are answered from their caches while these are fresh. */
  enable_caching: z.boolean().default(true).describe('true or false'),
  /** For all sources together, ms. */
  source_deadline_ms: wholeFrom(1, 600_000, 250),
  seed: wholeFrom(0, Number.MAX_SAFE_INTEGER, 0),
});

export type DtesnConfig = z.output<typeof configSchema>;
export type DtesnConfigInput = z.input<typeof configSchema>;

export function createConfig(given: DtesnConfigInput = {}, environment: NodeJS.ProcessEnv = process.env): DtesnConfig {
  const fromEnvironment: Record<string, unknown> = {};
  for (const key of Object.keys(configSchema.shape)) {
    const text = environment[`DTESN_${key.toUpperCase()}`];
    if (text !== undefined && text !== '') fromEnvironment[key] = parsed(text);
  }
  checkOptions(configSchema, fromEnvironment, 'the environment (DTESN_*)');
  return checkOptions(configSchema, { ...fromEnvironment, ...given }, 'DtesnConfig');
}

/** Numbers and booleans as they are meant; anything else stays text, for the check to refuse by name. */
function parsed(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? text : number;
}

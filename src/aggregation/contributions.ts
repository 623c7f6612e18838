/**
 * What sources that the host adds contribute to the constraints and hints, by the keys they declare. They can only make
 * the view more careful, never less:
 *
 *     constraint of the five           the least of the known values, in whole numbers
 *     any other constraint             the least of the known values, null where none is known
 *     high_load_detected               true when any says so, with a reason that names the source
 *     engine_optimizations_available   false when any says so; what the engine leaves unknown stays unknown
 *     any other hint                   true when any says so, else false when any does, else null
 *
 * A source that failed contributes nothing, null is no statement, and a number that is not finite or below 0 is no
 * figure of a constraint. `high_load_reasons` is no hint of a source.
 */
import type { AdditionalSource } from '../sources/index.js';
import type { Aggregation, OptimizationHints, ProcessingConstraints } from './schema.js';

type Origins = Record<string, string>;
type Contributed = Pick<
  Aggregation,
  'processing_constraints' | 'optimization_hints' | 'constraint_origins' | 'hint_origins'
>;

const REASONS = 'high_load_reasons';

export function withContributions(
  own: Contributed,
  additional: Readonly<Record<string, AdditionalSource>>,
): Contributed {
  const sources = Object.entries(additional).filter(([, { state }]) => state !== 'error');
  if (sources.length === 0) return own;
  return {
    ...tightened(own.processing_constraints, own.constraint_origins, sources),
    ...combined(own.optimization_hints, own.hint_origins, sources),
  };
}

function tightened(own: ProcessingConstraints, ownOrigins: Origins, sources: [string, AdditionalSource][]) {
  const values = new Map<string, unknown>(Object.entries(own));
  const origins = new Map(Object.entries(ownOrigins));
  for (const [name, { constraints }] of sources) {
    for (const [key, given] of Object.entries(constraints)) {
      const value = given === null || !Number.isFinite(given) || given < 0 ? null : wholeOf(key, given, own);
      const before = (values.get(key) ?? null) as number | null;
      const tighter = value !== null && (before === null || value < before);
      values.set(key, tighter ? value : before);
      if (tighter) origins.set(key, name);
    }
  }
  return {
    processing_constraints: Object.fromEntries(values) as ProcessingConstraints,
    constraint_origins: Object.fromEntries(origins),
  };
}

/** The constraints of the five are counts. */
function wholeOf(key: string, value: number, own: ProcessingConstraints): number {
  return Object.hasOwn(own, key) ? Math.floor(value) : value;
}

function combined(own: OptimizationHints, ownOrigins: Origins, sources: [string, AdditionalSource][]) {
  const values = new Map<string, unknown>(Object.entries(own));
  const origins = new Map(Object.entries(ownOrigins));
  const reasons = [...own.high_load_reasons];
  for (const [name, { hints }] of sources) {
    for (const [key, said] of Object.entries(hints)) {
      if (key === REASONS) continue;
      const before = (values.get(key) ?? null) as boolean | null;
      const after =
        said === null ? before : key === 'engine_optimizations_available' ? and(before, said) : or(before, said);
      values.set(key, after);
      if (after !== before) origins.set(key, name);
      if (key === 'high_load_detected' && said === true) reasons.push(`the source ${name} says that load is high`);
    }
  }
  values.set(REASONS, reasons);
  return {
    optimization_hints: Object.fromEntries(values) as OptimizationHints,
    hint_origins: Object.fromEntries(origins),
  };
}

const or = (before: boolean | null, said: boolean): boolean => before === true || said;

const and = (before: boolean | null, said: boolean): boolean | null => (said ? before : false);

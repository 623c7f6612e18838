/** What changes by HTTP and by rollback make of the layers, and what is wrong with them; nothing is changed here. */
import { BridgeError } from '../messages/index.js';
import { fieldOf, unknownField } from './fields.js';
import { emptyLayer, type FieldError, type Layer, layerErrors, type Resolved, resolve, sameValue } from './layers.js';
import { brokenRules } from './rules.js';
import type { Snapshot } from './snapshots.js';

/** Values by field; null takes back what HTTP set, so that the layers below hold. */
export type Changes = Readonly<Record<string, unknown>>;

/** One field before and after. */
export interface Difference {
  field: string;
  from: unknown;
  to: unknown;
}

export type Planned = { errors: readonly FieldError[]; next: null } | { errors: readonly []; next: Resolved };

export function plan(current: Resolved, changes: Changes): Planned {
  const errors = Object.entries(changes).flatMap(([name, value]) => changeError(name, value) ?? []);
  if (errors.length > 0) return { errors, next: null };
  const http = new Map(current.layers.http);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) http.delete(name);
    else http.set(name, value);
  }
  const next = resolve({ ...current.layers, http });
  const broken = brokenRules(next).errors;
  return broken.length > 0 ? { errors: broken, next: null } : { errors: [], next };
}

function changeError(name: string, value: unknown): FieldError | null {
  const field = fieldOf(name);
  if (field === undefined) return { field: name, code: 'unknown_field', message: unknownField(name) };
  const impossible = (message: string): FieldError => ({ field: name, code: 'impossible', message });
  if (!field.live) return impossible('it is taken at the start from file, environment or flag, never over HTTP');
  if (value === null) return null;
  if (isFile(value)) return impossible('files are named by the configuration file or a flag, never over HTTP');
  return layerErrors(new Map([[name, value]]))[0] ?? null;
}

/** Whether the value of a network or a model is a file. */
export function isFile(value: unknown): value is { file: string } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'file' in value;
}

/**
 * The live fields as they were in a snapshot. Errors: BridgeError `impossible` where the layers below HTTP name a network of sessions
 * that the snapshot has not: HTTP cannot take it away.
 */
export function rolledBack(current: Resolved, { id, resolved: { values } }: Snapshot): Resolved {
  const below = resolve({ ...current.layers, http: emptyLayer });
  const http = new Map<string, unknown>();
  for (const name of new Set([...values.keys(), ...below.values.keys()])) {
    if (fieldOf(name)?.live !== true) continue;
    const then = values.get(name);
    if (then === undefined) {
      throw new BridgeError('impossible', `${name}: the snapshot ${id} has it not; take it out where it is configured`);
    }
    if (!sameValue(then, below.values.get(name))) http.set(name, then);
  }
  return resolve({ ...current.layers, http });
}

/** Fields whose values differ. */
export function differences(from: Layer, to: Layer): Difference[] {
  const names = new Set([...from.keys(), ...to.keys()]);
  return [...names]
    .filter((field) => !sameValue(from.get(field), to.get(field)))
    .map((field) => ({ field, from: shown(from.get(field)), to: shown(to.get(field)) }));
}

/** A value as it may be shown: JSON, null for none. Keys of engines stand in files, so that no value holds one. */
export function shown(value: unknown): unknown {
  return value === undefined ? null : value;
}

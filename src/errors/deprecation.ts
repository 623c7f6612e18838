/**
 * Names of dtesn 0.1: accepted in options and readable in results for one minor version after it.
 *
 *     options   currentNames(options, { max_membrane_depth: 'depth' }, 'DtesnConfig')
 *               a copy under the current names; both names with different values are an error that names both
 *     results   withOldNames({ end_state: 'endState' }, 'features')(features)
 *               getters that are not enumerable: JSON, spread and structuredClone see the current names alone
 *
 * The first use of each old name in a process is a warning of the kind DeprecationWarning with the code DTESN_DEPRECATED, so
 * --no-deprecation and --throw-deprecation of Node act on it.
 * Errors: RangeError ERR_DTESN_ARGUMENT for two names with different values.
 */

import { coded } from './coded.js';

/** Current names by the old ones. */
export type Renamed = Readonly<Record<string, string>>;

const warned = new Set<string>();

/** Warns once in a process for each name of each owner. */
export function warnDeprecated(old: string, current: string, owner: string): void {
  const key = `${old} of ${owner}`;
  if (warned.has(key)) return;
  warned.add(key);
  const message = `${key} is a name of dtesn 0.1 that the next minor version no longer accepts; use ${current}`;
  process.emitWarning(message, { type: 'DeprecationWarning', code: 'DTESN_DEPRECATED' });
}

/** The options under their current names; the same object where it has no old name. */
export function currentNames<T>(options: T, names: Renamed, owner: string): T {
  if (typeof options !== 'object' || options === null) return options;
  const old = Object.keys(names).filter((name) => Object.hasOwn(options, name));
  if (old.length === 0) return options;
  const renamed = { ...options } as Record<string, unknown>;
  for (const name of old) {
    const current = names[name]!;
    const value = renamed[name];
    delete renamed[name];
    if (value === undefined) continue;
    const given = renamed[current];
    if (given !== undefined && !Object.is(given, value)) throw conflict(current, given, name, value, owner);
    warnDeprecated(name, current, owner);
    renamed[current] = value;
  }
  return renamed as T;
}

function conflict(current: string, given: unknown, old: string, value: unknown, owner: string): RangeError {
  const both = `${current} ${String(given)} and ${old} ${String(value)}`;
  const message = `Expected one value for ${current} of ${owner} but received ${both} (${old} is its name in dtesn 0.1)`;
  return coded(new RangeError(message), 'ERR_DTESN_ARGUMENT');
}

/** What gives an object a getter for each old name, and returns the object. */
export function withOldNames<Old extends object>(
  names: Renamed,
  owner: string,
): <T extends object>(value: T) => T & Old {
  const getters = Object.entries(names).map(([old, current]): [string, PropertyDescriptor] => {
    function get(this: Record<string, unknown>): unknown {
      warnDeprecated(old, current, owner);
      return this[current];
    }
    return [old, { configurable: true, enumerable: false, get }];
  });
  const descriptors = Object.fromEntries(getters);
  return <T extends object>(value: T) => Object.defineProperties(value, descriptors) as T & Old;
}

/**
 * A plain structure that several readers share, frozen whole: who writes to it gets a TypeError instead of changing what the
 * others read. What is frozen already is taken as frozen to its depth.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) frozen(item);
  return value;
}

/**
 * Freezes a plain structure that several readers share, to its depth: a write throws a TypeError instead of changing what the
 * other readers see. A part that is frozen already is not looked into.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) frozen(item);
  return value;
}

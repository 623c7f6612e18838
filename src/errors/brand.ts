/**
 * Brands: how objects of a class are recognised, also those of another copy of the package in the same process, which
 * `instanceof` would not know.
 *
 *     export const isState = brand(State, 'State');      // marks the class; the function tells its objects
 *
 * The mark is a property of the prototype under `Symbol.for('dtesn.State')`, so a subclass has it too; its value is the
 * version of what other copies may use of the object. An object of another version is not recognised.
 */
const VERSION = 1;

export function brand<T extends object>(marked: { prototype: T }, name: string): (value: unknown) => value is T {
  const key = Symbol.for(`dtesn.${name}`);
  Object.defineProperty(marked.prototype, key, { value: VERSION });
  return (value): value is T =>
    typeof value === 'object' && value !== null && (value as { [key]?: unknown })[key] === VERSION;
}

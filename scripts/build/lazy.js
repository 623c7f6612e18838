/** Part of the bundle (lazy-schemas.mjs): a function that makes its value with the first call. */
export function lazy(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

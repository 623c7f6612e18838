/** A token id is a whole number in [0, 2^32): what one word of the embedding's counter holds. */
export function isToken(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

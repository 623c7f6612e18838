/**
 * A number of Prometheus text as the double nearest to it:
 *
 *     [+-] digits [. digits] [e [+-] digits]    [+-] Inf    [+-] Infinity    NaN       (the words in any case)
 *
 * Up to 15 digits without exponent are m / 10^k with m < 2^53 and k <= 15: both exact, so one division rounds once
 * (Clinger 1990, "How to read floating point numbers accurately"); the rest is left to the language.
 * Errors: SyntaxError for anything else, and for a number beyond the doubles: 1e400 is not infinite.
 */
const exactPowers = Float64Array.from({ length: 16 }, (_, k) => 10 ** k);
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const infinite = /^[+-]?inf(?:inity)?$/i;

/** The number in bytes start to end; `what` names it in the error. */
export function readNumber(body: Buffer, start: number, end: number, what: string): number {
  const negative = body[start] === 45;
  let at = negative ? start + 1 : start;
  let digits = 0;
  let fraction = 0;
  let mantissa = 0;
  let dot = 0;
  for (; at < end; at++) {
    const digit = body[at]! - 48;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      fraction += dot;
    } else if (digit === -2 && dot === 0) dot = 1;
    else break;
  }
  if (at < end || digits === 0 || digits > 15) return readSlowly(body.toString('latin1', start, end), what);
  const value = fraction === 0 ? mantissa : mantissa / exactPowers[fraction]!;
  return negative ? -value : value;
}

function readSlowly(text: string, what: string): number {
  if (decimal.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw new SyntaxError(`the ${what} ${text} exceeds the range of a double`);
  }
  if (infinite.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  throw new SyntaxError(`expected a number for the ${what} but found ${JSON.stringify(text.slice(0, 40))}`);
}

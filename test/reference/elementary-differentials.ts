/**
 * Elementary differentials and Taylor coefficients of f(x) = -a∘x + tanh(W x + w) by other ways than a program over trees.
 *
 * - treeDifferential: F([t1 .. tk]) = f^(k)(F(t1), .., F(tk)) for any tree, the mixed derivative taken as the coefficient
 *   of ε1 .. εk in f(x + Σ εi F(ti)) with εi² = 0. tanh comes from exp and a geometric series, not from its derivatives.
 * - taylorJet: x^(n) / n! by univariate jets: z_n = W x_n, q = 1 - s², n s_n = Σ j z_j q_(n-j), (n+1) x_(n+1) = s_n - a x_n.
 *   Source: Griewank & Walther (2008), Evaluating Derivatives, chapter 13.
 */
export interface Flow {
  units: number;
  weights: ArrayLike<number>;
  state: ArrayLike<number>;
  drive: ArrayLike<number>;
  decay: ArrayLike<number>;
}

/** A number a + Σ a_S ε_S: one coefficient for each subset S of the ε, as a bit mask. */
type Nilpotent = number[];

function multiply(a: Nilpotent, b: Nilpotent): Nilpotent {
  return a.map((_, set) => {
    let sum = 0;
    for (let part = set; ; part = (part - 1) & set) {
      sum += a[part]! * b[set ^ part]!;
      if (part === 0) return sum;
    }
  });
}

/** Σ c_j (a - a_∅)^j, which ends by itself. */
function series(a: Nilpotent, coefficient: (j: number) => number): Nilpotent {
  const nilpotent = a.map((value, set) => (set === 0 ? 0 : value));
  let power: Nilpotent = a.map((_, set) => (set === 0 ? 1 : 0));
  let sum: Nilpotent = a.map(() => 0);
  for (let j = 0; 2 ** j <= a.length; j++) {
    sum = sum.map((value, set) => value + coefficient(j) * power[set]!);
    power = multiply(power, nilpotent);
  }
  return sum;
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** 1 - 2 / (exp(2 z) + 1) */
function tanh(z: Nilpotent): Nilpotent {
  const doubled = z.map((value) => 2 * value);
  const exp = series(doubled, (j) => Math.exp(doubled[0]!) / factorial(j));
  const below = exp.map((value, set) => value + (set === 0 ? 1 : 0));
  const inverse = series(below, (j) => (-1) ** j / below[0]! ** (j + 1));
  return inverse.map((value, set) => (set === 0 ? Math.tanh(z[0]!) : -2 * value));
}

/** F(t) of the tree with this level sequence. */
export function treeDifferential(levels: readonly number[], flow: Flow): number[] {
  const children = childSequences(levels).map((child) => treeDifferential(child, flow));
  const sets = 2 ** children.length;
  const point = Array.from({ length: flow.units }, (_, i): Nilpotent => {
    const value = new Array<number>(sets).fill(0);
    value[0] = flow.state[i]!;
    for (const [c, child] of children.entries()) value[2 ** c] = child[i]!;
    return value;
  });
  return point.map((x, i) => {
    const z = x.map((_, set) => {
      const sum = point.reduce((total, other, k) => total + flow.weights[i * flow.units + k]! * other[set]!, 0);
      return sum + (set === 0 ? flow.drive[i]! : 0);
    });
    return tanh(z)[sets - 1]! - flow.decay[i]! * x[sets - 1]!;
  });
}

/** The level sequences of the subtrees below the root. */
function childSequences(levels: readonly number[]): number[][] {
  const sequences: number[][] = [];
  for (const level of levels.slice(1)) {
    if (level === levels[0]! + 1) sequences.push([]);
    sequences.at(-1)!.push(level);
  }
  return sequences;
}

/** x^(n) / n! for n = 1 .. order, a row each. */
export function taylorJet(order: number, { units, weights, state, drive, decay }: Flow): number[][] {
  const x = [Array.from(state)];
  const z: number[][] = [];
  const s: number[][] = [];
  const q: number[][] = [];
  for (let n = 0; n < order; n++) {
    const all = Array.from({ length: units }, (_, i) => i);
    z.push(all.map((i) => all.reduce((sum, k) => sum + weights[i * units + k]! * x[n]![k]!, n === 0 ? drive[i]! : 0)));
    const mean = (term: (j: number) => number) =>
      Array.from({ length: n }, (_, j) => term(j + 1)).reduce((sum, value) => sum + value, 0) / n;
    s.push(all.map((i) => (n === 0 ? Math.tanh(z[0]![i]!) : mean((j) => j * z[j]![i]! * q[n - j]![i]!))));
    q.push(all.map((i) => s.reduce((rest, row, j) => rest - row[i]! * s[n - j]![i]!, n === 0 ? 1 : 0)));
    x.push(all.map((i) => (s[n]![i]! - decay[i]! * x[n]![i]!) / (n + 1)));
  }
  return x.slice(1);
}

/** The leaky reservoir in the plainest loops, in f64: what the native one is held against. */
export interface PlainWeights {
  units: number;
  inputs: number;
  recurrent: ArrayLike<number>;
  input: ArrayLike<number>;
  bias: ArrayLike<number>;
  leak: ArrayLike<number>;
}

export function plainRun(
  weights: PlainWeights,
  series: ArrayLike<number>,
  state: Float64Array,
  activation: (z: number) => number = Math.tanh,
): Float64Array {
  const { units, inputs } = weights;
  const steps = series.length / inputs;
  const states = new Float64Array(steps * units);
  let x = Float64Array.from(state);
  for (let t = 0; t < steps; t++) {
    const next = new Float64Array(units);
    for (let i = 0; i < units; i++) {
      let z = weights.bias[i]!;
      for (let d = 0; d < inputs; d++) z += weights.input[i * inputs + d]! * series[t * inputs + d]!;
      for (let k = 0; k < units; k++) z += weights.recurrent[i * units + k]! * x[k]!;
      next[i] = (1 - weights.leak[i]!) * x[i]! + weights.leak[i]! * activation(z);
    }
    x = next;
    states.set(x, t * units);
  }
  return states;
}

/** Largest difference over the largest magnitude of what was wanted. */
export function relativeError(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let difference = 0;
  let magnitude = Number.MIN_VALUE;
  for (let i = 0; i < wanted.length; i++) {
    const d = Math.abs(got[i]! - wanted[i]!);
    if (!(d <= difference)) difference = d;
    magnitude = Math.max(magnitude, Math.abs(wanted[i]!));
  }
  return difference / magnitude;
}

/** Numbers in [-1, 1) that any test can make again. */
export function sequence(length: number, seed = 1): Float64Array {
  let s = seed >>> 0;
  return Float64Array.from({ length }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  });
}

/** Every kind of network in the plainest loops, in f64: what the native ones are held against. */

export const plainActivations: Record<string, (z: number) => number> = {
  tanh: Math.tanh,
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  relu: (z) => Math.max(0, z),
  identity: (z) => z,
  sine: Math.sin,
  softplus: (z) => Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z))),
};

type Numbers = ArrayLike<number>;

/** rows x cols times a vector. */
function times(matrix: Numbers, x: Numbers, rows: number): number[] {
  const cols = x.length;
  return Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < cols; k++) sum += matrix[i * cols + k]! * x[k]!;
    return sum;
  });
}

export interface PlainNetwork {
  units: number;
  inputs: number;
  recurrent: Numbers;
  input: Numbers;
  bias: Numbers;
  /** The activation of each unit. */
  activations: readonly string[];
}

function drive(network: PlainNetwork, x: Numbers, u: Numbers): number[] {
  const { units, recurrent, input, bias, activations } = network;
  const w = times(recurrent, x, units);
  const v = times(input, u, units);
  return w.map((sum, i) => plainActivations[activations[i]!]!(sum + v[i]! + bias[i]!));
}

function steps(
  network: Pick<PlainNetwork, 'units' | 'inputs'>,
  series: Numbers,
  step: (x: Float64Array, u: Float64Array) => ArrayLike<number>,
): Float64Array {
  const { units, inputs } = network;
  const states = new Float64Array((series.length / inputs) * units);
  let x: Float64Array = new Float64Array(units);
  for (let t = 0; t * inputs < series.length; t++) {
    const u = Float64Array.from({ length: inputs }, (_, d) => series[t * inputs + d]!);
    x = Float64Array.from(step(x, u));
    states.set(x, t * units);
  }
  return states;
}

/** x' = (1 - leak) x + leak f(W x + W_in u + b) */
export function plainLeaky(network: PlainNetwork, leak: Numbers, series: Numbers): Float64Array {
  return steps(network, series, (x, u) => {
    const f = drive(network, x, u);
    return f.map((value, i) => (1 - leak[i]!) * x[i]! + leak[i]! * value);
  });
}

/** x' = β f(W x + W_in u + b) + (1 - β) O x */
export function plainEs2n(
  network: PlainNetwork,
  orthogonal: Numbers,
  proximity: number,
  series: Numbers,
): Float64Array {
  return steps(network, series, (x, u) => {
    const f = drive(network, x, u);
    const rotated = times(orthogonal, x, network.units);
    return f.map((value, i) => proximity * value + (1 - proximity) * rotated[i]!);
  });
}

/** x' = x + ε f((W - γ I) x + W_in u + b) */
export function plainEuSn(network: PlainNetwork, step: number, diffusion: number, series: Numbers): Float64Array {
  const recurrent = Float64Array.from(network.recurrent);
  for (let i = 0; i < network.units; i++) recurrent[i * network.units + i]! -= diffusion;
  return steps(network, series, (x, u) => {
    const f = drive({ ...network, recurrent }, x, u);
    return f.map((value, i) => x[i]! + step * value);
  });
}

/** [linear, monomials of exactly `order` factors], newest input first. */
export function plainNvar(
  { inputs, delay, order, strides }: { inputs: number; delay: number; order: number; strides: number },
  series: Numbers,
): number[] {
  const rows: number[] = [];
  for (let t = 0; t * inputs < series.length; t++) {
    const linear: number[] = [];
    for (let k = 0; k < delay; k++) {
      const at = t - k * strides;
      for (let d = 0; d < inputs; d++) linear.push(at < 0 ? 0 : series[at * inputs + d]!);
    }
    rows.push(...linear);
    const monomials = (from: number, factors: number, product: number): void => {
      if (factors === 0) rows.push(product);
      else for (let i = from; i < linear.length; i++) monomials(i, factors - 1, product * linear[i]!);
    };
    monomials(0, order, 1);
  }
  return rows;
}

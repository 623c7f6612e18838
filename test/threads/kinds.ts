/** Runs every kind of network on the instruction set that DTESN_ISA names: its errors against the plain loops. */
import { native, setThreads } from '../../src/native/index.js';
import { DeepTreeModel, Es2n, EuSn, type Network, Nvar, Reservoir } from '../../src/network/index.js';
import { csr, type Matrix, matrix } from '../../src/numeric/index.js';
import { StreamPool } from '../../src/streams/index.js';
import { plainTreeRun } from '../reference/deep-tree.js';
import { plainEs2n, plainEuSn, plainLeaky, plainNvar } from '../reference/network.js';
import { relativeError, sequence } from '../reference/reservoir.js';

const STEPS = 100;
const UNITS = 37;
const INPUTS = 2;

type Dtype = 'f32' | 'f64';

interface Case {
  name: string;
  make(dtype: Dtype): Network;
  wanted(network: Network, series: ArrayLike<number>): ArrayLike<number>;
}

const stored = (values: ArrayLike<number>, dtype: Dtype) =>
  dtype === 'f32' ? Float32Array.from(values) : Float64Array.from(values);

/** The product of two reflections: orthogonal. */
function orthogonal(): Float64Array {
  const reflection = (seed: number) => {
    const v = sequence(UNITS, seed);
    const scale = 2 / v.reduce((sum, x) => sum + x * x, 0);
    return Float64Array.from(
      { length: UNITS * UNITS },
      (_, at) => (at % (UNITS + 1) === 0 ? 1 : 0) - scale * v[Math.floor(at / UNITS)]! * v[at % UNITS]!,
    );
  };
  const [a, b] = [reflection(5), reflection(6)];
  return Float64Array.from({ length: UNITS * UNITS }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < UNITS; k++) sum += a[Math.floor(at / UNITS) * UNITS + k]! * b[k * UNITS + (at % UNITS)]!;
    return sum;
  });
}

const given = {
  recurrent: Float64Array.from(sequence(UNITS * UNITS, 3), (w) => (Math.abs(w) < 0.6 ? 0 : w / 12)),
  input: sequence(UNITS * INPUTS, 4),
  bias: Float64Array.from(sequence(UNITS, 7), (b) => b / 5),
  orthogonal: orthogonal(),
};

function sparse(rows: number, cols: number, data: ArrayLike<number>) {
  const parts = { offsets: [0], columns: [] as number[], values: [] as number[] };
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < cols; k++) {
      const value = data[i * cols + k]!;
      if (value === 0) continue;
      parts.columns.push(k);
      parts.values.push(value);
    }
    parts.offsets.push(parts.columns.length);
  }
  return csr(rows, cols, parts);
}

const dense = (rows: number, cols: number, data: ArrayLike<number>): Matrix =>
  matrix(rows, cols, Float64Array.from(data));

function weightsOf(form: typeof dense | typeof sparse) {
  return {
    recurrent: form(UNITS, UNITS, given.recurrent),
    input: form(UNITS, INPUTS, given.input),
    bias: given.bias,
  };
}

/** The given weights as a dtype stores them. */
function plain(dtype: Dtype, activations: readonly string[] = new Array<string>(UNITS).fill('tanh')) {
  return {
    ...{ units: UNITS, inputs: INPUTS, activations },
    recurrent: stored(given.recurrent, dtype),
    input: stored(given.input, dtype),
    bias: stored(given.bias, dtype),
  };
}

const names = ['tanh', 'sigmoid', 'relu', 'identity', 'sine', 'softplus'] as const;
const mixed = [
  { units: 5, activation: 'sine' },
  { units: 20, activation: 'tanh' },
  { units: 1, activation: 'relu' },
  { units: 11, activation: 'softplus' },
] as const;
const mixedNames = mixed.flatMap(({ units, activation }) => new Array<string>(units).fill(activation));

const leaks = Float64Array.from({ length: UNITS }, (_, i) => 0.3 + (0.7 * i) / UNITS);

const cases: Case[] = [
  ...names.map((activation): Case => {
    return {
      name: `given weights with ${activation}`,
      make: (dtype) => new Reservoir({ weights: weightsOf(dense), activation, dtype, leak: leaks }),
      wanted: ({ dtype }, series) =>
        plainLeaky(plain(dtype, new Array<string>(UNITS).fill(activation)), stored(leaks, dtype), series),
    };
  }),
  ...names.map((activation): Case => {
    return {
      name: `drawn weights with ${activation}`,
      make: (dtype) =>
        new Reservoir({ units: UNITS, inputs: INPUTS, activation, dtype, leak: 0.6, spectralRadius: 0.5, seed: 3 }),
      wanted: (network, series) => {
        const { recurrent, input, bias } = (network as Reservoir).weights();
        const weights = { recurrent: recurrent.data, input: input.data, bias };
        const activations = new Array<string>(UNITS).fill(activation);
        const { leak } = network as Reservoir;
        return plainLeaky({ units: UNITS, inputs: INPUTS, ...weights, activations }, leak, series);
      },
    };
  }),
  ...([dense, sparse] as const).flatMap((form): Case[] => [
    {
      name: `segments of activations, ${form.name} weights`,
      make: (dtype) => new Reservoir({ weights: weightsOf(form), activation: [...mixed], dtype, leak: 0.6 }),
      wanted: ({ dtype }, series) =>
        plainLeaky(plain(dtype, mixedNames), stored(new Array(UNITS).fill(0.6), dtype), series),
    },
    {
      name: `Es2n of given ${form.name} weights`,
      make: (dtype) =>
        new Es2n({
          weights: { ...weightsOf(form), orthogonal: form(UNITS, UNITS, given.orthogonal) },
          ...{ proximity: 0.4, dtype },
        }),
      wanted: ({ dtype }, series) => plainEs2n(plain(dtype), stored(given.orthogonal, dtype), 0.4, series),
    },
    {
      name: `EuSn of given ${form.name} weights`,
      make: (dtype) => new EuSn({ weights: weightsOf(form), step: 0.2, diffusion: 0.5, dtype }),
      wanted: ({ dtype }, series) => plainEuSn(plain(dtype), 0.2, 0.5, series),
    },
  ]),
  ...(['dense', 'cycle', 'permutation'] as const).map((carry): Case => {
    return {
      name: `drawn Es2n with a ${carry} carry`,
      make: (dtype) =>
        new Es2n({ units: UNITS, inputs: INPUTS, proximity: 0.3, orthogonal: carry, biasScaling: 0.1, dtype, seed: 2 }),
      wanted: (network, series) => {
        const { recurrent, input, bias, orthogonal } = (network as Es2n).weights();
        const weights = { ...plain(network.dtype), recurrent: recurrent.data, input: input.data, bias };
        return plainEs2n(weights, orthogonal.data, 0.3, series);
      },
    };
  }),
  {
    name: 'drawn EuSn',
    make: (dtype) =>
      new EuSn({ units: UNITS, inputs: INPUTS, step: 0.1, diffusion: 0.3, recurrentScaling: 0.5, dtype, seed: 2 }),
    wanted: (network, series) => {
      const { recurrent, input, bias } = (network as EuSn).weights();
      return plainEuSn({ ...plain(network.dtype), recurrent: recurrent.data, input: input.data, bias }, 0.1, 0, series);
    },
  },
  ...[
    { delay: 1, order: 2, strides: 1 },
    { delay: 3, order: 3, strides: 4 },
    { delay: 2, order: 1, strides: 2 },
  ].map((options): Case => {
    return {
      name: `Nvar ${JSON.stringify(options)}`,
      make: (dtype) => new Nvar({ inputs: INPUTS, dtype, ...options }),
      wanted: (_, series) => plainNvar({ inputs: INPUTS, ...options }, series),
    };
  }),
  ...[
    { parents: [null, 0, 1, 2] },
    { parents: [null, null, null] },
    { parents: [null, null, 0, 1, 1, 2], feedback: 0.2 },
    { parents: [-1, 0, 0, 0], update: 'synchronous' as const, inputTo: 'all' as const },
    { depth: 4, feedback: 0.3 },
  ].map((options): Case => {
    return {
      name: `Deep Tree ${JSON.stringify(options)}`,
      make: (dtype) =>
        new DeepTreeModel({ units: 61, inputs: INPUTS, leak: 0.7, spectralRadius: 0.5, dtype, seed: 5, ...options }),
      wanted: (network, series) => plainTreeRun(network as DeepTreeModel, series),
    };
  }),
];

/** Streams of every number of companions: the bits of each must be those of the stream alone. */
function streamsDiffer(make: () => Network, series: Float32Array | Float64Array): string | null {
  const statesOf = (count: number) => {
    const pool = new StreamPool({ model: make(), capacity: count, ring: STEPS });
    for (let id = 0; id < count; id++) pool.push(id, series.subarray(0, INPUTS * (STEPS - (id % 3))));
    while (pool.step() > 0);
    return Array.from({ length: Math.min(count, 3) }, (_, id) => [...pool.state(id)]);
  };
  const [alone] = statesOf(1);
  for (const count of [2, 7, 64, 65]) {
    for (const threads of count > 7 ? [1, 3] : [1]) {
      setThreads(threads);
      const states = statesOf(count);
      if (!states[0]!.every((x, i) => Object.is(x, alone![i]))) return `stream 0 of ${count} on ${threads} threads`;
    }
  }
  return null;
}

const results = cases.flatMap(({ name, make, wanted }) =>
  (['f32', 'f64'] as const).map((dtype) => {
    const series = stored(sequence(STEPS * INPUTS, 9), dtype);
    const network = make(dtype);
    const expected = wanted(network, series);
    const alone = relativeError(network.run(series).data, expected);
    const batches = network.runBatch([series, series.subarray(0, 60), series]);
    const batch = Math.max(...[0, 2].map((i) => relativeError(batches[i]!.data, expected)));
    const pool = new StreamPool({ model: network, capacity: 5, ring: STEPS });
    for (let id = 0; id < 5; id++) pool.push(id, series);
    while (pool.step() > 0);
    const last = Array.from(expected).slice(-network.featureSize);
    const streams = relativeError(network.featuresOf(pool.state(3)), last);
    return {
      name: `${name} in ${dtype}`,
      dtype,
      alone,
      batch,
      streams,
      differs: streamsDiffer(() => make(dtype), series),
    };
  }),
);
process.stdout.write(JSON.stringify({ isa: native.isa, results }));
